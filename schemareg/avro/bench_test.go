package avro

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

const eventText = `{"type":"record","name":"Event","namespace":"com.acme","fields":[
 {"name":"id","type":"long"},
 {"name":"user_id","type":"string"},
 {"name":"event_type","type":"string"},
 {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"score","type":"double"},
 {"name":"duration_ms","type":"int"},
 {"name":"url","type":["null","string"],"default":null},
 {"name":"session_id","type":["null","long"],"default":null},
 {"name":"is_mobile","type":"boolean"},
 {"name":"country","type":"string"},
 {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}},
 {"name":"tags","type":{"type":"array","items":"string"}}
]}`

// events are about 180 bytes each, like a click stream.
func events(t testing.TB, n int) [][]byte {
	t.Helper()
	codec, err := goavro.NewCodec(eventText)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	start := time.UnixMilli(1_790_000_000_000)
	out := make([][]byte, n)
	for i := range out {
		e := map[string]any{
			"id": int64(7_100_000_000_000 + 25*i), "user_id": fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), r.Uint64()>>16),
			"event_type": []string{"page_view", "click", "add_to_cart", "purchase"}[r.IntN(4)],
			"ts":         start.Add(time.Duration(i) * time.Millisecond), "score": float64(r.IntN(1e6)) / 1000,
			"duration_ms": int32(r.IntN(9000)), "url": nil, "session_id": nil, "is_mobile": r.IntN(2) == 0,
			"country": []string{"DE", "US", "FR"}[r.IntN(3)], "price": big.NewRat(r.Int64N(1e6), 100), "tags": []any{},
		}
		if r.IntN(100) >= 12 {
			e["url"] = goavro.Union("string", fmt.Sprintf("https://www.example-shop.com/garden/kitchen-summer-%05d?ref=travel", r.IntN(1e5)))
		}
		if r.IntN(100) >= 20 {
			e["session_id"] = goavro.Union("long", r.Int64N(1<<47))
		}
		for range r.IntN(4) {
			e["tags"] = append(e["tags"].([]any), fmt.Sprintf("leather-wooden-%d", r.IntN(48)))
		}
		out[i], err = codec.BinaryFromNative(nil, e)
		require.NoError(t, err)
	}
	return out
}

func mustParse(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Parse(text)
	require.NoError(t, err)
	return s
}

func mustFields(t testing.TB, text string) []column.Field {
	t.Helper()
	f, err := mustParse(t, text).Fields()
	require.NoError(t, err)
	return f
}

func compileFor(t testing.TB, text string, fields []column.Field) (*Program, *column.Set) {
	t.Helper()
	set := newSet(t, fields)
	pr, err := Compile(mustParse(t, text), set, CompileOptions{})
	require.NoError(t, err)
	return pr, set
}

// decodeAll runs the way a lane does: small batches, then the columns are taken over.
func decodeAll(t testing.TB, pr *Program, set *column.Set, records [][]byte) {
	for i, b := range records {
		if err := pr.Decode(b); err != nil {
			t.Fatal(err)
		}
		if i%500 == 499 {
			set.Reset()
		}
	}
	set.Reset()
}

// cpuTime is what the process has used, which a busy machine disturbs less than the wall clock.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkEvents(b *testing.B) {
	records := events(b, 5000)
	size := 0
	for _, r := range records {
		size += len(r)
	}
	fields := mustFields(b, eventText)
	optional := make([]column.Field, len(fields))
	for i, f := range fields {
		f.Required = false
		optional[i] = f
	}
	run := func(name string, fields []column.Field) {
		b.Run(name, func(b *testing.B) {
			pr, set := compileFor(b, eventText, fields)
			decodeAll(b, pr, set, records)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				decodeAll(b, pr, set, records)
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N*len(records)), "cpu-ns/record")
		})
	}
	run("all", fields)
	run("optional", optional)
	run("4of12", []column.Field{fields[0], fields[3], fields[6], fields[9]})
	run("1of12", []column.Field{fields[10]})
	b.Run("goavro", func(b *testing.B) {
		codec, err := goavro.NewCodec(eventText)
		require.NoError(b, err)
		b.SetBytes(int64(size))
		start := cpuTime(b)
		for b.Loop() {
			for _, r := range records {
				if _, _, err := codec.NativeFromBinary(r); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N*len(records)), "cpu-ns/record")
	})
}
