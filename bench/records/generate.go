package records

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// Event is one record. A nil pointer is null.
type Event struct {
	ID         int64
	UserID     string
	EventType  string
	Millis     int64
	Score      float64
	DurationMS int32
	URL        *string
	SessionID  *int64
	IsMobile   bool
	Country    string
	Cents      int64
	Tags       []string
}

// Sizes of the pools the values are drawn from.
const (
	users    = 100_000
	urls     = 8_000
	sessions = 30_000
	tags     = 48
)

var (
	eventTypes = []string{
		"page_view", "click", "scroll", "add_to_cart", "purchase", "search",
		"login", "logout", "impression", "video_play", "video_pause", "signup",
	}
	countries = []string{
		"US", "DE", "GB", "FR", "IN", "BR", "JP", "CA", "MX", "ES", "IT", "NL", "SE", "PL", "AU", "KR", "CN", "TR", "AR", "ZA",
		"NG", "EG", "ID", "TH", "VN", "PH", "CO", "CL", "PE", "BE", "AT", "CH", "DK", "NO", "FI", "IE", "PT", "GR", "CZ", "RO",
	}
	words = []string{
		"alpha", "garden", "kitchen", "summer", "leather", "wooden", "classic", "mini",
		"ultra", "travel", "sport", "green", "vintage", "metal", "cotton", "studio",
	}
)

// generator is the state of one stream of events.
type generator struct {
	r                        *rand.Rand
	users, urls, tags        []string
	sessions                 []int64
	user, url, kind, country *rand.Zipf
	id, millis               int64
}

// Generate draws n events.
func Generate(n int, seed uint64) []Event {
	return Stream(seed)(n)
}

// Stream gives the events of Generate a batch at a time, in the order they are asked for.
func Stream(seed uint64) func(n int) []Event {
	g := newGenerator(seed)
	return func(n int) []Event {
		out := make([]Event, n)
		for i := range out {
			g.next(&out[i])
		}
		return out
	}
}

func newGenerator(seed uint64) *generator {
	r := rand.New(rand.NewPCG(seed, 0))
	g := &generator{r: r, id: 7_100_000_000_000, millis: 1_790_000_000_000}
	for range users {
		g.users = append(g.users, uuid(r))
	}
	word := func() string { return words[r.IntN(len(words))] }
	for range urls {
		g.urls = append(g.urls, fmt.Sprintf("https://www.example-shop.com/%s/%s-%s-%s-%05d?ref=%s",
			word(), word(), word(), word(), r.IntN(99999), word()))
	}
	for range sessions {
		g.sessions = append(g.sessions, r.Int64N(1<<47))
	}
	for i := range tags {
		g.tags = append(g.tags, fmt.Sprintf("%s-%s-%d", words[i%16], words[(i*7+3)%16], i))
	}
	g.user = rand.NewZipf(r, 1.05, 10, users-1)
	g.url = rand.NewZipf(r, 1.1, 10, urls-1)
	g.kind = rand.NewZipf(r, 1.3, 2, uint64(len(eventTypes)-1))
	g.country = rand.NewZipf(r, 1.2, 2, uint64(len(countries)-1))
	return g
}

func uuid(r *rand.Rand) string {
	u := binary.BigEndian.AppendUint64(nil, r.Uint64())
	u = binary.BigEndian.AppendUint64(u, r.Uint64())
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

func (g *generator) next(e *Event) {
	r := g.r
	g.id += 1 + int64(r.IntN(50))
	if r.IntN(4) == 0 {
		g.millis += int64(r.IntN(5))
	}
	e.ID, e.Millis = g.id, g.millis-int64(r.IntN(300))
	e.UserID = g.users[g.user.Uint64()]
	e.EventType = eventTypes[g.kind.Uint64()]
	e.Score = math.Round(r.ExpFloat64()*20000) / 1000
	e.DurationMS = int32(r.ExpFloat64() * 1500)
	if r.IntN(100) >= 12 {
		e.URL = &g.urls[g.url.Uint64()]
	}
	if r.IntN(100) >= 20 {
		e.SessionID = &g.sessions[r.IntN(sessions)]
	}
	e.IsMobile = r.IntN(10) < 6
	e.Country = countries[g.country.Uint64()]
	e.Cents = int64(r.ExpFloat64()*4000) + 99
	for range r.IntN(4) {
		e.Tags = append(e.Tags, g.tags[r.IntN(tags)])
	}
}
