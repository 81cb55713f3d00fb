package rewrite

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

func typeOf(kind column.Kind) column.Type {
	t := column.Type{Kind: kind}
	switch kind {
	case column.Decimal:
		t.Precision, t.Scale = 25, 3
	case column.Fixed:
		t.Length = 6
	default:
	}
	return t
}

var primitives = []column.Kind{
	column.Boolean, column.Int, column.Long, column.Float, column.Double, column.Decimal, column.Date, column.Time,
	column.Timestamp, column.TimestampTZ, column.String, column.UUID, column.Fixed, column.Binary,
}

// shapes puts a primitive type into every place a leaf can have.
func shapes(t column.Type) []column.Field {
	key := field("key", true, column.Type{Kind: column.String})
	return []column.Field{
		field("required", true, t),
		field("optional", false, t),
		nested("struct", false, column.Struct, field("r", true, t), field("o", false, t)),
		nested("list", false, column.List, field("element", false, t)),
		nested("map", false, column.Map, key, field("value", false, t)),
		nested("deep", false, column.List, nested("element", false, column.Struct,
			field("x", false, t), nested("inner", false, column.List, field("element", true, t)))),
	}
}

func drawLayout(t *rapid.T) *column.Layout {
	fields := []column.Field{field("id", true, column.Type{Kind: column.Long})}
	for i := range rapid.IntRange(1, 4).Draw(t, "fields") {
		f := rapid.SampledFrom(shapes(typeOf(rapid.SampledFrom(primitives).Draw(t, "kind")))).Draw(t, "shape")
		f.Name = fmt.Sprint(f.Name, i)
		fields = append(fields, f)
	}
	return layoutOf(fields...)
}

func drawParquet(t *rapid.T) parquet.Options {
	return parquet.Options{
		// parquet-go 0.32 loses an LZ4 page whose decompression needed a larger buffer.
		Codec:    rapid.SampledFrom([]parquet.Codec{parquet.Zstd, parquet.Zstd, parquet.Snappy, parquet.Gzip, parquet.None}).Draw(t, "codec"),
		Encoding: rapid.SampledFrom([]parquet.Encoding{parquet.Compat, parquet.Delta}).Draw(t, "encoding"),
		PageRows: rapid.SampledFrom([]int{10, 100, 1000}).Draw(t, "page rows"), DictBytes: rapid.SampledFrom([]int{0, 300}).Draw(t, "dict"),
		NoCRC: rapid.IntRange(0, 9).Draw(t, "no crc") == 0, NoPageIndex: rapid.IntRange(0, 9).Draw(t, "no index") == 0,
	}
}

func drawDeleted(t *rapid.T, rows int) (out []int64) {
	share := rapid.SampledFrom([]float64{0, 0, 0.01, 0.3, 1}).Draw(t, "deleted")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
	for i := range rows {
		if r.Float64() < share {
			out = append(out, int64(i))
		}
	}
	return out
}

// Whatever the inputs are, the outputs have their rows that are left, in order, and everything they say is true.
func TestRowsStay(t *testing.T) { rapid.Check(t, checkRows) }

func checkRows(t *rapid.T) {
	l := drawLayout(t)
	m := &maker{r: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), layout: l}
	var inputs []Input
	want := make(rows, len(l.Leaves))
	for i := range rapid.IntRange(1, 5).Draw(t, "files") {
		m.pool, m.nulls = rapid.SampledFrom([]int{1, 5, 60, 0}).Draw(t, "pool"), rapid.SampledFrom([]float64{0, 0.2, 1}).Draw(t, "nulls")
		w := m.write(t, drawParquet(t), rapid.SliceOfN(rapid.IntRange(1, 400), 1, 3).Draw(t, "rows")...)
		in := input(fmt.Sprint("f", i), w.bytes, drawDeleted(t, w.rows.len()))
		if rapid.Bool().Draw(t, "nans told") {
			in.NaNs = w.metrics.NaNCounts
		}
		inputs = append(inputs, in)
		want = want.and(w.rows.without(in.Deleted))
	}
	var mem memory
	o := mem.options(l, drawParquet(t))
	o.Parquet.NoCRC, o.Parquet.NoPageIndex = false, false
	o.Workers = rapid.IntRange(1, 3).Draw(t, "workers")
	o.TargetBytes = rapid.SampledFrom([]int64{0, 5000, 20000}).Draw(t, "target")
	o.Preload = rapid.SampledFrom([]int64{0, 1 << 20}).Draw(t, "preload")
	o.Memory = rapid.SampledFrom([]int64{0, 1}).Draw(t, "memory")
	res, err := Rewrite(t.Context(), inputs, o)
	require.NoError(t, err)
	checkResult(t, &mem, res, want, l)
	checkMoves(t, inputs, res, &mem)
}

