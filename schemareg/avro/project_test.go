package avro

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// mutate makes another table out of proposed columns: some are gone, some are new, some are wider, some optional.
func mutate(t *rapid.T, fields []column.Field) []column.Field {
	var out []column.Field
	for i, f := range fields {
		if even(t, 0, 3, "drop") == 0 && (len(out) > 0 || i+1 < len(fields)) {
			continue
		}
		f.Required = f.Required && even(t, 0, 2, "optional") != 0
		f.Type = mutateType(t, f.Type)
		out = append(out, f)
	}
	if even(t, 0, 2, "extra") == 0 {
		text := column.Type{Kind: column.String}
		out = slices.Insert(out, even(t, 0, len(out), "at"),
			column.Field{Name: "x_leaf", Type: text},
			column.Field{Name: "x_list", Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: text}}}},
			column.Field{Name: "x_struct", Type: column.Type{Kind: column.Struct, Fields: []column.Field{
				{Name: "a", Required: true, Type: text}, {Name: "b", Type: text},
			}}})
	}
	return out
}

func mutateType(t *rapid.T, typ column.Type) column.Type {
	widen := even(t, 0, 1, "widen") == 0
	switch {
	case typ.Kind == column.Struct:
		typ.Fields = mutate(t, typ.Fields)
	case typ.Kind == column.List || typ.Kind == column.Map:
		typ.Fields = slices.Clone(typ.Fields)
		last := &typ.Fields[len(typ.Fields)-1]
		last.Required = last.Required && even(t, 0, 1, "optional") == 0
		last.Type = mutateType(t, last.Type)
	case typ.Kind == column.Int && widen:
		typ.Kind = column.Long
	case typ.Kind == column.Float && widen:
		typ.Kind = column.Double
	case typ.Kind == column.Time && widen:
		typ.Kind = column.Long
	case typ.Kind == column.Decimal && widen:
		typ.Precision = even(t, typ.Precision, 38, "precision")
	}
	return typ
}

// project turns the value of one column type into that of a mutated one.
func project(v any, from, to column.Type) any {
	if v == nil {
		return nil
	}
	switch to.Kind {
	case column.Struct:
		return projectRow(v.(map[string]any), from.Fields, to.Fields)
	case column.List:
		out := []any{}
		for _, item := range v.([]any) {
			out = append(out, project(item, from.Fields[0].Type, to.Fields[0].Type))
		}
		return out
	case column.Map:
		out := map[any]any{}
		for k, item := range v.(map[any]any) {
			out[k] = project(item, from.Fields[1].Type, to.Fields[1].Type)
		}
		return out
	case column.Decimal:
		m := model{precision: to.Precision}
		return m.expectDecimal(unscaledOf(v))
	default:
		return widened(v, to)
	}
}

func widened(v any, to column.Type) any {
	switch n := v.(type) {
	case int32:
		if to.Kind == column.Long {
			return int64(n)
		}
	case float32:
		if to.Kind == column.Double {
			return float64(n)
		}
	}
	return v
}

func projectRow(row map[string]any, from, to []column.Field) map[string]any {
	out := map[string]any{}
	for _, f := range to {
		out[f.Name] = nil
		for _, g := range from {
			if g.Name == f.Name {
				out[f.Name] = project(row[f.Name], g.Type, f.Type)
			}
		}
	}
	return out
}

// TestOtherTables: a table with fewer, more, wider or optional columns gets what it has room for, and Diff finds
// exactly the columns that were left out.
func TestOtherTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		fields := mutate(t, s.fields)
		set := newSet(t, fields)
		pr, err := Compile(s.schema, set, CompileOptions{})
		if err != nil {
			require.ErrorContains(t, err, "members") // a union's struct whose every member was dropped
			t.Skip("union without members")
		}
		want := []any{}
		for range even(t, 1, 3, "records") {
			b, err := s.codec.BinaryFromNative(nil, drawValue(t, s.model, 0))
			require.NoError(t, err)
			native, _, err := s.codec.NativeFromBinary(b)
			require.NoError(t, err)
			full := s.model.expect(native).(map[string]any)
			want = append(want, projectRow(full, s.fields, fields))
			require.NoError(t, pr.Decode(b))
		}
		sameRows(t, want, set)

		changes, err := Diff(s.schema, set.Layout, CompileOptions{})
		require.NoError(t, err)
		require.Empty(t, changes.Illegal)
		grown := fields
		for _, a := range changes.Add {
			require.False(t, a.Field.Required)
			grown = addAt(grown, a.Path, a.Field)
		}
		require.Empty(t, lacking(s.fields, grown, ""))
		changes, err = Diff(s.schema, newSet(t, grown).Layout, CompileOptions{})
		require.NoError(t, err)
		require.True(t, changes.Empty(), "%v", changes)
	})
}

// addAt adds a field below a path, as a catalog would.
func addAt(fields []column.Field, path []string, f column.Field) []column.Field {
	if len(path) == 0 {
		return append(slices.Clip(slices.Clone(fields)), f)
	}
	out := slices.Clone(fields)
	for i := range out {
		if out[i].Name == path[0] {
			out[i].Type.Fields = addAt(out[i].Type.Fields, path[1:], f)
		}
	}
	return out
}

// lacking lists what one set of columns has and the other has not.
func lacking(have, than []column.Field, path string) (out []string) {
	for _, f := range have {
		i := slices.IndexFunc(than, func(g column.Field) bool { return g.Name == f.Name })
		if i < 0 {
			out = append(out, join(path, f.Name))
			continue
		}
		out = append(out, lacking(f.Type.Fields, than[i].Type.Fields, join(path, f.Name))...)
	}
	return out
}

func TestDiffOfARealEvolution(t *testing.T) {
	before, after := readFile(t, "testdata/customers-1.avsc"), readFile(t, "testdata/customers-2.avsc")
	layout := newSet(t, mustFields(t, before)).Layout
	changes, err := Diff(mustParse(t, after), layout, CompileOptions{})
	require.NoError(t, err)
	var got []string
	for _, a := range changes.Add {
		got = append(got, fmt.Sprint(a.Path, " ", a.Field.Name, " ", a.Field.Type, " ", a.Field.Required))
	}
	require.Equal(t, []string{
		"[before] phone string false", "[before] level int false", "[after] phone string false", "[after] level int false",
	}, got)
	require.Empty(t, changes.Illegal)

	// The older schema coming after the newer one changes nothing, though its records lack a column now.
	changes, err = Diff(mustParse(t, before), newSet(t, mustFields(t, after)).Layout, CompileOptions{})
	require.NoError(t, err)
	require.Len(t, changes.Illegal, 2, "level is required in this table, since it was made with the newer schema")
}
