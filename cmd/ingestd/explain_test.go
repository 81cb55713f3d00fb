package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// foreignTable creates a table as another program would, with some columns of the topic's schema.
func foreignTable(t *testing.T, file, name string, fields ...iceberg.NestedField) {
	t.Helper()
	c, _, err := config.Load(file, config.Options{})
	require.NoError(t, err)
	e, err := newEnvironment(c)
	require.NoError(t, err)
	defer e.close()
	require.NoError(t, e.openLake(t.Context()))
	namespace, _, _ := strings.Cut(name, ".")
	require.NoError(t, e.options.Catalog.CreateNamespace(t.Context(), []string{namespace}, nil))
	_, err = e.options.Catalog.CreateTable(t.Context(), strings.Split(name, "."), iceberg.NewSchema(0, fields...))
	require.NoError(t, err)
}

func tableOf(t *testing.T, list []explanation, name string) explanation {
	t.Helper()
	for _, x := range list {
		if x.Table == name {
			return x
		}
	}
	t.Fatalf("no table %s", name)
	return explanation{}
}

// Of somebody else's table explain says what history costs, and which columns run would add.
func TestExplainAForeignTable(t *testing.T) {
	file := everyKind(t)
	foreignTable(t, file, "k.time_for_everybody",
		iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.Int64, Required: true},
		iceberg.NestedField{ID: 2, Name: "mine", Type: iceberg.PrimitiveTypes.String},
	)
	x := tableOf(t, explained(t, file), "k.time_for_everybody")
	require.True(t, x.Exists)
	require.Contains(t, x.History[0], "was not created by ingestd")
	require.Contains(t, x.History[1], "it has 0 snapshots now; up to 8640 more a day")
	require.Contains(t, x.History[2], "bytes of the metadata")
	columns := map[string]columnPlan{}
	for _, c := range x.Columns {
		columns[c.Name] = c
	}
	require.Equal(t, ingest.FromValue, columns["id"].From)
	require.Equal(t, fromNothing, columns["mine"].From)
	require.True(t, columns["note"].New)
	require.True(t, columns["sums"].New)
	require.Contains(t, command(t, "explain", "-c", file, "k.time_for_everybody").out, "value (added first)")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	less := strings.Replace(string(text), "readers: [duckdb, pyiceberg]", "readers: [duckdb, pyiceberg]\n    add_columns: false", 1)
	require.NoError(t, os.WriteFile(file, []byte(less), 0o600))
	for _, c := range tableOf(t, explained(t, file), "k.time_for_everybody").Columns {
		require.False(t, c.New, "add_columns: false leaves them out")
	}
}

// A schema that does not fit is a problem with an exit code, before anything is written.
func TestExplainATableThatDoesNotFit(t *testing.T) {
	file := everyKind(t)
	foreignTable(t, file, "k.time_for_everybody", iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.String})
	r := command(t, "explain", "-c", file, "k.time_for_everybody")
	require.Equal(t, failure.ExitFailed, r.code)
	require.Empty(t, r.err)
	require.Contains(t, r.out, "PROBLEM: field id is long, column id string")
	require.Contains(t, r.out, "[E_SCHEMA_ILLEGAL]")
}

func TestExplainATableThatMayNotBeCreated(t *testing.T) {
	file := everyKind(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "audit_columns: false", "audit_columns: false\n    auto_create: false", 1)), 0o600))
	r := command(t, "validate", "-c", file)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.out, "table k.json_rest does not exist [E_TABLE_MISSING] — create it, or set auto_create: true")
}

func TestPartitionRowsOfLargeTopics(t *testing.T) {
	var list []partitionPlan
	for i := range int32(100) {
		why := "stored in the table"
		if i >= 90 {
			why = "partition is new"
		}
		list = append(list, partitionPlan{Topic: "large", Partition: i, Start: 10, End: 15, Why: why})
	}
	list = append(list, partitionPlan{Topic: "small", Partition: 0, Start: 1, End: 2, Why: "start: earliest"})
	require.Equal(t, [][]string{
		{"TOPIC", "PARTITION", "FROM", "END", "BEHIND", "WHY"},
		{"small", "0", "1", "2", "1", "start: earliest"},
		{"large", "90 partitions", "", "", "450", "stored in the table"},
		{"large", "10 partitions", "", "", "50", "partition is new"},
	}, partitionRows(list))
	require.Equal(t, [][]string{{"no partition"}}, partitionRows(nil))
}

