package matrix

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

const rowsPerCase = 160

// theCase is one table of the matrix.
type theCase struct {
	// Name is the table's name. Group and Label are where docs/READERS.md shows it.
	Name, Group, Label string
	Fields             []column.Field
	PartitionBy        string
	Properties         map[string]string
	Options            parquet.Options
	// Format is the table's format version, 0 for the default.
	Format int
	// RowIDs: the engines are asked for the column _row_id as well. It is each row's number.
	RowIDs bool
	// Early: dates and times lie on both sides of 1970.
	Early bool
	// Readers are those the table was made for; nil: every engine tries.
	Readers []string
	// Feature is the one of the capability table that the case proves, nil for those everybody has to know.
	Feature *table.Feature
	Queries []query
	// Rewritten puts the files of a commit together to one before it is committed, as compaction would.
	Rewritten bool

	rows [][]any
}

// query counts the rows that a comparison leaves.
type query struct {
	Column  string `json:"column"`
	Op      string `json:"op"`
	Literal any    `json:"literal"` // the canonical text
	Want    int64  `json:"-"`

	value any
}

func prim(name string, required bool, k column.Kind) column.Field {
	return column.Field{Name: name, Required: required, Type: column.Type{Kind: k}}
}

func decimal(name string, precision, scale int) column.Field {
	return column.Field{Name: name, Type: column.Type{Kind: column.Decimal, Precision: precision, Scale: scale}}
}

func nest(name string, required bool, k column.Kind, members ...column.Field) column.Field {
	return column.Field{Name: name, Required: required, Type: column.Type{Kind: k, Fields: members}}
}

// flatFields are all primitive types but time, which has tables of its own: an engine without it reads none of a
// table's columns.
func flatFields() []column.Field {
	return []column.Field{
		prim("rid", true, column.Long), prim("b", false, column.Boolean), prim("i", false, column.Int), prim("l", false, column.Long),
		prim("f", false, column.Float), prim("d", false, column.Double), decimal("dec9", 9, 2), decimal("dec18", 18, 4), decimal("dec38", 38, 10),
		prim("dt", false, column.Date), prim("ts", false, column.Timestamp), prim("tz", false, column.TimestampTZ), prim("s", false, column.String),
		prim("u", false, column.UUID), {Name: "fx", Type: column.Type{Kind: column.Fixed, Length: 7}}, prim("bin", false, column.Binary),
		prim("ri", true, column.Int), prim("rs", true, column.String),
	}
}

func nestedFields() []column.Field {
	element := func(required bool, k column.Kind) column.Field { return prim("element", required, k) }
	key := prim("key", true, column.String)
	return []column.Field{
		prim("rid", true, column.Long),
		nest("st", false, column.Struct, prim("a", false, column.Long), prim("s", false, column.String), nest("inner", false, column.Struct, prim("x", true, column.Double))),
		nest("rst", true, column.Struct, prim("a", false, column.Int), decimal("n", 12, 3)),
		nest("li", false, column.List, element(false, column.Long)),
		nest("ls", true, column.List, element(true, column.String)),
		nest("m", false, column.Map, key, prim("value", false, column.Long)),
		nest("deep", false, column.List, nest("element", false, column.Struct, prim("n", false, column.Int), nest("tags", false, column.List, element(false, column.String)))),
	}
}

