package compaction

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// String writes a condition so that it can be read back.
func (c *condition) String() string {
	if len(c.kids) > 0 {
		parts := make([]string, len(c.kids))
		for i, k := range c.kids {
			parts[i] = k.String()
		}
		return "(" + strings.Join(parts, " "+c.op+" ") + ")"
	}
	name := `"` + strings.ReplaceAll(c.name, `"`, `""`) + `"`
	if strings.HasSuffix(c.op, "null") {
		return name + " is " + c.op
	}
	return name + " " + c.op + " '" + strings.ReplaceAll(c.value, "'", "''") + "'"
}

func TestParseWhere(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		c, err := parseWhere(text)
		require.NoError(t, err, text)
		require.Equal(t, want, c.String(), text)
	}
	f("day = '2026-11-01'", `"day" = '2026-11-01'`)
	f("bucket >= 3", `"bucket" >= '3'`)
	f(" a=1 AND b <> 2 or c<-3.5 ", `(("a" = '1' and "b" != '2') or "c" < '-3.5')`)
	f("a=1 and (b=2 or c=3)", `("a" = '1' and ("b" = '2' or "c" = '3'))`)
	f("not a=1", `"a" != '1'`)
	f("not (a < 1 or b in ('x', 'y''z'))", `("a" >= '1' and ("b" != 'x' and "b" != 'y''z'))`)
	f("a not in (1)", `("a" != '1')`)
	f("not not a is null", `"a" is null`)
	f("not a is null", `"a" is not null`)
	f("a is not null", `"a" is not null`)
	f("`my \"col` = true and \"the 'other\"\"\" == DATE '2026-01-01'", `("my ""col" = 'true' and "the 'other""" = '2026-01-01')`)
	f("größe = timestamp '2026-01-01 10:00:00'", `"größe" = '2026-01-01 10:00:00'`)
	f("date = date '2026-01-01'", `"date" = '2026-01-01'`)

	bad := func(text, want string) {
		t.Helper()
		_, err := parseWhere(text)
		require.ErrorContains(t, err, want, text)
		require.Equal(t, []any{CodeWhere, failure.Config}, []any{failure.CodeOf(err), failure.ClassOf(err)}, text)
		require.NotEmpty(t, failure.HintOf(err))
	}
	bad("", "want the name of a partition field or column, found the end")
	bad("a", "want a comparison, found the end")
	bad("a = ", "want a value (texts stand in single quotes), found the end")
	bad("a = b", "want a value (texts stand in single quotes) at character 5, found b")
	bad("a = 1 b", "want and, or or the end at character 7, found b")
	bad("(a = 1", "want a closing bracket, found the end")
	bad("a in 1", "want a list in brackets at character 6, found 1")
	bad("a in (1 2)", "want a comma or a closing bracket at character 9, found 2")
	bad("a in ()", "want a value")
	bad("a is 1", "want null at character 6, found 1")
	bad("a not 1", "want in at character 7, found 1")
	bad("1 = 1", "want the name of a partition field or column at character 1, found 1")
	bad("a = 'x", "cannot be read")
	bad("a = 1; drop table b", "cannot be read")
	bad("a like 'x'", "want a comparison at character 3, found like")
	bad(strings.Repeat("(", 40)+"a=1", "nested")
	bad("a = '"+strings.Repeat("x", 5000)+"'", "at most 4096")
}

// What is read and written is read as the same again, whatever names and values there are.
func TestWhereIsReadBack(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab'\"`\\ ;-é(),=")), 1, 8, -1)
	leaf := rapid.Custom(func(t *rapid.T) *condition {
		c := &condition{op: rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">=", "null", "not null"}).Draw(t, "op"), name: text.Draw(t, "name")}
		if !strings.HasSuffix(c.op, "null") {
			c.value = text.Draw(t, "value")
		}
		return c
	})
	rapid.Check(t, func(t *rapid.T) {
		c := leaf.Draw(t, "first")
		for range rapid.IntRange(0, 4).Draw(t, "more") {
			c = &condition{op: rapid.SampledFrom([]string{"and", "or"}).Draw(t, "op"), kids: []*condition{c, leaf.Draw(t, "next")}}
		}
		got, err := parseWhere(c.String())
		require.NoError(t, err)
		require.Equal(t, c.String(), got.String())
		opposed, err := parseWhere("not " + c.String())
		require.NoError(t, err)
		again, err := parseWhere("not (" + opposed.String() + ")")
		require.NoError(t, err)
		require.Equal(t, c.String(), again.String())
	})
}