func TestDistinctPlaces(t *testing.T) {
	require.Equal(t, []string{"/lake", "s3://b/w", "/lakeside"}, distinctPlaces([]string{
		"/lake", "file:///lake/shop/clicks", "s3://b/w", "s3://b/w/shop", "/lakeside", "/lake",
	}))
}

func TestRawBytes(t *testing.T) {
	for in, want := range map[string]string{"text": `"text"`, "ä\n": `"ä\n"`, "\xff\x00": `"base64:/wA="`} {
		require.Equal(t, want, string(rawBytes([]byte(in))))
	}
}

// The storage is tried before it is needed.
func TestValidateTriesTheStorage(t *testing.T) {
	file := everyKind(t)
	require.NoError(t, os.WriteFile("warehouse", []byte("in the way"), 0o600))
	r := command(t, "validate", "-c", file)
	require.NotZero(t, r.code)
	require.Contains(t, r.out, "fail  storage warehouse")
	entries, err := filepath.Glob("*/.ingestd-check-*")
	require.NoError(t, err)
	require.Empty(t, entries)
}

// What keeps a table from being created is found by validate, too.
func TestValidateChecksANewTable(t *testing.T) {
	file := everyKind(t)
	r := command(t, "validate", "-c", file)
	require.Zero(t, r.code, r.out)
	require.Contains(t, r.out, "does not exist yet; run creates it")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	uuid := strings.Replace(string(text), "[{name: n, type: long, required: true}, ", "[{name: n, type: uuid, required: true}, ", 1)
	uuid = strings.Replace(uuid, "    audit_columns: false\n", "    audit_columns: false\n    partition_by: [\"bucket(4, n)\"]\n", 1)
	require.NoError(t, os.WriteFile(file, []byte(uuid), 0o600))
	r = command(t, "validate", "-c", file)
	require.Equal(t, 78, r.code, r.out)
	require.Regexp(t, "fail +table k.json_rest .*cannot read buckets of a uuid", r.out)
}

// Text that is not Unicode is refused, or mended where the configuration says so.
func TestInvalidText(t *testing.T) {
	f := func(policy config.InvalidText, want string) {
		t.Helper()
		fields := []config.Field{{Name: "s", Type: config.FieldType{Kind: "string"}}}
		schema, err := jsonSchema(fields, config.UnknownRefuse, policy)
		require.NoError(t, err)
		err = checkJSON(schema, []byte("{\"s\": \"a\xff\"}"))
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	f(config.InvalidTextRefuse, "not valid UTF-8")
	f(config.InvalidTextReplace, "")
}

// What keeps a table from being created is found before run tries.
func TestExplainChecksANewTable(t *testing.T) {
	options := ingest.TableOptions{Identifier: []string{"a", "b"}, Create: ingest.CreateOptions{PartitionBy: []string{"year(at)", "month(at)"}}}
	date := column.Field{Name: "at", Type: column.Type{Kind: column.Date}}
	list := []ingest.Filling{{From: ingest.FromValue, Fields: []column.Field{date}}}
	require.ErrorContains(t, checkNew(list, table.Choice{}, options), "one is enough")
	options.Create.PartitionBy = []string{"month(at)"}
	require.NoError(t, checkNew(list, table.Choice{}, options))
	options.SortBy = []table.SortTerm{{Column: "at"}, {Column: "to"}}
	require.ErrorContains(t, checkNew(list, table.Choice{}, options), "no such column")
	_, _, err := existingColumns([]column.Field{date}, nil, options)
	require.ErrorContains(t, err, "no such column")
	options.SortBy = nil
	options.Audit = true
	list[0].Fields[0].Name = table.AuditOffset
	options.Create.PartitionBy = nil
	require.Equal(t, ingest.CodeColumnTwice, failure.CodeOf(checkNew(list, table.Choice{}, options)))
	duck, err := table.Choose([]string{"duckdb"})
	require.NoError(t, err)
	list[0].Fields = []column.Field{{Name: "u", Type: column.Type{Kind: column.UUID}}}
	options.Create.PartitionBy = []string{"bucket(4, u)"}
	require.ErrorContains(t, checkNew(list, duck, options), "cannot read buckets of a uuid")
}
