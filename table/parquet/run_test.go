package parquet

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// sortable is a table with each sortable type, required and optional, and with what cannot be sorted by.
func sortable() *column.Layout {
	var fields []column.Field
	for _, kind := range primitives {
		fields = append(fields, field(kind.String(), true, typeOf(kind)), field("o_"+kind.String(), false, typeOf(kind)))
	}
	for _, p := range []int{5, 15} {
		fields = append(fields, field([]string{"narrow", "wider"}[p/15], false, column.Type{Kind: column.Decimal, Precision: p, Scale: 2}))
	}
	key := field("key", true, column.Type{Kind: column.String})
	return layoutOf(append(fields,
		nested("list", false, column.List, field("element", false, typeOf(column.String))),
		nested("struct", false, column.Struct, field("r", true, typeOf(column.Long)), field("b", false, typeOf(column.Boolean))),
		nested("map", true, column.Map, key, field("value", false, typeOf(column.UUID))))...)
}

// crooked draws what orders differently than it looks: negative numbers, NaNs of both signs, zero bytes.
func (d *data) crooked(leaf *column.Leaf) []byte {
	v := d.value(leaf)
	switch {
	case len(v) == 0:
	case leaf.Type.Kind == column.Binary:
		for i := range v {
			v[i] = []byte{0, 1, 0xff, v[i]}[d.r.IntN(4)]
		}
	case leaf.Physical == column.PhysInt32, leaf.Physical == column.PhysInt64, leaf.Physical == column.PhysFloat, leaf.Physical == column.PhysDouble:
		v[len(v)-1] ^= byte(d.r.IntN(2)) << 7
	}
	return v
}

// rowsOf splits the entries of each leaf by rows.
func (d *data) rowsOf() [][][]entry {
	var rows [][][]entry
	for leaf, es := range d.entries {
		row := -1
		for _, e := range es {
			if e.rep == 0 {
				if row++; row == len(rows) {
					rows = append(rows, make([][]entry, len(d.entries)))
				}
			}
			rows[row][leaf] = append(rows[row][leaf], e)
		}
	}
	return rows
}

// sorted puts the rows of an oracle from one row on into order.
func (d *data) sorted(from int, keys []column.SortKey) {
	rows := d.rowsOf()
	slices.SortStableFunc(rows[from:], func(a, b [][]entry) int { return d.compareRows(keys, a, b) })
	d.entries = make([][]entry, len(d.entries))
	for _, row := range rows {
		for leaf := range row {
			d.entries[leaf] = append(d.entries[leaf], row[leaf]...)
		}
	}
}

// compareRows is the order by the book, value by value.
func (d *data) compareRows(keys []column.SortKey, a, b [][]entry) int {
	for _, k := range keys {
		if c := compareEntries(&d.layout.Leaves[k.Leaf], k, a[k.Leaf][0].value, b[k.Leaf][0].value); c != 0 {
			return c
		}
	}
	return 0
}

func compareEntries(leaf *column.Leaf, k column.SortKey, a, b []byte) int {
	if a == nil || b == nil {
		switch {
		case a == nil && b == nil:
			return 0
		case (a == nil) == k.NullsFirst:
			return -1
		}
		return 1
	}
	var c int
	switch leaf.Physical {
	case column.PhysFloat, column.PhysDouble:
		c = compareFloats(floatOf(leaf, a), floatOf(leaf, b))
	default:
		c = (*oracle)(nil).compare(leaf, a, b)
	}
	if k.Descending {
		return -c
	}
	return c
}

