package avro

import (
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// optionalFields makes every top-level column optional, as columns are that were added later.
func optionalFields(fields []column.Field) []column.Field {
	out := make([]column.Field, len(fields))
	for i, f := range fields {
		f.Required = false
		out[i] = f
	}
	return out
}

// TestWalkThroughVersions: producers with older and newer schemas write in any order. The table only ever grows, and
// what each of them wrote stands in it.
func TestWalkThroughVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		full := drawSchema(t)
		var table []column.Field
		var all []column.Field
		for range even(t, 2, 5, "versions") {
			m := *full
			m.fields = nil
			for _, f := range full.fields {
				// A named type must stay where it is defined; others come and go.
				if f.typ.full != "" || f.typ.kind == "union" || f.typ.items != nil || even(t, 0, 1, "has") == 1 {
					m.fields = append(m.fields, f)
				}
			}
			if !m.stored() {
				continue
			}
			s, err := Parse(m.text(true))
			require.NoError(t, err)
			proposed, err := s.Fields()
			require.NoError(t, err)
			if table == nil {
				table = optionalFields(proposed)
			}
			all = unite(all, proposed)
			table = walk(t, &m, s, proposed, table)
			require.Empty(t, lacking(all, table, ""))
		}
	})
}

// walk takes one version into use and writes a record with it. It gives the grown table.
func walk(t *rapid.T, m *model, s *Schema, proposed, table []column.Field) []column.Field {
	before := len(table)
	changes, err := Diff(s, newSet(t, table).Layout, CompileOptions{})
	require.NoError(t, err)
	require.Empty(t, changes.Illegal)
	for _, a := range changes.Add {
		table = addAt(table, a.Path, a.Field)
	}
	require.GreaterOrEqual(t, len(table), before)
	set := newSet(t, table)
	pr, err := Compile(s, set, CompileOptions{})
	require.NoError(t, err)
	codec, err := goavro.NewCodec(m.text(false))
	require.NoError(t, err)
	b, err := codec.BinaryFromNative(nil, drawValue(t, m, 0))
	require.NoError(t, err)
	native, _, err := codec.NativeFromBinary(b)
	require.NoError(t, err)
	require.NoError(t, pr.Decode(b))
	row := m.expect(native).(map[string]any)
	sameRows(t, []any{projectRow(row, proposed, table)}, set)
	return table
}

// unite lists the fields of both.
func unite(a, b []column.Field) []column.Field {
	for _, f := range b {
		if len(lacking([]column.Field{f}, a, "")) > 0 {
			a = append(a[:len(a):len(a)], f)
		}
	}
	return a
}