func FuzzWhere(f *testing.F) {
	for _, s := range []string{"a=1", "not (a in (1,'x') or b is not null)", "\"a\"\"b\" <> -1.5", "a = date '2026-01-01'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := parseWhere(s); err == nil {
			_, err := parseWhere(c.String())
			require.NoError(t, err, c.String())
		}
	})
}

// whereSchema has a partition field of every kind.
func whereSchema() (*iceberg.Schema, iceberg.PartitionSpec) {
	schema := iceberg.NewSchema(0,
		iceberg.NestedField{ID: 1, Name: "at", Type: iceberg.PrimitiveTypes.TimestampTz},
		iceberg.NestedField{ID: 2, Name: "place", Type: iceberg.PrimitiveTypes.String},
		iceberg.NestedField{ID: 3, Name: "n", Type: iceberg.PrimitiveTypes.Int64},
		iceberg.NestedField{ID: 4, Name: "free", Type: iceberg.PrimitiveTypes.Int64},
	)
	by := func(id, source int, name string, tr iceberg.Transform) iceberg.PartitionField {
		return iceberg.PartitionField{SourceIDs: []int{source}, FieldID: id, Name: name, Transform: tr}
	}
	return schema, iceberg.NewPartitionSpec(
		by(1000, 1, "day", iceberg.DayTransform{}), by(1001, 2, "place", iceberg.IdentityTransform{}), by(1002, 3, "bucket", iceberg.BucketTransform{NumBuckets: 8}),
		by(1003, 1, "year", iceberg.YearTransform{}), by(1004, 1, "month", iceberg.MonthTransform{}), by(1005, 1, "hour", iceberg.HourTransform{}),
		by(1006, 4, "gone", iceberg.VoidTransform{}),
	)
}

// TestWhereSelects: a partition of 2 November 2026, 13 o'clock, place ö, is or is not what a condition is about.
func TestWhereSelects(t *testing.T) {
	schema, spec := whereSchema()
	const day = 20759 // 2026-11-02
	bucketOf7 := iceberg.BucketTransform{NumBuckets: 8}.Apply(iceberg.Optional[iceberg.Literal]{Valid: true, Val: iceberg.Int64Literal(7)}).Val.Any()
	values := map[int]any{1000: int32(day), 1001: "ö", 1002: bucketOf7, 1003: int32(56), 1004: int32(56*12 + 10), 1005: int32(day*24 + 13)}
	none := map[int]any{1001: nil}
	f := func(text string, in, inNull bool) {
		t.Helper()
		c, err := parseWhere(text)
		require.NoError(t, err)
		test, err := placing{schema: schema, spec: spec}.test(c)
		require.NoError(t, err, text)
		got, err := test(values)
		require.NoError(t, err)
		require.Equal(t, in, got, text)
		got, err = test(none)
		require.NoError(t, err)
		require.Equal(t, inNull, got, "null: "+text)
	}
	f("day = '2026-11-02'", true, false)
	f("day = '2026-11-01'", false, false)
	f("day in ('2026-11-01', '2026-11-02')", true, false)
	f("day < '2026-11-03'", true, false)
	f("not day < '2026-11-03'", false, false)
	f("day <= '2026-11-01'", false, false)
	f("year = 2026 and month = '2026-11' and hour = '2026-11-02 13'", true, false)
	f("month >= 682 and hour < '2026-11-02T13'", false, false)
	f("place = 'ö'", true, false)
	f("place != 'ö'", false, false)
	f("place != 'x'", true, false)
	f("place is null", false, true)
	f("place is not null", true, false)
	f("place is null or bucket >= 0", true, true)
	f(fmt.Sprintf("bucket = %d", bucketOf7), true, false)
	f(fmt.Sprintf("bucket > %d", bucketOf7), false, false)
	// By columns: partitions that may hold such rows.
	f("at >= '2026-11-02 13:59:59'", true, false)
	f("at >= '2026-11-02 14:00'", false, false)
	f("at < timestamp '2026-11-02 13:00:00'", false, false)
	f("at < '2026-11-02T14:30:00+01:00'", true, false)
	f("at = '2026-11-02'", false, false)
	f("n = 7", true, false)
	f("at is null", false, true)
	f("n in (8, 7)", true, false)
	f("bucket < 99999999999", true, false)
	f("bucket = 99999999999", false, false)
}

