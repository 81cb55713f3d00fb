package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	apq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// filtered is a group with a filter on every leaf that can have one.
func filtered(t testing.TB, l *column.Layout, o Options, fpp float64, most int) *RowGroup {
	t.Helper()
	g := newGroup(t, l, o)
	var blooms []Bloom
	for i := range l.Leaves {
		if l.Leaves[i].Physical != column.PhysBool {
			blooms = append(blooms, Bloom{Leaf: i, FPP: fpp, MaxBytes: most})
		}
	}
	g.Filtered(blooms)
	return g
}

func goFile(t testing.TB, b []byte) *pq.File {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return f
}

// Whatever the sizes of pages, dictionaries and filters: no value of a row group is denied by its filter, and the
// files read back as ever.
func TestBloomFiltersDenyNoValue(t *testing.T) {
	layout := layoutOf(append(shapes(typeOf(column.String)), nested("rest", false, column.Struct, anyLeaves()...))...)
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			Encoding:  Encoding(rapid.IntRange(0, encodings-1).Draw(rt, "encoding")),
			PageRows:  rapid.SampledFrom([]int{7, 100, 20_000}).Draw(rt, "page rows"),
			DictBytes: rapid.SampledFrom([]int{1, 200, 3000, 1 << 20}).Draw(rt, "dictionary bytes"),
		}
		d := newData(layout, rapid.Uint64().Draw(rt, "seed"))
		d.pool = rapid.SampledFrom([]int{1, 10, 200, 0}).Draw(rt, "pool")
		g := filtered(t, layout, o, rapid.SampledFrom([]float64{0.3, 0.01, 1e-5}).Draw(rt, "fpp"), rapid.SampledFrom([]int{32, 100, 2048, 1 << 20}).Draw(rt, "most"))
		var chunks []*Chunk
		ends := []int{}
		for range rapid.IntRange(1, 2).Draw(rt, "row groups") {
			chunks = append(chunks, fillChunk(t, g, d, rapid.IntRange(1, 700).Draw(rt, "rows")))
			for i := range d.entries {
				ends = append(ends, len(d.entries[i]))
			}
		}
		w := finishFile(t, d, o, chunks...)
		w.check(t)
		f := goFile(t, w.bytes)
		for n, rg := range f.RowGroups() {
			for i, chunk := range rg.ColumnChunks() {
				filter, from := chunk.BloomFilter(), 0
				if n > 0 {
					from = ends[(n-1)*len(d.entries)+i]
				}
				if filter == nil {
					continue
				}
				for _, e := range d.entries[i][from:ends[n*len(d.entries)+i]] {
					if e.value == nil {
						continue
					}
					ok, err := filter.Check(valueOf(&layout.Leaves[i], e.value))
					require.NoError(rt, err)
					require.True(rt, ok, "%s denies %x", layout.Leaves[i].Name(), e.value)
				}
			}
		}
	})
}

// anyLeaves has one column of every primitive type.
func anyLeaves() []column.Field {
	var out []column.Field
	for _, k := range primitives {
		out = append(out, field(k.String(), false, typeOf(k)))
	}
	return out
}

// valueOf is a PLAIN value as parquet-go has it.
func valueOf(leaf *column.Leaf, v []byte) pq.Value {
	switch leaf.Physical {
	case column.PhysInt32:
		return pq.Int32Value(int32(binary.LittleEndian.Uint32(v)))
	case column.PhysInt64:
		return pq.Int64Value(int64(binary.LittleEndian.Uint64(v)))
	case column.PhysFloat:
		return pq.FloatValue(math.Float32frombits(binary.LittleEndian.Uint32(v)))
	case column.PhysDouble:
		return pq.DoubleValue(math.Float64frombits(binary.LittleEndian.Uint64(v)))
	case column.PhysFixed:
		return pq.FixedLenByteArrayValue(v)
	default:
		return pq.ByteArrayValue(v)
	}
}