// cases are all tables, without their rows.
func cases(t testing.TB) []*theCase {
	t.Helper()
	var out []*theCase
	for _, e := range []parquet.Encoding{parquet.Compat, parquet.Delta} {
		for _, c := range []parquet.Codec{parquet.Zstd, parquet.Snappy, parquet.LZ4, parquet.Gzip, parquet.None} {
			o := parquet.Options{Encoding: e, Codec: c}
			label := fmt.Sprintf("%s, %s", e, c)
			out = append(out,
				&theCase{Name: fmt.Sprintf("flat_%s_%s", e, c), Group: "flat", Label: label, Fields: flatFields(), Options: o, Feature: featureOf(o)},
				&theCase{Name: fmt.Sprintf("nested_%s_%s", e, c), Group: "nested", Label: label, Fields: nestedFields(), Options: o, Feature: featureOf(o)})
		}
		out = append(out, &theCase{Name: "time_" + e.String(), Group: "time", Label: "time, " + e.String(), Feature: ptr(table.TimeType),
			Fields: []column.Field{prim("rid", true, column.Long), prim("tm", false, column.Time)}, Options: parquet.Options{Encoding: e}})
	}
	out = append(out, &theCase{Name: "far", Group: "far", Label: "years 1 and 9999",
		Fields: []column.Field{prim("rid", true, column.Long), prim("dt", false, column.Date), prim("ts", false, column.Timestamp)}})
	out = append(out, filtered()...)
	out = append(out, early()...)
	out = append(out, versionThree()...)
	out = append(out, partitioned()...)
	out = append(out, chosen(t)...)
	for _, c := range out {
		c.fill()
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func featureOf(o parquet.Options) *table.Feature {
	switch {
	case o.Codec == parquet.LZ4:
		return ptr(table.LZ4Pages)
	case o.Encoding == parquet.Delta:
		return ptr(table.DeltaIntegers)
	}
	return nil
}

// partitioned has a table for each transform.
func partitioned() []*theCase {
	var out []*theCase
	for i, by := range []string{"i", "s", "dt", "dec9", "bucket(4, l)", "bucket(4, s)", "bucket(4, u)", "truncate(2, s)", "truncate(10, i)", "truncate(50, dec9)",
		"year(dt)", "month(ts)", "day(ts)", "day(tz)", "hour(ts)", "void(i)"} {
		var feature *table.Feature
		switch by {
		case "bucket(4, u)":
			feature = ptr(table.UUIDBuckets)
		case "truncate(50, dec9)":
			feature = ptr(table.TruncatedDecimals)
		}
		out = append(out, &theCase{Name: fmt.Sprintf("part_%02d", i), Group: "transforms", Label: by, PartitionBy: by, Feature: feature, Fields: queried()})
	}
	return out
}

// versionThree has tables of format version 3, and what only they have.
func versionThree() []*theCase {
	nanos := []column.Field{prim("rid", true, column.Long), prim("tsn", false, column.TimestampNs), prim("tzn", false, column.TimestampTZNs)}
	out := []*theCase{
		{Name: "v3_flat", Label: "primitive columns", Fields: flatFields(), Feature: ptr(table.VersionThree)},
		{Name: "v3_nested", Label: "nested columns", Fields: nestedFields(), Feature: ptr(table.VersionThree)},
		{Name: "v3_part", Label: "`day(ts)`", PartitionBy: "day(ts)", Fields: queried(), Feature: ptr(table.VersionThree)},
		{Name: "v3_ids", Label: "the column `_row_id`", RowIDs: true, Fields: flatFields()[:4], Feature: ptr(table.RowIDs)},
		{Name: "v3_nanos_compat", Label: "nanoseconds, compat", Fields: nanos, Feature: ptr(table.Nanoseconds)},
		{Name: "v3_nanos_delta", Label: "nanoseconds, delta", Fields: nanos, Feature: ptr(table.Nanoseconds), Options: parquet.Options{Encoding: parquet.Delta}},
	}
	for i, by := range []string{"tsn", "month(tsn)", "day(tzn)", "hour(tsn)", "bucket(4, tzn)"} {
		feature := table.Nanoseconds
		if by == "tsn" {
			feature = table.NanoPartitions
		}
		out = append(out, &theCase{Name: fmt.Sprintf("v3_nanos_%d", i), Label: "nanoseconds, `" + by + "`", PartitionBy: by, Fields: nanos, Feature: &feature})
	}
	for _, c := range out {
		c.Group, c.Format = "v3", 3
	}
	return out
}

// early has the tables of partitioned whose partitions have negative numbers.
func early() []*theCase {
	var out []*theCase
	for i, by := range []string{"year(dt)", "year(tz)", "month(ts)", "month(tz)", "day(tz)", "hour(ts)"} {
		out = append(out, &theCase{Name: fmt.Sprintf("early_%d", i), Group: "transforms", Label: by + "`, around `1970", PartitionBy: by, Early: true, Fields: queried(), Feature: ptr(table.EarlyTimes)})
	}
	return out
}

// queried are the columns that filters ask about.
func queried() []column.Field {
	return []column.Field{
		prim("rid", true, column.Long), prim("i", false, column.Int), prim("l", false, column.Long), prim("s", false, column.String), decimal("dec9", 9, 2),
		prim("dt", false, column.Date), prim("ts", false, column.Timestamp), prim("tz", false, column.TimestampTZ), prim("u", false, column.UUID),
	}
}

// filtered has tables with Bloom filters on every column.
func filtered() []*theCase {
	var out []*theCase
	for _, e := range []parquet.Encoding{parquet.Compat, parquet.Delta} {
		c := &theCase{Name: "bloom_" + e.String(), Group: "blooms", Label: "Bloom filters, " + e.String(), Fields: queried(), Options: parquet.Options{Encoding: e},
			Feature: featureOf(parquet.Options{Encoding: e}), Properties: map[string]string{}}
		for _, f := range c.Fields {
			c.Properties["write.parquet.bloom-filter-enabled.column."+f.Name] = "true"
		}
		out = append(out, c)
	}
	return out
}

// chosen has a table as the product makes it, for each reader alone and for some sets.
func chosen(t testing.TB) []*theCase {
	t.Helper()
	sets := [][]string{nil, {"spark@1.10", "trino"}, {"duckdb", "pyiceberg"}, {"clickhouse", "trino", "duckdb"}, {"spark@1.12", "pyiceberg"}}
	for _, r := range table.Capabilities() {
		sets = append(sets, []string{r.String()})
	}
	var out []*theCase
	three := [][]string{{"spark", "duckdb", "pyiceberg"}, {"spark@1.12", "pyiceberg"}, {"pyiceberg"}, {"clickhouse"}}
	for format, sets := range [][][]string{2: sets, 3: three} {
		for i, set := range sets {
			choice, err := table.Choose(set)
			require.NoError(t, err)
			choice = choice.At(format)
			require.NoError(t, choice.CheckFormat())
			fields := append(flatFields(), prim("tm", false, column.Time), prim("tsn", false, column.TimestampNs), prim("tzn", false, column.TimestampTZNs))
			c := &theCase{Name: fmt.Sprintf("choice_%02d", i), Group: "choices", Label: "`" + choice.String() + "`", Readers: set, Options: parquet.Options{Encoding: choice.Encoding()},
				Format: format, Fields: choice.Fields(append(fields, nestedFields()[1:]...))}
			if set == nil {
				c.Label, c.Readers = "none named", table.Readers()
			}
			if format == 3 {
				c.Name, c.Label = c.Name+"_v3", c.Label+", `format_version: 3`"
			}
			out = append(out, c)
		}
	}
	return out
}

// fill draws the rows, the same in every run.
func (c *theCase) fill() {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Name))
	g := &generator{r: rand.New(rand.NewPCG(h.Sum64(), 1))}
	c.Options.PageRows = 40
	for n := range rowsPerCase {
		row := []any{int64(n)}
		for i := range c.Fields[1:] {
			row = append(row, g.value(&c.Fields[1+i], n))
		}
		c.rows = append(c.rows, row)
	}
	switch c.Group {
	case "far":
		for i, days := range []int64{-719_162, 2_932_896} { // the first of the year 1, the last of 9999
			c.rows[i] = []any{int64(i), int32(days), days * dayMicros}
		}
	case "transforms", "blooms":
		c.narrow(g.r)
	case "v3":
		if c.PartitionBy != "" {
			c.narrow(g.r)
		}
	}
}

