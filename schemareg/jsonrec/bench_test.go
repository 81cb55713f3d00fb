package jsonrec

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// event is the click event of the benchmarks, the way a Go program would read it.
type event struct {
	ID        int64       `json:"id"`
	UserID    string      `json:"user_id"`
	EventType string      `json:"event_type"`
	TS        int64       `json:"ts"`
	Score     float64     `json:"score"`
	Duration  int32       `json:"duration_ms"`
	URL       *string     `json:"url"`
	Session   *int64      `json:"session_id"`
	Mobile    bool        `json:"is_mobile"`
	Country   string      `json:"country"`
	Price     json.Number `json:"price"`
	Tags      []string    `json:"tags"`
}

// eventConfig declares it.
func eventConfig() Config {
	price := need(col("price", column.Decimal))
	price.Type.Precision, price.Type.Scale = 18, 2
	return Config{
		Fields: []column.Field{
			need(col("id", column.Long)), need(col("user_id", column.String)), need(col("event_type", column.String)),
			need(col("ts", column.TimestampTZ)), need(col("score", column.Double)), need(col("duration_ms", column.Int)),
			col("url", column.String), col("session_id", column.Long), need(col("is_mobile", column.Boolean)),
			need(col("country", column.String)), price, need(col("tags", column.List, need(col("element", column.String)))),
		},
		Hints: []Hint{{Path: []string{"ts"}, Unit: Millis}},
	}
}

// events makes n records of about 330 bytes.
func events(t testing.TB, n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		e := event{
			ID: 7_100_000_000_000 + int64(i), EventType: "page_view", TS: 1_790_000_000_000 + int64(i),
			UserID: fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48)),
			Score:  float64(r.IntN(100_000)) / 1000, Duration: r.Int32N(10_000), Mobile: i%2 == 0, Country: "DE",
			Price: json.Number(fmt.Sprintf("%d.%02d", r.IntN(100), r.IntN(100))), Tags: make([]string, i%4),
		}
		for j := range e.Tags {
			e.Tags[j] = fmt.Sprintf("cotton-summer-%d", j)
		}
		if i%8 != 0 {
			url := fmt.Sprintf("https://www.example-shop.com/garden/leather-mini-vintage-%05d?ref=ultra", r.IntN(8000))
			e.URL = &url
		}
		if i%5 != 0 {
			session := r.Int64N(1 << 47)
			e.Session = &session
		}
		var err error
		out[i], err = json.Marshal(e)
		require.NoError(t, err)
	}
	return out
}

func BenchmarkDecode(b *testing.B) {
	x := compile(b, eventConfig())
	records := events(b, 1000)
	bytes := 0
	for _, r := range records {
		bytes += len(r)
	}
	b.SetBytes(int64(bytes / len(records)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(records) == 0 {
			x.set.Truncate(0)
		}
		if err := x.program.Decode(records[i%len(records)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	records := events(b, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var e event
		if err := json.Unmarshal(records[i%len(records)], &e); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDecodingDoesNotAllocate(t *testing.T) {
	f := func(c Config, records ...[]byte) {
		t.Helper()
		x := compile(t, c)
		batch := func() {
			for _, r := range records {
				require.NoError(t, x.program.Decode(r))
			}
			x.set.Truncate(0)
		}
		batch() // grows the buffers
		require.Zero(t, testing.AllocsPerRun(10, batch))
	}
	f(eventConfig(), events(t, 500)...)
	rest := everything()
	rest.Unknown, rest.Text = Rest, ReplaceInvalid
	f(rest, []byte(complete), []byte(`{"more":[1,2,{"a":"`+"\xff"+`"}],"li":[{"y":1}],"\u0073":"\u0073","d":1.7976931348623157e308}`))
}