// A filter is as small as the wanted share allows, whether its values came through a dictionary, as hashes or into a
// filter of the largest size; and it denies about as many absent values as it should.
func TestBloomFiltersHaveTheSizeTheyNeed(t *testing.T) {
	layout := layoutOf(field("n", true, typeOf(column.Long)))
	f := func(rows, distinct, most int, fpp float64, least, largest int) {
		t.Helper()
		g := filtered(t, layout, Options{}, fpp, most)
		r := rand.New(rand.NewPCG(1, uint64(rows)))
		for i := range rows {
			v := uint64(i)
			if i >= distinct {
				v = r.Uint64N(uint64(distinct))
			}
			g.Set().Columns[0].AppendInt64(int64(v * 0x9e3779b97f4a7c15))
			if i%500 == 499 {
				require.NoError(t, g.Absorb())
				require.LessOrEqual(t, g.writers[0].bloom.bytes(), int64(2*most))
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		var buf bytes.Buffer
		_, err = WriteFile(&buf, layout, []*Chunk{c}, nil)
		require.NoError(t, err)
		filter := goFile(t, buf.Bytes()).RowGroups()[0].ColumnChunks()[0].BloomFilter()
		if largest == 0 {
			require.Nil(t, filter)
			return
		}
		require.GreaterOrEqual(t, filter.Size(), int64(least))
		require.LessOrEqual(t, filter.Size(), int64(largest))
		wrong, asked := 0, 20_000
		for i := range asked {
			ok, err := filter.Check(pq.Int64Value(int64(uint64(distinct+i) * 0x9e3779b97f4a7c15)))
			require.NoError(t, err)
			if ok {
				wrong++
			}
		}
		require.LessOrEqual(t, float64(wrong)/float64(asked), 1.5*fpp+0.001)
	}
	f(10_000, 10, 1<<20, 0.01, 32, 64)
	f(40_000, 1000, 1<<20, 0.01, 1<<10, 1<<11)
	f(40_000, 40_000, 1<<20, 0.01, 1<<15, 1<<16)   // as hashes
	f(200_000, 200_000, 1<<19, 0.01, 1<<18, 1<<19) // more than fit as hashes
	f(200_000, 1000, 1<<14, 0.01, 1<<10, 1<<11)    // hashes that repeat
	f(40_000, 40_000, 1<<12, 0.01, 0, 0)           // too small for what it would have to hold
	f(1000, 1000, 1<<20, 1e-6, 1<<11, 1<<14)
}

// Zeros and NaNs are found by whichever of their bits a reader has.
func TestBloomFiltersOfFloats(t *testing.T) {
	layout := layoutOf(field("d", true, typeOf(column.Double)), field("f", true, typeOf(column.Float)))
	g := filtered(t, layout, Options{}, 0.001, 1<<10)
	g.Set().Columns[0].AppendDouble(math.Float64bits(math.Copysign(0, -1)))
	g.Set().Columns[1].AppendFloat(0)
	g.Set().Columns[0].AppendDouble(0xfff8_0000_0000_0001)
	g.Set().Columns[1].AppendFloat(0xffc0_0001)
	c, err := g.Finish()
	require.NoError(t, err)
	var buf bytes.Buffer
	_, err = WriteFile(&buf, layout, []*Chunk{c}, nil)
	require.NoError(t, err)
	columns := goFile(t, buf.Bytes()).RowGroups()[0].ColumnChunks()
	for _, v := range []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0x7ff8 << 48)} {
		ok, err := columns[0].BloomFilter().Check(pq.DoubleValue(v))
		require.NoError(t, err)
		require.True(t, ok, "%x", math.Float64bits(v))
	}
	for _, v := range []uint32{0, 1 << 31, 0x7fc0 << 16} {
		ok, err := columns[1].BloomFilter().Check(pq.FloatValue(math.Float32frombits(v)))
		require.NoError(t, err)
		require.True(t, ok, "%x", v)
	}
}

