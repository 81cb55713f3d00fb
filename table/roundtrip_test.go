package table_test

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

// Tables with random schemas, nested ones too, written by several writers with random cuts, are read back equal.
func TestRandomTablesReadBack(t *testing.T) {
	l := newLake(t)
	rapid.Check(t, func(t *rapid.T) {
		fields := append([]column.Field{{Name: "rid", Required: true, Type: column.Type{Kind: column.Long}}},
			genFields(t, 3, rapid.IntRange(1, 4).Draw(t, "columns"))...)
		lt := l.create(t, fields, nil, genTerms(t, fields)...)
		want := lt.fill(t, rapid.IntRange(1, 3).Draw(t, "writers"))
		got := lt.scan(t)
		require.Len(t, got, len(want))
		for id, row := range want {
			require.Equal(t, text(row), text(got[id]))
		}
	})
}

// genTerms draws up to two partition fields that fit.
func genTerms(t *rapid.T, fields []column.Field) []string {
	var all []string
	for i := range fields {
		all = append(all, termsOf(fields[i])...)
	}
	n := rapid.IntRange(0, 2).Draw(t, "terms")
	texts := rapid.SliceOfNDistinct(rapid.SampledFrom(all), n, n, rapid.ID[string]).Draw(t, "partition_by")
	terms := make([]transform.Term, n)
	for i := range terms {
		var err error
		terms[i], err = transform.Parse(texts[i])
		require.NoError(t, err)
	}
	if transform.CheckAll(terms, fields) != nil { // two decimals, or year and month of one column
		return texts[:1]
	}
	return texts
}

// termsOf lists the partition_by entries a column can take.
func termsOf(f column.Field) []string {
	var out []string
	for k := transform.Identity; k <= transform.Void; k++ {
		term := transform.Term{Kind: k, Column: f.Name}
		if k == transform.Bucket || k == transform.Truncate {
			term.Width = 3
		}
		if term.Check([]column.Field{f}) == nil {
			out = append(out, term.String())
		}
	}
	return out
}

// fill writes random rows through several writers, some batches taken back, in one or two commits.
func (lt *lakeTable) fill(t *rapid.T, writers int) map[int64][]any {
	want := map[int64][]any{}
	var parts []table.Part
	id := int64(0)
	for range writers {
		w := lt.writer(t, func(o *table.WriterOptions) { o.MaxOpen = 4 })
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			lt.batch(t, w, &id, want)
			if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
				parts = append(parts, cut(t, w)...)
			}
		}
		parts = append(parts, cut(t, w)...)
		if rapid.IntRange(0, 2).Draw(t, "commit") == 0 && len(parts) > 0 {
			lt.commit(t, lt.assemble(t, parts))
			parts = nil
		}
	}
	if len(parts) > 0 {
		files := lt.assemble(t, parts)
		require.EqualValues(t, 0, files.Repaired)
		lt.commit(t, files)
	}
	return want
}

func cut(t TB, w *table.Writer) []table.Part {
	rows := w.Rows() + int64(w.Set().Pending())
	parts, err := w.Cut()
	require.NoError(t, err)
	for _, p := range parts {
		rows -= p.Chunk.Rows
	}
	require.Zero(t, rows, "rows in the parts")
	require.Zero(t, w.Rows())
	return parts
}

func (lt *lakeTable) batch(t *rapid.T, w *table.Writer, id *int64, want map[int64][]any) {
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		before := w.Set().Pending()
		row := []any{*id}
		for _, n := range lt.layout.Nodes[1:] {
			row = append(row, genValue(t, &n.Field))
		}
		appendRow(w.Set(), row)
		if rapid.IntRange(0, 7).Draw(t, "bad record") == 0 {
			w.Set().Truncate(before)
			require.Equal(t, before, w.Set().Pending())
			continue
		}
		want[*id] = row
		*id++
	}
	require.NoError(t, w.Absorb())
	require.Positive(t, w.Bytes())
}

