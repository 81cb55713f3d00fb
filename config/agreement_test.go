package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

// The package knows some words of other packages without importing them. These tests keep both sides in step.

func TestReadersAgree(t *testing.T) {
	require.Equal(t, slices.Sorted(slices.Values(table.Readers())), config.ReaderNames())
	_, err := table.Choose(config.DefaultReaders())
	require.NoError(t, err)
	name, version := config.ParseReader("trino@476")
	require.Equal(t, []string{"trino", "476"}, []string{name, version})
}

func TestPartitionFieldsAgree(t *testing.T) {
	for _, p := range []config.PartitionField{
		{Transform: "identity", Column: "a"}, {Transform: "bucket", Param: 16, Column: "a b"}, {Transform: "truncate", Param: 3, Column: "a"},
		{Transform: "year", Column: "a"}, {Transform: "month", Column: "a"}, {Transform: "day", Column: "a"}, {Transform: "hour", Column: "a"},
		{Transform: "void", Column: "a"},
	} {
		term, err := transform.Parse(p.String())
		require.NoError(t, err)
		require.Equal(t, p.String(), term.String())
		require.Equal(t, p.Column, term.Column)
	}
}

func TestOwnColumnsAgree(t *testing.T) {
	for _, name := range []string{config.ColumnPartition, config.ColumnOffset, config.ColumnTimestamp, config.ColumnTopic} {
		require.True(t, table.IsAudit(name), name)
	}
	require.Equal(t, jsonrec.RestColumn, config.ColumnRest)
}

// TestTypesAgree declares a column of every type the tables know.
func TestTypesAgree(t *testing.T) {
	for kind := column.Boolean; kind <= column.Map; kind++ {
		declared := map[column.Kind]string{
			column.Decimal: "decimal(9,2)", column.Fixed: "'fixed[16]'", column.Struct: "struct, fields: [{name: x, type: int}]",
			column.List: "list, element: {type: int}", column.Map: "map, key: {type: string}, value: {type: int}",
		}[kind]
		if declared == "" {
			declared = kind.String()
		}
		text := strings.Replace(`pipeline: shop
sources: {main: {brokers: ["h:1"]}}
catalog: {type: sqlite, path: c.db, warehouse: w}
tables: [{name: a.b, topics: [t], value: {format: json, schema: [{name: c, type: TYPE}]}}]
`, "TYPE", strings.Replace(declared, "decimal(9,2)", `"decimal(9,2)"`, 1), 1)
		c, _, err := config.Parse("x", []byte(text), config.Options{})
		require.NoError(t, err, kind.String())
		require.Equal(t, kind.String(), c.Tables[0].Value.Schema[0].Type.Kind)
	}
}
