package jsonrec

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/column/columntest"
)

// fixture is a schema, a table for it and the program between the two.
type fixture struct {
	schema  *Schema
	set     *column.Set
	program *Program
	oracle  oracle
}

// tb is what *testing.T and *rapid.T share.
type tb interface {
	require.TestingT
	Helper()
}

// compile makes a fixture whose table has exactly the declared columns, or those given.
func compile(t tb, c Config, columns ...column.Field) fixture {
	t.Helper()
	schema, err := NewSchema(c)
	require.NoError(t, err)
	if len(columns) == 0 {
		columns = schema.Fields()
	}
	layout, err := column.NewLayout(columns)
	require.NoError(t, err)
	set := column.NewSet(layout)
	program, err := Compile(schema, set, Options{})
	require.NoError(t, err)
	return fixture{schema, set, program, oracle{schema.config, asStored(schema.root, layout.Nodes)}}
}

// last decodes one record and takes it off the columns again: its values by column name, normalised.
func (x fixture) last(t tb, record []byte) (map[string]any, error) {
	t.Helper()
	if err := x.program.Decode(record); err != nil {
		require.Equal(t, failure.Poison, failure.ClassOf(err))
		x.set.Truncate(0)
		require.NoError(t, x.set.Check(0), "%s: %v", record, err)
		return nil, err
	}
	require.NoError(t, x.set.Check(1), "%s", record)
	row := columntest.Rows(x.set)[0]
	x.set.Truncate(0)
	out := map[string]any{}
	for i, n := range x.set.Layout.Nodes {
		out[n.Field.Name] = row[i]
	}
	for i := range x.oracle.root {
		d := &x.oracle.root[i]
		out[d.Name] = normal(out[d.Name], d)
	}
	return out, nil
}

// agrees compares the program with the oracle on one record.
func (x fixture) agrees(t tb, record []byte) {
	t.Helper()
	want, rest, refused := x.oracle.read(record)
	got, err := x.last(t, record)
	require.Equal(t, refused == nil, err == nil, "%s: program: %v, oracle: %v", record, err, refused)
	if err != nil {
		return
	}
	for name, v := range want {
		require.Equal(t, v, got[name], "field %s of %s", name, record)
	}
	for name, v := range got {
		if _, ok := want[name]; !ok && name != RestColumn {
			require.Nil(t, v, "column %s is nobody's", name)
		}
	}
	if x.schema.config.Unknown != Rest {
		return
	}
	if rest == nil {
		require.Nil(t, got[RestColumn])
		return
	}
	require.NotNil(t, got[RestColumn], "%s", record)
	kept, err := parse([]byte(got[RestColumn].(string)))
	require.NoError(t, err, "rest of %s: %s", record, got[RestColumn])
	require.Equal(t, rest, plainTree(kept), "rest of %s", record)
}

// TestAgreesWithEncodingJSON is the main proof: generated declarations, tables and records against the oracle.
func TestAgreesWithEncodingJSON(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			Fields:  drawFields(t, 0),
			Unknown: rapid.SampledFrom([]Unknown{Rest, Rest, Refuse}).Draw(t, "policy"),
			Text:    ReplaceInvalid,
		}
		c.Hints = drawHints(t, c.Fields, nil, true)
		columns := widened(t, c.Fields)
		if c.Unknown == Rest {
			columns = append(columns, column.Field{Name: RestColumn, Type: column.Type{Kind: column.String}})
		}
		x := compile(t, c, columns...)
		odd := rapid.IntRange(0, 1).Draw(t, "odd records")
		for range rapid.IntRange(1, 4).Draw(t, "records") {
			tree := drawRecord(t, x.schema.root, odd)
			x.agrees(t, spell(t, tree))
			record := spell(nil, tree)
			x.agrees(t, record)
			if x.program.Decode(record) == nil {
				accepted++
			}
			x.set.Truncate(0)
		}
	})
	require.Greater(t, accepted, 20, "most generated records must be good ones")
}