// compareFloats is Iceberg's: -NaN, -Infinity, numbers with -0 before 0, Infinity, NaN.
func compareFloats(a, b float64) int {
	class := func(v float64) int {
		switch {
		case !math.IsNaN(v):
			return 0
		case math.Signbit(v):
			return -1
		}
		return 1
	}
	if c := cmp.Compare(class(a), class(b)); c != 0 || class(a) != 0 {
		return c
	}
	if a == b && math.Signbit(a) != math.Signbit(b) {
		if math.Signbit(a) {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}

// drawKeys are one to three columns to sort by.
func drawKeys(rt *rapid.T, l *column.Layout) []column.SortKey {
	var keys []column.SortKey
	for _, leaf := range rapid.SliceOfNDistinct(rapid.IntRange(0, 2*len(primitives)+1), 1, 3, rapid.ID).Draw(rt, "keys") {
		k := column.SortKey{Leaf: leaf, Descending: rapid.Bool().Draw(rt, "desc"), NullsFirst: rapid.Bool().Draw(rt, "nulls first")}
		require.NoError(rt, column.CheckSortKey(l, k))
		keys = append(keys, k)
	}
	return keys
}

// Whatever the types, the keys, the pages and the batches: a sorted row group holds the same rows, in the order that a
// plain stable sort gives, and everything that the file says of them is right.
func TestSortedRowGroups(t *testing.T) {
	l := sortable()
	rapid.Check(t, func(rt *rapid.T) {
		keys := drawKeys(rt, l)
		o := Options{
			Encoding:  Encoding(rapid.IntRange(0, encodings-1).Draw(rt, "encoding")),
			PageRows:  rapid.SampledFrom([]int{7, 100, 20_000}).Draw(rt, "page rows"),
			DictBytes: rapid.SampledFrom([]int{1, 3000, 1 << 20}).Draw(rt, "dictionary bytes"),
		}
		d := newData(l, rapid.Uint64().Draw(rt, "seed"))
		d.draw = d.crooked
		d.pool = rapid.SampledFrom([]int{1, 10, 0}).Draw(rt, "pool")
		g := newGroup(t, l, o)
		g.Sorted(keys)
		var chunks []*Chunk
		for range rapid.IntRange(1, 2).Draw(rt, "row groups") {
			from := len(d.rowsOf())
			for range rapid.IntRange(0, 4).Draw(rt, "batches") {
				for range rapid.IntRange(0, 60).Draw(rt, "rows") {
					d.row(g.Set())
				}
				require.NoError(rt, g.Absorb())
			}
			c, err := g.Finish()
			require.NoError(rt, err)
			d.sorted(from, keys)
			require.EqualValues(rt, len(d.rowsOf())-from, c.Rows)
			require.Equal(rt, c.Rows > 0, c.Order != nil)
			chunks = append(chunks, c)
		}
		w := finishFile(t, d, o, chunks...)
		w.check(t)
		for _, rg := range goFile(t, w.bytes).Metadata().RowGroups {
			require.Len(rt, rg.SortingColumns, len(keys))
			for i, k := range keys {
				require.Equal(rt, format.SortingColumn{ColumnIdx: int32(k.Leaf), Descending: k.Descending, NullsFirst: k.NullsFirst}, rg.SortingColumns[i])
			}
		}
		requireBefore(rt, d, keys, chunks)
	})
}

// requireBefore compares the bounds of two row groups by their bytes and by the book.
func requireBefore(t require.TestingT, d *data, keys []column.SortKey, chunks []*Chunk) {
	if len(chunks) < 2 || chunks[0].Rows == 0 || chunks[1].Rows == 0 {
		return
	}
	rows := d.rowsOf()
	last, first := rows[chunks[0].Rows-1], rows[chunks[0].Rows]
	require.Equal(t, d.compareRows(keys, last, first) <= 0, chunks[0].Order.Before(chunks[1].Order))
}

func TestColumnsThatCannotBeSortedBy(t *testing.T) {
	l := sortable()
	for leaf := range l.Leaves {
		err := column.CheckSortKey(l, column.SortKey{Leaf: leaf})
		require.Equal(t, len(l.Leaves[leaf].Path) == 1, err == nil, l.Leaves[leaf].Name())
	}
}

// What is not UTF-8 is sorted as what is stored in its place.
func TestSortedTextIsRepairedBefore(t *testing.T) {
	l := layoutOf(field("s", true, typeOf(column.String)))
	g := newGroup(t, l, Options{})
	g.Sorted([]column.SortKey{{}})
	for _, v := range []string{"\U00010000", "\xff", "a"} {
		g.Set().Columns[0].AppendBytes([]byte(v))
	}
	c, err := g.Finish()
	require.NoError(t, err)
	var buf bytes.Buffer
	m, err := WriteFile(&buf, l, []*Chunk{c}, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, m.Repaired)
	var got []string
	for _, e := range readGo(t, buf.Bytes())[0] {
		got = append(got, string(e.value))
	}
	require.Equal(t, []string{"a", "\uFFFD", "\U00010000"}, got)
}

// Rows that were dropped leave nothing behind, and cost nothing per record.
func TestSortedRowGroupsAreUsedAgain(t *testing.T) {
	l := sortable()
	g := newGroup(t, l, Options{})
	keys := []column.SortKey{{Leaf: 20, Descending: true}, {Leaf: 5}}
	g.Sorted(keys)
	d := newData(l, 3)
	for range 100 {
		d.row(g.Set())
	}
	require.NoError(t, g.Absorb())
	g.Reset()
	require.Zero(t, g.Rows())
	require.Zero(t, g.Estimate())

	sample := newData(l, 4)
	for range 100 {
		sample.row(column.NewSet(l))
	}
	batch := func() {
		for i, c := range g.Set().Columns {
			replay(c, sample.entries[i])
		}
		if err := g.Absorb(); err != nil {
			t.Fatal(err)
		}
	}
	round := func() {
		for range 100 {
			batch()
		}
		c, err := g.Finish()
		require.NoError(t, err)
		require.EqualValues(t, 10_000, c.Rows)
	}
	round()
	round()
	perRow := testing.AllocsPerRun(2, round) / 10_000
	require.Less(t, perRow/float64(len(l.Leaves)), 0.002)
	g.Release()
	require.Less(t, g.Bytes()/int64(len(l.Leaves)), int64(1600))
}

// The rows of a run count while they wait, with what sorting and encoding them will take.
func TestSortedRowsCount(t *testing.T) {
	l := layoutOf(field("n", true, typeOf(column.Long)), field("s", false, typeOf(column.Binary)))
	g := newGroup(t, l, Options{})
	g.Sorted([]column.SortKey{{Leaf: 0}})
	r := rand.New(rand.NewPCG(1, 1))
	value := make([]byte, 100)
	for i := range 10_000 {
		for k := range value {
			value[k] = byte(r.Uint32())
		}
		g.Set().Columns[0].AppendInt64(int64(r.Uint64()))
		g.Set().Columns[1].AppendBytes(value)
		g.Set().Columns[1].SetValid()
		if i%500 == 499 {
			require.NoError(t, g.Absorb())
		}
	}
	plain := int64(10_000 * (8 + 104))
	require.Greater(t, g.Bytes(), plain+plain/2)
	require.InEpsilon(t, plain/2, g.Estimate(), 0.1)
	c, err := g.Finish()
	require.NoError(t, err)
	require.Zero(t, g.Estimate())
	require.Greater(t, c.Bytes, plain*8/10)
}
