package matrix

import (
	"bytes"
	"math"
	"math/big"
	"os"
	"strconv"
	"testing"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// checkStatistics holds a manifest's entry against the rows of its file: counts, NaNs, bounds, row groups, field ids.
func checkStatistics(t testing.TB, c *theCase, tbl *icetable.Table, f iceberg.DataFile, rows []map[string]any) {
	t.Helper()
	require.EqualValues(t, len(rows), f.Count())
	checkFile(t, tbl, f)
	for i := range c.Fields {
		if len(c.Fields[i].Type.Fields) > 0 {
			continue
		}
		sf, ok := tbl.Schema().FindFieldByName(c.Fields[i].Name)
		require.True(t, ok)
		values := valuesIn(t, c, i, rows)
		e := entryOf(values)
		require.EqualValues(t, len(rows), f.ValueCounts()[sf.ID], "values of %s", sf.Name)
		require.EqualValues(t, e.nulls, f.NullValueCounts()[sf.ID], "nulls of %s", sf.Name)
		nans, floating := f.NaNValueCounts()[sf.ID]
		require.Equal(t, c.Fields[i].Type.Kind == column.Float || c.Fields[i].Type.Kind == column.Double, floating, "NaNs of %s", sf.Name)
		require.EqualValues(t, e.nans, nans)
		lo, hi := f.LowerBoundValues()[sf.ID], f.UpperBoundValues()[sf.ID]
		if e.min == nil {
			require.Nil(t, lo)
			require.Nil(t, hi)
			continue
		}
		checkBounds(t, c.Fields[i].Type, sf, e, lo, hi)
	}
}

// valuesIn are the values that went into the file, by the ids that came out of it.
func valuesIn(t testing.TB, c *theCase, col int, rows []map[string]any) []any {
	t.Helper()
	var out []any
	for _, row := range rows {
		n, err := strconv.Atoi(row["rid"].(string))
		require.NoError(t, err)
		out = append(out, c.rows[n][col])
	}
	return out
}

// entry is the oracle of one column's statistics, by looking at every value.
type entry struct {
	nulls, nans int
	min, max    any
}

func entryOf(values []any) (e entry) {
	for _, v := range values {
		switch {
		case v == nil:
			e.nulls++
			continue
		case isNaN(v):
			e.nans++
			continue
		}
		if e.min == nil || less(v, e.min) {
			e.min = v
		}
		if e.max == nil || less(e.max, v) {
			e.max = v
		}
	}
	return e
}

func isNaN(v any) bool {
	x, _ := v.(float64)
	if f, ok := v.(float32); ok {
		x = float64(f)
	}
	return math.IsNaN(x)
}

func less(a, b any) bool {
	switch a := a.(type) {
	case bool:
		return !a && b.(bool)
	case []byte:
		return bytes.Compare(a, b.([]byte)) < 0
	case float32:
		return a < b.(float32)
	case float64:
		return a < b.(float64)
	}
	return compare(a, b) < 0
}

// checkBounds decodes the bounds with iceberg-go and compares: equal, or for what is longer than 16, around and short.
func checkBounds(t testing.TB, typ column.Type, sf iceberg.NestedField, e entry, lo, hi []byte) {
	t.Helper()
	low, err := iceberg.LiteralFromBytes(sf.Type, lo)
	if typ.Kind == column.Fixed || typ.Kind == column.Binary || typ.Kind == column.String || typ.Kind == column.UUID {
		checkTruncated(t, sf.Name, typ.Kind == column.String, e, lo, hi)
		return
	}
	require.NoError(t, err)
	high, err := iceberg.LiteralFromBytes(sf.Type, hi)
	require.NoError(t, err)
	require.Equal(t, number(e.min), number(literal(low)), "lower bound of %s", sf.Name)
	require.Equal(t, number(e.max), number(literal(high)), "upper bound of %s", sf.Name)
}

// number makes values comparable: minus zero is a zero here.
func number(v any) string {
	switch v := v.(type) {
	case float32:
		return canon(column.Type{}, v+0).(string)
	case float64:
		return canon(column.Type{}, v+0).(string)
	}
	return canon(column.Type{}, v).(string)
}

func literal(l iceberg.Literal) any {
	switch v := l.(type) {
	case iceberg.BoolLiteral:
		return bool(v)
	case iceberg.Int32Literal:
		return int32(v)
	case iceberg.Int64Literal:
		return int64(v)
	case iceberg.Float32Literal:
		return float32(v)
	case iceberg.Float64Literal:
		return float64(v)
	case iceberg.DateLiteral:
		return int32(v)
	case iceberg.TimeLiteral:
		return int64(v)
	case iceberg.TimestampLiteral:
		return int64(v)
	case iceberg.TimestampNsLiteral:
		return int64(v)
	case iceberg.DecimalLiteral:
		return v.Val.BigInt()
	}
	return l.String()
}

func checkTruncated(t testing.TB, name string, text bool, e entry, lo, hi []byte) {
	t.Helper()
	low, high := raw(e.min), raw(e.max)
	length := func(b []byte) int {
		if text {
			return len([]rune(string(b)))
		}
		return len(b)
	}
	require.NotNil(t, lo)
	require.LessOrEqual(t, length(lo), 16, name)
	require.True(t, bytes.HasPrefix(low, lo), "lower bound of %s", name)
	if length(low) <= 16 {
		require.Equal(t, low, lo, name)
	}
	if hi == nil { // nothing greater of that length
		require.Greater(t, length(high), 16, name)
		return
	}
	require.LessOrEqual(t, length(hi), 16, name)
	require.GreaterOrEqual(t, bytes.Compare(hi, high), 0, "upper bound of %s", name)
	if length(high) <= 16 {
		require.Equal(t, high, hi, name)
	}
}

func raw(v any) []byte {
	if s, ok := v.(string); ok {
		return []byte(s)
	}
	return v.([]byte)
}

func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// checkFile compares size, row groups and field ids with the file itself.
func checkFile(t testing.TB, tbl *icetable.Table, f iceberg.DataFile) {
	t.Helper()
	in, err := os.Open(localPath(f.FilePath()))
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	stat, err := in.Stat()
	require.NoError(t, err)
	require.Equal(t, stat.Size(), f.FileSizeBytes())
	p, err := pq.OpenFile(in, stat.Size())
	require.NoError(t, err)
	md := p.Metadata()
	var begins []int64
	sizes := map[int]int64{}
	for g := range md.RowGroups {
		begins = append(begins, md.RowGroups[g].FileOffset)
		for k := range md.RowGroups[g].Columns {
			m := &md.RowGroups[g].Columns[k].MetaData
			leaf, ok := p.Schema().Lookup(m.PathInSchema...)
			require.True(t, ok)
			sizes[leaf.Node.ID()] += m.TotalCompressedSize
		}
	}
	require.Equal(t, begins, f.SplitOffsets())
	require.Equal(t, sizes, f.ColumnSizes())
	for i := range md.Schema {
		if id := int(md.Schema[i].FieldID); id != 0 {
			sf, ok := tbl.Schema().FindFieldByID(id)
			require.True(t, ok, "field id %d of %s", id, md.Schema[i].Name)
			require.Equal(t, sf.Name, md.Schema[i].Name)
		}
	}
}