// narrow draws few values for the columns of partitions, and asks about them.
func (c *theCase) narrow(r *rand.Rand) {
	for _, row := range c.rows {
		for k, v := range c.few(r) {
			if row[k+1] != nil {
				row[k+1] = v
			}
		}
	}
	c.ask()
}

// few are values for the columns of queried, or for nanoseconds.
func (c *theCase) few(r *rand.Rand) []any {
	at, tz := 19_700*dayMicros+r.Int64N(3)*37*dayMicros/3, -1+r.Int64N(4)*dayMicros
	if c.Fields[1].Type.Kind == column.TimestampNs {
		return []any{at*1000 + 1, tz*1000 - 1}
	}
	if c.Early {
		at, tz = at-19_710*dayMicros, tz-2*dayMicros
	}
	out := []any{int32(r.IntN(40) - 20), r.Int64N(12), []string{"", "a", "ab", "abc", "äöü", "a/b c%", "日本語"}[r.IntN(7)],
		big.NewInt(r.Int64N(300) - 150), int32(19_700 + r.IntN(3)*200), at, tz, slices.Repeat([]byte{byte(r.IntN(5))}, 16)}
	if c.Early {
		out[4] = out[4].(int32) - 19_850
	}
	return out
}

// ask makes the filters.
func (c *theCase) ask() {
	for i := 1; i < len(c.Fields); i++ {
		value := c.rows[slices.IndexFunc(c.rows, func(row []any) bool { return row[i] != nil })][i]
		ops := []string{"=", "<", ">=", "is null", "is not null"}
		if c.Fields[i].Type.Kind == column.UUID {
			ops = []string{"=", "is null"}
		}
		for _, op := range ops {
			q := query{Column: c.Fields[i].Name, Op: op, Literal: canon(c.Fields[i].Type, value), value: value}
			for _, row := range c.rows {
				if q.holds(row[i]) {
					q.Want++
				}
			}
			c.Queries = append(c.Queries, q)
		}
	}
}

func (q *query) holds(v any) bool {
	if q.Op == "is null" || v == nil {
		return q.Op == "is null" && v == nil
	}
	switch {
	case q.Op == "is not null":
		return true
	case q.Op == "=":
		return canon(column.Type{}, v) == canon(column.Type{}, q.value)
	case q.Op == "<":
		return compare(v, q.value) < 0
	default:
		return compare(v, q.value) >= 0
	}
}

// expected is the texts of a row, by column.
func (c *theCase) expected(row []any) map[string]any {
	m := map[string]any{}
	for i := range c.Fields {
		m[c.Fields[i].Name] = canon(c.Fields[i].Type, row[i])
	}
	if c.RowIDs {
		m[rowID] = m["rid"]
	}
	return m
}

// rowID is the column that format version 3 gives every table.
const rowID = "_row_id"
