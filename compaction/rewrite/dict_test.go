package rewrite

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/parquet"
)

// A merged dictionary has each value of its inputs once, in the order they came in, and ends where it is full.
func TestDictionariesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]int{0, 4, 8, 5}).Draw(t, "width")
		most := rapid.SampledFrom([]int{1 << 20, 2000}).Draw(t, "most")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		pool := rapid.SampledFrom([]int{3, 300, 100_000}).Draw(t, "pool")
		d := dict{seed: newSeed()}
		d.reset(width)
		model, size := map[string]int32{}, 0
		for range rapid.IntRange(1, 4).Draw(t, "inputs") {
			values, plain := drawValues(r, width, pool, rapid.IntRange(0, 700).Draw(t, "values"))
			var in inputDict
			require.NoError(t, in.load(plain, len(values), width))
			remap, ok := d.add(nil, &in, most)
			for i, v := range values {
				if _, known := model[v]; !known {
					size += len(v)
					if width == 0 {
						size += 4
					}
					if size > most {
						require.False(t, ok, "%d bytes", size)
						return
					}
					model[v] = int32(len(model))
				}
				require.Equal(t, model[v], remap[i])
				require.Equal(t, v, string(d.value(remap[i])))
			}
			require.True(t, ok)
			require.Len(t, model, d.n)
			require.Len(t, d.buf, size)
		}
	})
}

// drawValues makes different values, also in PLAIN layout.
func drawValues(r *rand.Rand, width, pool, n int) (values []string, plain []byte) {
	known := map[string]bool{}
	for range n {
		k := uint64(r.IntN(pool))
		v := string(binary.LittleEndian.AppendUint64(nil, k*0x9e3779b97f4a7c15))
		if width > 0 {
			v = v[:min(width, 8)]
		} else {
			v = strings.Repeat(v, int(k%4))
		}
		if known[v] {
			continue
		}
		known[v] = true
		values = append(values, v)
		if width == 0 {
			plain = binary.LittleEndian.AppendUint32(plain, uint32(len(v)))
		}
		plain = append(plain, v...)
	}
	return values, plain
}

// Times hardly repeat from file to file: their dictionaries are not merged. Values that do repeat keep theirs.
func TestDictionariesThatShareNothing(t *testing.T) {
	in := &inputDict{n: 10_000}
	require.False(t, alone(in, 20_000, 0, 10_000), "the first")
	require.True(t, alone(in, 20_000, 10_000, 19_900))
	require.False(t, alone(in, 20_000, 10_000, 18_000), "a fifth is known")
	require.False(t, alone(in, 200_000, 10_000, 19_900), "each stands for twenty rows")
}

// What the indexes of the inputs say of a page is what its values say.
func TestBoundsAreThoseOfTheValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLayout(t)
		m := &maker{r: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), layout: l, finite: true}
		var inputs []Input
		for i := range rapid.IntRange(1, 4).Draw(t, "files") {
			m.pool, m.nulls = rapid.SampledFrom([]int{1, 60, 0}).Draw(t, "pool"), rapid.SampledFrom([]float64{0, 0.2, 1}).Draw(t, "nulls")
			o := parquet.Options{PageRows: 50, DictBytes: rapid.SampledFrom([]int{0, 300}).Draw(t, "dict")}
			w := m.write(t, o, rapid.IntRange(1, 200).Draw(t, "rows"))
			in := input(string(rune('a'+i)), w.bytes, drawDeleted(t, w.rows.len()))
			in.NaNs = w.metrics.NaNCounts
			inputs = append(inputs, in)
		}
		var told, seen memory
		for _, mem := range []*memory{&told, &seen} {
			o := mem.options(l, parquet.Options{PageRows: 4000})
			o.NoCopy = mem == &seen
			_, err := Rewrite(t.Context(), inputs, o)
			require.NoError(t, err)
		}
		for path := range seen.files {
			require.Equal(t, boundsIn(t, seen.files[path]), boundsIn(t, told.files[path]))
		}
	})
}

// boundsIn are the bounds of all pages of a file.
func boundsIn(t require.TestingT, b []byte) (out [][]byte) {
	f, err := pq.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	for _, ix := range f.ColumnIndexes() {
		out = slices.Concat(out, ix.MinValues, ix.MaxValues)
	}
	return out
}