// Every primitive type under every transform it can take: read back, partition values in the manifest as they were
// built, no file lost by a filter on the source column, statistics as iceberg-go computes them from the files.
func TestEveryTypeAndTransform(t *testing.T) {
	l := newLake(t)
	for _, typ := range primitives() {
		f := column.Field{Name: "x", Type: typ}
		for _, term := range append(termsOf(f), "") {
			t.Run(typ.String()+"/"+term, func(t *testing.T) {
				lt := l.create(t, []column.Field{{Name: "rid", Required: true, Type: column.Type{Kind: column.Long}}, f}, nil, nonEmpty(term)...)
				rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return genValue(t, &f) }), 30, 30).Example(len(term))
				w := lt.writer(t, nil)
				for i, v := range rows {
					appendRow(w.Set(), []any{int64(i), v})
					if i%7 == 6 {
						require.NoError(t, w.Absorb())
					}
				}
				files := lt.assemble(t, cut(t, w))
				lt.commit(t, files)
				got := lt.scan(t)
				require.Len(t, got, len(rows))
				for i, v := range rows {
					require.Equal(t, text(v), text(got[int64(i)][1]))
				}
				lt.checkManifest(t, files)
				lt.checkStatistics(t, files)
				lt.checkFilters(t, rows, typ)
			})
		}
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// checkManifest compares what the manifests say about the files with what was built.
func (lt *lakeTable) checkManifest(t *testing.T, files table.Files) {
	built := map[string]iceberg.DataFile{}
	for _, f := range files.Data {
		built[f.FilePath()] = f
	}
	fs, err := lt.tbl.FS(lt.ctx)
	require.NoError(t, err)
	manifests, err := lt.tbl.CurrentSnapshot().Manifests(fs)
	require.NoError(t, err)
	n := 0
	for _, m := range manifests {
		entries, err := m.FetchEntries(fs, true)
		require.NoError(t, err)
		for _, e := range entries {
			n++
			f := e.DataFile()
			want := built[f.FilePath()]
			require.NotNil(t, want, f.FilePath())
			// iceberg-go reads decimals back as literals, and as nothing else.
			read := strings.ReplaceAll(fmt.Sprintf("%#v", f.Partition()), "DecimalLiteral", "Decimal")
			require.Equal(t, fmt.Sprintf("%#v", want.Partition()), read)
			require.Equal(t, want.Count(), f.Count())
			require.Equal(t, want.FileSizeBytes(), f.FileSizeBytes())
			require.Equal(t, inHex(want.LowerBoundValues()), inHex(f.LowerBoundValues()))
			require.Equal(t, inHex(want.UpperBoundValues()), inHex(f.UpperBoundValues()))
			require.Equal(t, lt.spec.ID(), int(f.SpecID()))
		}
	}
	require.Equal(t, len(built), n)
}

// inHex leaves empty bounds out: iceberg-go takes them for none.
func inHex(m map[int][]byte) map[int]string {
	out := map[int]string{}
	for id, b := range m {
		if len(b) > 0 {
			out[id] = hex.EncodeToString(b)
		}
	}
	return out
}

// checkStatistics compares our metrics with those that iceberg-go reads out of the file.
func (lt *lakeTable) checkStatistics(t *testing.T, files table.Files) {
	for _, f := range files.Data {
		lib, err := icetable.FileToDataFile(lt.ctx, iceio.LocalFS{}, f.FilePath(), lt.tbl.Schema(), *iceberg.UnpartitionedSpec, 0, lt.tbl.Properties())
		require.NoError(t, err)
		require.Equal(t, lib.Count(), f.Count())
		require.Equal(t, lib.FileSizeBytes(), f.FileSizeBytes())
		require.Equal(t, lib.ColumnSizes(), f.ColumnSizes())
		require.Equal(t, lib.ValueCounts(), f.ValueCounts())
		require.Equal(t, lib.NullValueCounts(), f.NullValueCounts())
		require.Equal(t, lib.SplitOffsets(), f.SplitOffsets())
		require.Equal(t, inHex(lib.LowerBoundValues()), inHex(f.LowerBoundValues()))
		require.Equal(t, inHex(lib.UpperBoundValues()), inHex(f.UpperBoundValues()))
	}
}

