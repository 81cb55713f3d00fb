package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// wide is a table with every shape of a few types.
func wide() *column.Layout {
	fields := shapes(typeOf(column.String))
	for _, kind := range []column.Kind{column.Long, column.Double, column.UUID, column.Boolean, column.Decimal} {
		fields = append(fields, nested(kind.String(), false, column.Struct, shapes(typeOf(kind))...))
	}
	return layoutOf(fields...)
}

// Whatever the sizes of batches, pages, dictionaries and row groups, the file holds the rows.
func TestAnyCutOfRows(t *testing.T) {
	layout := wide()
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			Codec:     Codec(rapid.IntRange(0, codecs-1).Draw(rt, "codec")),
			Encoding:  Encoding(rapid.IntRange(0, encodings-1).Draw(rt, "encoding")),
			PageRows:  rapid.SampledFrom([]int{1, 7, 100, 20_000}).Draw(rt, "page rows"),
			PageBytes: rapid.SampledFrom([]int{1, 300, 1 << 20}).Draw(rt, "page bytes"),
			DictBytes: rapid.SampledFrom([]int{1, 200, 3000, 1 << 20}).Draw(rt, "dictionary bytes"),
		}
		d := newData(layout, rapid.Uint64().Draw(rt, "seed"))
		d.pool = rapid.SampledFrom([]int{1, 10, 200, 0}).Draw(rt, "pool")
		g := newGroup(t, layout, o)
		var chunks []*Chunk
		for range rapid.IntRange(1, 3).Draw(rt, "row groups") {
			for range rapid.IntRange(0, 6).Draw(rt, "batches") {
				rows := rapid.IntRange(0, 90).Draw(rt, "rows")
				for range rows {
					d.row(g.Set())
				}
				require.NoError(rt, g.Absorb())
				require.GreaterOrEqual(rt, g.Bytes(), g.Estimate()/4)
			}
			c, err := g.Finish()
			require.NoError(rt, err)
			require.Zero(rt, g.Rows())
			chunks = append(chunks, c)
		}
		finishFile(t, d, o, chunks...).check(t)
	})
}

// Chunks of several lanes with dictionaries of their own, or none, become one file.
func TestChunksOfSeveralLanes(t *testing.T) {
	layout := wide()
	d := newData(layout, 1)
	var chunks []*Chunk
	for _, lane := range []struct {
		o    Options
		pool int
		rows int
	}{
		{Options{PageRows: 100}, 5, 250}, {Options{PageRows: 30, Encoding: Delta}, 0, 300},
		{Options{DictBytes: 100}, 100, 500}, {Options{Codec: Zstd, Level: 9}, 3, 1},
	} {
		d.pool = lane.pool
		chunks = append(chunks, fillChunk(t, newGroup(t, layout, lane.o), d, lane.rows))
	}
	w := finishFile(t, d, Options{}, chunks...)
	w.check(t)
	require.Len(t, w.metrics.SplitOffsets, 4)
	require.EqualValues(t, 1051, w.metrics.Rows)
}

// chunkOf writes values of one required column and returns its chunk.
func chunkOf(t *testing.T, kind column.Kind, o Options, values func(c *column.Column)) (*RowGroup, *columnChunk) {
	t.Helper()
	g := newGroup(t, layoutOf(field("c", true, typeOf(kind))), o)
	values(g.Set().Columns[0])
	c, err := g.Finish()
	require.NoError(t, err)
	return g, &c.columns[0]
}