// What partitions do not tell is refused with what they do; in an older spec it selects nothing.
func TestWhereRefuses(t *testing.T) {
	schema, spec := whereSchema()
	f := func(text, want string) {
		t.Helper()
		c, err := parseWhere(text)
		require.NoError(t, err)
		_, err = placing{schema: schema, spec: spec}.test(c)
		require.ErrorContains(t, err, want)
		require.Equal(t, CodeWhere, failure.CodeOf(err))
	}
	f("free = 1", `do not tell "free"`)
	f("gone = 1", `do not tell "gone"`)
	f("no_such = 1", `do not tell "no_such"`)
	f("n > 7", "do not tell where n > \"7\"")
	f("at != '2026-11-02'", "do not tell where at !=")
	f("day = 'monday'", "value of type date")
	f("n = 99999999999999999999", "value of type long")
	f("bucket = 'x'", "value of type int")
	f("year = 'x'", "value of type int")
	f("at = 'x'", "is no time")
	c, err := parseWhere("free = 1")
	require.NoError(t, err)
	_, err = placing{schema: schema, spec: spec}.test(c)
	require.Equal(t, "the partitions are by day (day of at), place, bucket (bucket[8] of n), year (year of at), month (month of at), hour (hour of at)", failure.HintOf(err))
	test, err := placing{schema: schema, spec: spec, lenient: true}.test(c)
	require.NoError(t, err)
	in, err := test(map[int]any{})
	require.NoError(t, err)
	require.False(t, in)
	_, err = placing{schema: schema, spec: *iceberg.UnpartitionedSpec}.test(c)
	require.Contains(t, failure.HintOf(err), "not partitioned")
}

// TestRewriteWhere: only the partitions that are asked for are rewritten, and planned.
func TestRewriteWhere(t *testing.T) {
	w, _ := small(t)
	run := &RewriteDataFiles{
		Table: w.open(commit.Upkeep{Disabled: true}), Engine: Library{}, Where: "place in ('b', 'c')", Env: Env{Now: w.now},
		Options: map[string]string{"busy-min-input-files": "2"},
	}
	res, err := run.Run(w.ctx)
	require.NoError(t, err)
	require.Equal(t, []int{5, 1, 10}, []int{res.Rewritten, res.Added, res.Plan.Files})
	require.Len(t, w.live(), 6)
	w.exact()
	run.Where = "id = 3"
	_, err = run.Run(w.ctx)
	require.Equal(t, CodeWhere, failure.CodeOf(err))

	o := &outsider{world: w}
	other := &RewriteDataFiles{
		Table: w.open(commit.Upkeep{Disabled: true}), Outside: o, Where: "place = 'a'", Env: Env{Now: w.now}, Options: run.Options,
	}
	res, err = other.Run(w.ctx)
	require.NoError(t, err)
	require.Equal(t, 5, res.Rewritten)
	require.Len(t, o.asked[0].Partitions, 1)
	w.exact()
}

// TestWhereBoundsOthers: an engine that could only be told the whole table is not asked.
func TestWhereBoundsOthers(t *testing.T) {
	w, _ := small(t)
	require.NoError(t, w.cat.Rewrite(func(m map[string]any) {
		fields := m["partition-specs"].([]any)[0].(map[string]any)["fields"].([]any)
		fields[0].(map[string]any)["transform"] = "truncate[1]"
	}, ident...))
	o := &outsider{world: w, idle: true}
	run := &RewriteDataFiles{
		Table: w.open(commit.Upkeep{Disabled: true}), Outside: o, Where: "place = 'a'", Env: Env{Now: w.now},
		Options: map[string]string{"busy-min-input-files": "2"},
	}
	_, err := run.Run(w.ctx)
	require.Equal(t, CodeWhere, failure.CodeOf(err))
	require.Empty(t, o.asked)
	run.Where = ""
	_, err = run.Run(w.ctx)
	require.NoError(t, err)
	require.Len(t, o.asked, 1)
}