func checkResult(t require.TestingT, mem *memory, res *Result, want rows, l *column.Layout) {
	require.Len(t, mem.files, len(res.Outputs))
	require.EqualValues(t, want.len(), res.Rows)
	for _, out := range res.Outputs {
		b := mem.files[out.Path]
		require.EqualValues(t, len(b), out.Metrics.FileSize)
		n := int(out.Metrics.Rows)
		head := make(rows, len(want))
		for leaf := range want {
			head[leaf], want[leaf] = want[leaf][:n], want[leaf][n:]
		}
		requireRows(t, l, head, readGo(t, b))
		requireRows(t, l, head, readArrow(t, b))
		checkStatements(t, b, &out, head, l)
	}
	require.Zero(t, want.len())
}

// checkMoves finds each row where the map says it is, by its id.
func checkMoves(t require.TestingT, inputs []Input, res *Result, mem *memory) {
	var outs [][][]entry
	for _, o := range res.Outputs {
		outs = append(outs, readGo(t, mem.files[o.Path])[0])
	}
	found := int64(0)
	for i := range inputs {
		r, _, err := inputs[i].Open(nil) //nolint:staticcheck // it is not used
		require.NoError(t, err)
		b := make([]byte, inputs[i].Size)
		_, err = r.ReadAt(b, 0)
		require.NoError(t, err)
		k := 0
		ids := readGo(t, b)[0]
		for p := range ids {
			file, at, ok := res.Moves.Find(i, int64(p))
			if dead := k < len(inputs[i].Deleted) && inputs[i].Deleted[k] == int64(p); dead {
				k++
				require.False(t, ok)
				continue
			}
			require.True(t, ok)
			require.Equal(t, ids[p], outs[file][at])
			found++
		}
		_, _, ok := res.Moves.Find(i, int64(len(ids)))
		require.False(t, ok)
	}
	require.Equal(t, res.Rows, found)
}

// big is a flat layout whose pages are large enough to be copied.
func big(t testing.TB, o parquet.Options, files, n int) (ins []Input, l *column.Layout, want rows) {
	l = layoutOf(
		field("id", true, column.Type{Kind: column.Long}), field("price", false, column.Type{Kind: column.Double}),
		field("name", false, column.Type{Kind: column.String}), field("code", true, column.Type{Kind: column.Int}),
		nested("tags", false, column.List, field("element", false, column.Type{Kind: column.String})),
	)
	m := &maker{r: rand.New(rand.NewPCG(1, 1)), layout: l, nulls: 0.1, finite: true}
	want = make(rows, len(l.Leaves))
	for i := range files {
		m.pool = []int{0, 60}[i%2]
		w := m.write(t, o, n, n)
		in := input(fmt.Sprint("f", i), w.bytes, nil)
		in.NaNs = w.metrics.NaNCounts
		ins = append(ins, in)
		want = want.and(w.rows)
	}
	return ins, l, want
}

func TestLargePagesAreCopied(t *testing.T) {
	for _, codec := range []parquet.Codec{parquet.Zstd, parquet.Snappy, parquet.None} {
		o := parquet.Options{PageRows: 500, Encoding: parquet.Delta}
		ins, l, want := big(t, o, 4, 1000)
		var mem memory
		o.Codec = codec
		res, err := Rewrite(t.Context(), ins, mem.options(l, o))
		require.NoError(t, err)
		require.Greater(t, res.PagesCopied, int64(40), res)
		checkResult(t, &mem, res, want, l)
	}
}