// checkFilters asks for each value and for the halves around it: pruning must lose nothing.
func (lt *lakeTable) checkFilters(t *testing.T, rows []any, typ column.Type) {
	for _, v := range rows[:6] {
		if v == nil || isNaN(v) {
			continue
		}
		lit := literal(v, typ)
		same := 0
		for _, o := range rows {
			if o != nil && text(o) == text(v) {
				same++
			}
		}
		require.Len(t, lt.filter(t, iceberg.LiteralPredicate(iceberg.OpEQ, iceberg.Reference("x"), lit)), same, "x = %s", text(v))
		if typ.Kind == column.Boolean {
			continue
		}
		less := lt.filter(t, iceberg.LiteralPredicate(iceberg.OpLT, iceberg.Reference("x"), lit))
		more := lt.filter(t, iceberg.LiteralPredicate(iceberg.OpGT, iceberg.Reference("x"), lit))
		others := slices.DeleteFunc(slices.Clone(rows), func(o any) bool { return o == nil || isNaN(o) || text(o) == text(v) })
		require.Len(t, others, len(less)+len(more), "x <> %s", text(v))
	}
	if typ.Kind == column.Decimal {
		return // arrow-go panics in IS NULL of a decimal
	}
	nulls := len(slices.DeleteFunc(slices.Clone(rows), func(o any) bool { return o != nil }))
	require.Len(t, lt.filter(t, iceberg.UnaryPredicate(iceberg.OpIsNull, iceberg.Reference("x"))), nulls)
}

func isNaN(v any) bool {
	switch v := v.(type) {
	case float32:
		return v != v
	case float64:
		return v != v
	}
	return false
}

func (lt *lakeTable) filter(t *testing.T, e iceberg.BooleanExpression) map[int64][]any {
	return lt.scan(t, icetable.WithRowFilter(e), icetable.WithSelectedFields("rid"))
}

func literal(v any, typ column.Type) iceberg.Literal {
	switch v := v.(type) {
	case bool:
		return iceberg.NewLiteral(v)
	case int32:
		if typ.Kind == column.Date {
			return iceberg.NewLiteral(iceberg.Date(v))
		}
		return iceberg.NewLiteral(v)
	case int64:
		switch typ.Kind {
		case column.Time:
			return iceberg.NewLiteral(iceberg.Time(v))
		case column.Timestamp, column.TimestampTZ:
			return iceberg.NewLiteral(iceberg.Timestamp(v))
		case column.TimestampNs, column.TimestampTZNs:
			return iceberg.NewLiteral(iceberg.TimestampNano(v))
		}
		return iceberg.NewLiteral(v)
	case float32:
		return iceberg.NewLiteral(v)
	case float64:
		return iceberg.NewLiteral(v)
	case string:
		return iceberg.NewLiteral(v)
	case *big.Int:
		return iceberg.NewLiteral(iceberg.Decimal{Val: decimal128.FromBigInt(v), Scale: typ.Scale})
	case []byte:
		switch typ.Kind {
		case column.UUID:
			return iceberg.NewLiteral(uuid.UUID(v))
		case column.Fixed:
			return iceberg.FixedLiteral(v)
		}
		return iceberg.NewLiteral(v)
	}
	panic(fmt.Sprintf("value %T", v))
}

// Statistics do leave files out.
func TestFiltersPruneFiles(t *testing.T) {
	l := newLake(t)
	fields := []column.Field{
		{Name: "rid", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "ts", Type: column.Type{Kind: column.TimestampTZ}},
		{Name: "name", Type: column.Type{Kind: column.String}},
	}
	plan := func(lt *lakeTable, e iceberg.BooleanExpression) int {
		tasks, err := lt.tbl.Scan(icetable.WithRowFilter(e)).PlanFiles(lt.ctx)
		require.NoError(t, err)
		return len(tasks)
	}
	write := func(lt *lakeTable) {
		w := lt.writer(t, nil)
		for i := range 40 {
			appendRow(w.Set(), []any{int64(i), sometime + int64(i/10)*day, fmt.Sprintf("name-%02d", i)})
		}
		lt.commit(t, lt.assemble(t, cut(t, w)))
	}
	byDay := l.create(t, fields, nil, "day(ts)")
	write(byDay)
	require.Equal(t, 4, plan(byDay, iceberg.AlwaysTrue{}))
	require.Equal(t, 1, plan(byDay, iceberg.EqualTo(iceberg.Reference("ts"), iceberg.Timestamp(sometime))))
	require.Equal(t, 1, plan(byDay, iceberg.EqualTo(iceberg.Reference("rid"), int64(5))), "by bounds of another column")
	byBucket := l.create(t, fields, nil, "bucket(8, name)", "truncate(6, name)")
	write(byBucket)
	require.Less(t, plan(byBucket, iceberg.EqualTo(iceberg.Reference("name"), "name-07")), 3)
}
