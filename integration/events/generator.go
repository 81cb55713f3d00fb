package events

import (
	"fmt"
	"math"
	"math/rand"
)

const (
	poolSeed  = 7
	eventSeed = 1

	liveSessions = 200_000
	startMillis  = 1_790_000_000_000
)

// Event is one page view. Referrer "" and Amount NaN stand for null.
type Event struct {
	ID, User      int64
	Session, Page string
	Referrer      string
	Country       string
	Device        string
	Millis        int64
	Duration      float64
	Amount        float64
	Bot           bool
	Tags          []string
	tagBuffer     [3]string
}

// HasAmount says whether the amount is not null.
func (e *Event) HasAmount() bool { return !math.IsNaN(e.Amount) }

// Generator draws the events in order. It is not safe for concurrent use.
type Generator struct {
	rnd                      *rand.Rand
	zipfPage, zipfCountry    *rand.Zipf
	zipfReferrer             *rand.Zipf
	countries, devices, tags []string
	pages, referrers         []string
	sessions                 []string
	id, millis               int64
}

// NewGenerator starts the stream at event 1.
func NewGenerator() *Generator {
	r := rand.New(rand.NewSource(eventSeed))
	g := &Generator{
		rnd:          r,
		zipfPage:     rand.NewZipf(r, 1.1, 10, 999),
		zipfCountry:  rand.NewZipf(r, 1.2, 2, 49),
		zipfReferrer: rand.NewZipf(r, 1.1, 5, 199),
		devices:      []string{"desktop", "mobile", "tablet", "tv", "console"},
		millis:       startMillis,
	}
	g.fillPools(rand.New(rand.NewSource(poolSeed)))
	g.fillSessions()
	return g
}

func (g *Generator) fillPools(r *rand.Rand) {
	w := []string{"alpha", "garden", "kitchen", "summer", "leather", "wooden", "classic", "mini",
		"ultra", "travel", "sport", "green", "vintage", "metal", "cotton", "studio"}
	for i := range 50 {
		g.countries = append(g.countries, string([]byte{byte('A' + i/26), byte('A' + i%26)}))
	}
	for i := range 1000 {
		g.pages = append(g.pages, fmt.Sprintf("https://www.example-shop.com/shop/%s/%s-%s-%04d",
			w[r.Intn(16)], w[r.Intn(16)], w[r.Intn(16)], i))
	}
	for i := range 200 {
		g.referrers = append(g.referrers, fmt.Sprintf("https://www.%s-%s.com/r/%03d", w[r.Intn(16)], w[r.Intn(16)], i))
	}
	for i := range 48 {
		g.tags = append(g.tags, fmt.Sprintf("%s-%s-%d", w[i%16], w[(i*7+3)%16], i))
	}
}

func (g *Generator) fillSessions() {
	const hex = "0123456789abcdef"
	g.sessions = make([]string, liveSessions)
	var b [16]byte
	for i := range g.sessions {
		for j := range b {
			b[j] = hex[g.rnd.Intn(16)]
		}
		g.sessions[i] = string(b[:])
	}
}

// Next draws the next event into e; its strings stay valid, its Tags until the next call.
func (g *Generator) Next(e *Event) {
	r := g.rnd
	g.id++
	e.ID = g.id
	e.User = int64(r.Intn(1_000_000)) + 10_000_000
	e.Session = g.sessions[r.Intn(len(g.sessions))]
	e.Page = g.pages[g.zipfPage.Uint64()]
	e.Referrer = ""
	if r.Intn(10) < 7 {
		e.Referrer = g.referrers[g.zipfReferrer.Uint64()]
	}
	e.Country = g.countries[g.zipfCountry.Uint64()]
	e.Device = g.devices[r.Intn(5)]
	g.millis += int64(r.Intn(3))
	e.Millis = g.millis - int64(r.Intn(500))
	e.Duration = math.Round(r.ExpFloat64()*20000) / 1000
	hasAmount := r.Intn(10) < 3
	e.Amount = math.Round(r.ExpFloat64()*4000)/100 + 0.99 // drawn even when it is null
	if !hasAmount {
		e.Amount = math.NaN()
	}
	e.Bot = r.Intn(20) == 0
	n := r.Intn(4)
	for i := range n {
		e.tagBuffer[i] = g.tags[r.Intn(48)]
	}
	e.Tags = e.tagBuffer[:n]
}
