//go:build integration

package limits

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Records of ten megabytes, which do not compress, beside small ones.
func TestTenMegabyteRecords(t *testing.T) {
	const records, size, partitions = 60, 10 << 20, 2
	w := newWorld(t, partitions, size+1<<20, kgo.NoCompression(), "large")
	rng := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, size)
	for i := range text {
		text[i] = 'a' + byte(rng.UintN(26))
	}
	w.produce("large", partitions, 2*records, func(i int) []byte {
		if i%4 < 2 {
			return fmt.Appendf(nil, `{"id":%d,"text":"small"}`, i)
		}
		at := rng.IntN(1000)
		return fmt.Appendf(nil, `{"id":%d,"text":"%s"}`, i, text[at:])
	})
	o := w.catchUp(`{interval: 10s}`, `  - name: db.large
    topics: [large]
    value: {format: json, schema: [{name: id, type: long, required: true}, {name: text, type: string}]}
`)
	require.Zero(t, o.code)
	require.Equal(t, map[string]int64{"db.large": 2 * records}, o.rows)
}

// Batches that are far more than a hundred times as large as what the broker sends, so that one answer holds all: those within the limit pass, and one beyond it
// halts its table with a code while the other one goes on.
func TestDecompressionOfAHundredToOne(t *testing.T) {
	const batches, each, size = 30, 50, 1 << 20
	w := newWorld(t, 1, largestBatch, kgo.ZstdCompression(), "dense", "bomb")
	filler := bytes.Repeat([]byte("the same words again and again, "), size/32)
	record := func(i int) []byte { return fmt.Appendf(nil, `{"id":%d,"text":"%s"}`, i, filler) }
	for range batches {
		w.produce("dense", 1, each, record) // 50 MiB each, below consumer.max_batch_bytes
	}
	w.produce("bomb", 1, 3, record)
	w.bomb("bomb", 200, record)
	schema := `[{name: id, type: long, required: true}, {name: text, type: string}]`
	o := w.catchUp(`{interval: 10s}`, fmt.Sprintf(`  - {name: db.dense, topics: [dense], value: {format: json, schema: %s}}
  - {name: db.bomb, topics: [bomb], value: {format: json, schema: %s}}
`, schema, schema))
	require.NotZero(t, o.code)
	require.Contains(t, o.log, "E_BATCH_TOO_LARGE")
	require.EqualValues(t, batches*each, o.rows["db.dense"])
	require.LessOrEqual(t, o.rows["db.bomb"], int64(3))
}

// A table of two thousand columns, the auditing ones among them.
func TestTwoThousandColumns(t *testing.T) {
	const columns, records, partitions = 1990, 3000, 4
	w := newWorld(t, partitions, 1<<20, kgo.Lz4Compression(), "wide")
	w.produce("wide", partitions, records, func(i int) []byte {
		var b strings.Builder
		fmt.Fprintf(&b, `{"id":%d`, i)
		for c := i % 3; c < columns-1; c += 3 {
			fmt.Fprintf(&b, `,"c%d":"value %d"`, c, i*c)
		}
		return []byte(b.String() + "}")
	})
	var fields strings.Builder
	fields.WriteString("        - {name: id, type: long, required: true}\n")
	for c := range columns - 1 {
		fmt.Fprintf(&fields, "        - {name: c%d, type: string}\n", c)
	}
	o := w.catchUp(`{interval: 10s}`, `  - name: db.wide
    topics: [wide]
    value:
      format: json
      schema:
`+fields.String())
	require.Zero(t, o.code)
	require.Equal(t, map[string]int64{"db.wide": records}, o.rows)
}

// Ten thousand values of a partition column, each in every commit: more open row groups than the budget has room for.
// The table says so, and every row arrives.
func TestTenThousandPartitionValues(t *testing.T) {
	const values, records, partitions = 10_000, 25_000, 2
	w := newWorld(t, partitions, 1<<20, kgo.Lz4Compression(), "places")
	w.produce("places", partitions, records, func(i int) []byte {
		return fmt.Appendf(nil, `{"id":%d,"place":"place %d","text":"%032d"}`, i, i%values, i)
	})
	o := w.catchUp(`{interval: 1m}`, `  - name: db.places
    topics: [places]
    partition_by: [place]
    value: {format: json, schema: [{name: id, type: long, required: true}, {name: place, type: string}, {name: text, type: string}]}
`)
	require.Zero(t, o.code)
	require.Equal(t, map[string]int64{"db.places": records}, o.rows)
	require.GreaterOrEqual(t, w.files("place="), values)
	t.Logf("%d data files", w.files("place="))
	require.Contains(t, o.log, "E_FRAGMENTED")
}