// A later column is null in older files; a dropped one is left behind.
func TestSchemasThatGrew(t *testing.T) {
	str := column.Type{Kind: column.String}
	old := layoutOf(field("id", true, column.Type{Kind: column.Long}), field("gone", false, str))
	m := &maker{r: rand.New(rand.NewPCG(1, 1)), layout: old}
	a := m.write(t, parquet.Options{}, 300)
	fields := []column.Field{
		{ID: 1, Name: "ident", Required: true, Type: column.Type{Kind: column.Long}},
		{ID: 3, Name: "new", Type: str},
		{ID: 4, Name: "list", Type: column.Type{Kind: column.List, Fields: []column.Field{{ID: 5, Name: "element", Type: str}}}},
	}
	l, err := column.NewLayout(fields)
	require.NoError(t, err)
	m = &maker{r: m.r, layout: l}
	b := m.write(t, parquet.Options{}, 200)
	gone := []int64{0, 7, 299}
	want := make(rows, 3)
	want[0] = rows{a.rows[0]}.without(gone)[0]
	for range want[0] {
		want[1], want[2] = append(want[1], []entry{{}}), append(want[2], []entry{{}})
	}
	want.and(b.rows)
	var mem memory
	o := mem.options(l, parquet.Options{PageRows: 64})
	res, err := Rewrite(t.Context(), []Input{input("a", a.bytes, gone), input("b", b.bytes, nil)}, o)
	require.NoError(t, err)
	checkResult(t, &mem, res, want, l)
}

// What cannot be read is refused before anything is written.
func TestUnsupported(t *testing.T) {
	long, str := column.Type{Kind: column.Long}, column.Type{Kind: column.String}
	w := (&maker{r: rand.New(rand.NewPCG(1, 1)), layout: layoutOf(field("id", true, long), nested("s", false, column.Struct, field("x", false, str)))}).write(t, parquet.Options{}, 10)
	for want, fields := range map[string][]column.Field{
		"column id is stored as INT64, not INT32":                                       {{ID: 1, Name: "id", Required: true, Type: column.Type{Kind: column.Int}}},
		"column id is nested or optional in another way":                                {{ID: 1, Name: "id", Type: long}},
		"column id holds bare values, not TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)": {{ID: 1, Name: "id", Required: true, Type: column.Type{Kind: column.Timestamp}}},
		"the required column n is missing":                                              {{ID: 9, Name: "n", Required: true, Type: long}},
		"there is no column with the field id of s.y":                                   {{ID: 2, Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{ID: 3, Name: "x", Type: str}, {ID: 4, Name: "y", Type: str}}}}},
	} {
		l, err := column.NewLayout(fields)
		require.NoError(t, err)
		var mem memory
		_, err = Rewrite(t.Context(), []Input{input("f", w.bytes, nil)}, mem.options(l, parquet.Options{}))
		var u ErrUnsupported
		require.ErrorAs(t, err, &u)
		require.Equal(t, want, u.Why)
		require.Equal(t, "f", u.Path)
		require.Empty(t, mem.files)
	}
}

// Rows that are deleted here and there in pages that would be copied otherwise.
func TestDeletedRowsOfLargePages(t *testing.T) {
	o := parquet.Options{PageRows: 500, Encoding: parquet.Delta}
	ins, l, all := big(t, o, 2, 1000)
	ins[0].Deleted, ins[1].Deleted = []int64{3, 499, 500, 1999}, []int64{1200}
	want := rows{}
	for _, leaf := range all {
		want = append(want, append(rows{leaf[:2000]}.without(ins[0].Deleted)[0], rows{leaf[2000:]}.without(ins[1].Deleted)[0]...))
	}
	var mem memory
	res, err := Rewrite(t.Context(), ins, mem.options(l, o))
	require.NoError(t, err)
	require.Positive(t, res.PagesCopied)
	require.EqualValues(t, 5, res.Deleted)
	checkResult(t, &mem, res, want, l)
}

func TestPagesWithoutChecksumAreDecoded(t *testing.T) {
	ins, l, want := big(t, parquet.Options{PageRows: 500, NoCRC: true}, 2, 1000)
	var mem memory
	res, err := Rewrite(t.Context(), ins, mem.options(l, parquet.Options{PageRows: 500}))
	require.NoError(t, err)
	require.Zero(t, res.PagesCopied)
	checkResult(t, &mem, res, want, l)
}