func TestEncodingsAreChosenBySize(t *testing.T) {
	f := func(want pageCounts, kind column.Kind, o Options, value func(i int) uint64) {
		t.Helper()
		const rows, batch = 60_000, 500
		g := newGroup(t, layoutOf(field("c", true, typeOf(kind))), o)
		for i := range rows {
			c := g.Set().Columns[0]
			if c.Leaf.Physical == column.PhysBytes {
				c.AppendBytes(binary.BigEndian.AppendUint64(nil, value(i)))
			} else {
				appendPlain(c, le64(value(i)))
			}
			if i%batch == batch-1 {
				require.NoError(t, g.Absorb())
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		require.Equal(t, want, c.columns[0].counts)
	}
	r := rand.New(rand.NewPCG(1, 1))
	pool := make([]uint64, 2000)
	for i := range pool {
		pool[i] = r.Uint64()
	}
	unique := func(int) uint64 { return r.Uint64() }
	ascending := func(i int) uint64 { return uint64(i) }
	repeated := func(int) uint64 { return pool[r.IntN(len(pool))] }
	f(pageCounts{dictionary: 3}, column.Binary, Options{}, repeated)
	f(pageCounts{plain: 3}, column.Binary, Options{}, unique)
	f(pageCounts{plain: 3}, column.Long, Options{}, ascending)
	f(pageCounts{delta: 3}, column.Long, Options{Encoding: Delta}, ascending)
	f(pageCounts{dictionary: 3}, column.Long, Options{}, repeated)
	f(pageCounts{dictionary: 3}, column.Long, Options{Encoding: Delta}, repeated)
	f(pageCounts{dictionary: 3}, column.Double, Options{Encoding: Delta}, repeated)
	f(pageCounts{plain: 3}, column.Double, Options{Encoding: Delta}, unique)
}

// A dictionary that is full ends, and so does one whose values have stopped repeating; what follows is plain.
func TestDictionariesEnd(t *testing.T) {
	run := func(g *RowGroup) pageCounts {
		r := rand.New(rand.NewPCG(2, 2))
		for i := range 200_000 {
			v := uint64(r.IntN(100)) * 0x9e3779b97f4a7c15
			if i >= 100_000 {
				v = r.Uint64()
			}
			g.Set().Columns[0].AppendBytes(binary.LittleEndian.AppendUint64(nil, v))
			if i%500 == 499 {
				require.NoError(t, g.Absorb())
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		return c.columns[0].counts
	}
	l := layoutOf(field("c", true, typeOf(column.Binary)))
	g := newGroup(t, l, Options{})
	for range 2 { // with and without knowing how long the row group will be
		n := run(g)
		require.NotZero(t, n.dictionary)
		require.GreaterOrEqual(t, n.plain, 3, "the dictionary stopped paying")
	}
	n := run(newGroup(t, l, Options{DictBytes: 100_000}))
	require.NotZero(t, n.dictionary)
	require.NotZero(t, n.plain)
}

func TestReferencesHaveAWidth(t *testing.T) {
	for entries, width := range map[int]byte{1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 1 << 16: 16, 1<<16 + 1: 17} {
		b, err := appendIndex(nil, []int32{0, int32(entries - 1)}, entries)
		require.NoError(t, err)
		require.Equal(t, width, b[0], "%d entries", entries)
	}
}

// What a row group learns about a column it remembers, and it looks again after a while.
func TestVerdictsOutliveRowGroups(t *testing.T) {
	g := newGroup(t, layoutOf(field("c", true, typeOf(column.Long))), Options{})
	r := rand.New(rand.NewPCG(3, 3))
	fill := func(pool int) pageCounts {
		for i := range 10_000 {
			v := r.Int64()
			if pool > 0 {
				v = r.Int64N(int64(pool)) << 40
			}
			g.Set().Columns[0].AppendInt64(v)
			if i%500 == 499 {
				require.NoError(t, g.Absorb())
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		return c.columns[0].counts
	}
	require.Equal(t, pageCounts{plain: 1}, fill(0))
	require.Equal(t, plain, g.writers[0].policy.verdict)
	seen := map[pageCounts]int{}
	for range retryAfter + 2 {
		seen[fill(100)]++
	}
	require.Equal(t, map[pageCounts]int{{plain: 1}: retryAfter - 1, {dictionary: 1}: 3}, seen)
}

func TestBadTextIsRepairedAndCounted(t *testing.T) {
	l := layoutOf(field("c", true, typeOf(column.String)))
	for _, unique := range []bool{false, true} {
		g := newGroup(t, l, Options{})
		for i := range 9000 {
			s := []byte("same \xff")
			if unique {
				s = binary.BigEndian.AppendUint64(s, rand.Uint64()&0x7f7f7f7f7f7f7f7f)
			}
			g.Set().Columns[0].AppendBytes(s)
			if i%500 == 499 {
				require.NoError(t, g.Absorb())
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		require.Equal(t, unique, c.columns[0].counts.plain > 0)
		var buf bytes.Buffer
		m, err := WriteFile(&buf, l, []*Chunk{c}, nil)
		require.NoError(t, err)
		require.EqualValues(t, 9000, m.Repaired)
		for _, e := range readArrow(t, buf.Bytes())[0] {
			require.True(t, strings.HasPrefix(string(e.value), "same \uFFFD"))
		}
	}
}

// A value of a megabyte is written, but neither the footer nor the page index repeats it.
func TestLongValuesStayOutOfTheMetadata(t *testing.T) {
	for _, kind := range []column.Kind{column.String, column.Binary} {
		d := newData(layoutOf(field("c", true, typeOf(kind))), 1)
		d.draw = func(*column.Leaf) []byte { return bytes.Repeat([]byte{byte('a' + d.r.IntN(3))}, 1<<20) }
		w := writeRows(t, d, 5, Options{Codec: None})
		w.check(t)
		require.Less(t, len(w.bytes), 5<<20+5000)
		require.Less(t, len(w.metrics.Upper[1]), 20)
	}
	// No string of that length is above it: there is no upper bound, and no column index.
	d := newData(layoutOf(field("c", true, typeOf(column.Binary))), 1)
	d.draw = func(*column.Leaf) []byte { return bytes.Repeat([]byte{0xff}, 100) }
	w := writeRows(t, d, 5, Options{})
	w.check(t)
	require.NotContains(t, w.metrics.Upper, 1)
	require.Contains(t, w.metrics.Lower, 1)
}

func TestLongFixedHasNoParquetBounds(t *testing.T) {
	l := layoutOf(field("c", true, column.Type{Kind: column.Fixed, Length: 100}))
	d := newData(l, 1)
	w := writeRows(t, d, 50, Options{})
	w.check(t)
	require.Len(t, w.metrics.Lower[1], 16)
}

// One batch of large values does not wait for the page to be full by rows, and a dictionary does not grow without end.
func TestLargeValuesEndPages(t *testing.T) {
	_, c := chunkOf(t, column.Binary, Options{PageBytes: 10_000, DictBytes: 10_000}, func(col *column.Column) {
		for i := range 10 {
			col.AppendBytes(bytes.Repeat([]byte{byte(i)}, 5000))
		}
	})
	require.Equal(t, 1, c.counts.dictionary+c.counts.plain)
}

func TestBrokenProgramsAreErrors(t *testing.T) {
	l := layoutOf(field("a", true, typeOf(column.Long)), field("b", false, typeOf(column.Long)))
	g := newGroup(t, l, Options{})
	g.Set().Columns[0].AppendInt64(1)
	require.EqualError(t, g.Absorb(), "absorbing rows: column b has 0 rows, not 1")
	_, err := g.Finish()
	require.Error(t, err)
	g.Reset()
	d := newData(l, 1)
	finishFile(t, d, Options{}, fillChunk(t, g, d, 20)).check(t)
}

func TestWriteFileErrors(t *testing.T) {
	d := newData(layoutOf(field("a", true, typeOf(column.Long))), 1)
	c := fillChunk(t, newGroup(t, d.layout, Options{}), d, 20)
	_, err := WriteFile(&bytes.Buffer{}, wide(), []*Chunk{c}, nil)
	require.ErrorContains(t, err, "writing a parquet file: row group has 1 columns, the schema")

	full := errors.New("disk full")
	for room := 0; room < 600; room += 7 {
		_, err := WriteFile(&limited{room: room, err: full}, d.layout, []*Chunk{c, c, c}, nil)
		require.ErrorIs(t, err, full)
	}
}

// limited fails after some bytes.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.room {
		return l.room, l.err
	}
	l.room -= len(b)
	return len(b), nil
}

func TestResetDropsRows(t *testing.T) {
	l := wide()
	g := newGroup(t, l, Options{PageRows: 50})
	lost := newData(l, 9)
	for range 120 {
		lost.row(g.Set())
	}
	require.NoError(t, g.Absorb())
	lost.row(g.Set())
	g.Reset()
	require.Zero(t, g.Rows())
	d := newData(l, 10)
	finishFile(t, d, Options{}, fillChunk(t, g, d, 130)).check(t)
}

// The order of page bounds is claimed only where it holds.
func TestBoundaryOrder(t *testing.T) {
	f := func(want format.BoundaryOrder, value func(i int) int64) {
		t.Helper()
		g, _ := chunkOf(t, column.Long, Options{PageRows: 1}, func(*column.Column) {})
		for i := range 10 {
			g.Set().Columns[0].AppendInt64(value(i))
			require.NoError(t, g.Absorb())
		}
		c, err := g.Finish()
		require.NoError(t, err)
		leaf := &g.layout.Leaves[0]
		require.Equal(t, want, columnIndex(leaf, c.columns[0].pages).BoundaryOrder)
	}
	f(format.Ascending, func(i int) int64 { return int64(i) })
	f(format.Descending, func(i int) int64 { return -int64(i) })
	f(format.Unordered, func(i int) int64 { return int64(i % 3) })
	f(format.Ascending, func(int) int64 { return 0 })
}