// arrow-go finds the filters and reads the same answers from them.
func TestBloomFiltersInArrow(t *testing.T) {
	layout := layoutOf(field("s", false, typeOf(column.String)), field("n", true, typeOf(column.Long)), field("plain", true, typeOf(column.Long)))
	g := newGroup(t, layout, Options{})
	g.Filtered([]Bloom{{Leaf: 0, FPP: 0.01, MaxBytes: 1 << 20}, {Leaf: 1, FPP: 0.01, MaxBytes: 1 << 20}})
	d := newData(layout, 3)
	w := finishFile(t, d, Options{}, fillChunk(t, g, d, 500), fillChunk(t, g, d, 300))
	r, err := file.NewParquetReader(bytes.NewReader(w.bytes))
	require.NoError(t, err)
	filters := r.GetBloomFilterReader()
	seen := [2]int{}
	for n := range r.NumRowGroups() {
		rg, err := filters.RowGroup(n)
		require.NoError(t, err)
		none, err := rg.GetColumnBloomFilter(2)
		require.NoError(t, err)
		require.Nil(t, none)
		text, err := rg.GetColumnBloomFilter(0)
		require.NoError(t, err)
		number, err := rg.GetColumnBloomFilter(1)
		require.NoError(t, err)
		texts, numbers := metadata.TypedBloomFilter[apq.ByteArray]{BloomFilter: text}, metadata.TypedBloomFilter[int64]{BloomFilter: number}
		for range r.MetaData().RowGroup(n).NumRows() {
			if v := d.entries[0][seen[0]].value; v != nil {
				require.True(t, texts.Check(apq.ByteArray(v)))
			}
			require.True(t, numbers.Check(int64(binary.LittleEndian.Uint64(d.entries[1][seen[1]].value))))
			seen[0]++
			seen[1]++
		}
		require.False(t, texts.Check(apq.ByteArray("absent")))
		require.False(t, numbers.Check(-77))
	}
	require.NoError(t, r.Close())
}

func TestBloomFiltersThatCannotBe(t *testing.T) {
	layout := layoutOf(field("b", true, typeOf(column.Boolean)), field("n", true, typeOf(column.Long)))
	for _, b := range []Bloom{
		{Leaf: 0, FPP: 0.01, MaxBytes: 1 << 20}, {Leaf: 2, FPP: 0.01, MaxBytes: 1 << 20}, {Leaf: 1, FPP: 0, MaxBytes: 1 << 20}, {Leaf: 1, FPP: 1, MaxBytes: 1 << 20},
		{Leaf: 1, FPP: math.NaN(), MaxBytes: 1 << 20}, {Leaf: 1, FPP: 0.01, MaxBytes: 31}, {Leaf: 1, FPP: 0.01, MaxBytes: MaxBloomBytes + 1},
	} {
		require.Error(t, b.Check(layout), "%+v", b)
	}
}

// A page ends when its values unfold to eight times the bytes of a page, however small their references are.
func TestPageEndsByWhatItUnfoldsTo(t *testing.T) {
	const pageBytes, size = 10_000, 1000
	layout := layoutOf(field("c", true, typeOf(column.Binary)))
	value := bytes.Repeat([]byte{7}, size)
	g := newGroup(t, layout, Options{PageBytes: pageBytes})
	for range 1000 {
		g.Set().Columns[0].AppendBytes(value)
		require.NoError(t, g.Absorb())
		require.Less(t, g.Set().Columns[0].Unfolded(), mostUnfolded*pageBytes)
	}
	c, err := g.Finish()
	require.NoError(t, err)
	const perPage = (mostUnfolded*pageBytes + size + 3) / (size + 4)
	require.Len(t, c.columns[0].pages, (1000+perPage-1)/perPage)
	for _, p := range c.columns[0].pages {
		require.LessOrEqual(t, p.rows*(size+4), mostUnfolded*pageBytes+size+4)
	}
	require.Equal(t, len(c.columns[0].pages), c.columns[0].counts.dictionary)
}
