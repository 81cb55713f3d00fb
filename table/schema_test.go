package table_test

import (
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

func TestSchemasGoBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := genFields(t, 4, rapid.IntRange(1, 6).Draw(t, "columns"))
		fields[0].Doc = "said about it"
		sc, err := table.Schema(3, fields)
		require.NoError(t, err)
		require.Equal(t, 3, sc.ID)
		back, err := table.Fields(sc)
		require.NoError(t, err)
		require.Len(t, back, len(fields))
		ids := map[int]bool{}
		for i := range fields {
			require.Equal(t, fields[i].Name, back[i].Name)
			require.Equal(t, fields[i].Doc, back[i].Doc)
			require.Equal(t, fields[i].Required, back[i].Required)
			require.True(t, fields[i].Type.Equal(back[i].Type), "%s, %s", fields[i].Type, back[i].Type)
			require.Equal(t, i+1, back[i].ID, "the top level is numbered first")
		}
		collect(back, ids)
		for id := range len(ids) {
			require.True(t, ids[id+1], "ids without gaps")
		}
		again, err := table.Schema(3, back)
		require.NoError(t, err)
		require.True(t, sc.Equals(again), "ids are kept")
	})
}

func collect(fields []column.Field, ids map[int]bool) {
	for _, f := range fields {
		ids[f.ID] = true
		collect(f.Type.Fields, ids)
	}
}

func TestNewColumnsGetIdsAboveTheOthers(t *testing.T) {
	long := column.Type{Kind: column.Long}
	sc, err := table.Schema(0, []column.Field{
		{Name: "a", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "x", Type: long}, {ID: 40, Name: "y", Type: long}}}},
		{ID: 7, Name: "b", Type: long}, {Name: "c", Type: long}})
	require.NoError(t, err)
	for name, id := range map[string]int{"b": 7, "a.y": 40, "a": 41, "c": 42, "a.x": 43} {
		f, ok := sc.FindFieldByName(name)
		require.True(t, ok)
		require.Equal(t, id, f.ID, name)
	}
	_, err = table.Schema(0, []column.Field{{ID: 1, Name: "a", Type: long}, {ID: 1, Name: "b", Type: long}})
	require.ErrorContains(t, err, "field id 1 stands at two columns")
	_, err = table.Schema(0, []column.Field{{Name: "a", Type: long}, {Name: "a", Type: long}})
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

func TestTypesOfVersion3AreRefused(t *testing.T) {
	for _, typ := range []iceberg.Type{iceberg.VariantType{}, iceberg.PrimitiveTypes.Unknown} {
		sc := iceberg.NewSchema(4, iceberg.NestedField{ID: 1, Name: "a", Type: &iceberg.ListType{ElementID: 2, Element: typ}})
		_, err := table.Fields(sc)
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.EqualError(t, err, fmt.Sprintf("reading schema 4: column a.element has the type %s", typ))
	}
}
