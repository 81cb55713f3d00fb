package commit

import (
	"context"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

func long(name string) AddColumn {
	return AddColumn{Field: column.Field{Name: name, Type: column.Type{Kind: column.Long}, Doc: "new"}}
}

func TestEvolveAddsColumns(t *testing.T) { onFormats(t, evolveAddsColumns) }

func evolveAddsColumns(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	old := w.Schema().ID
	b.commit(w, step(0, 0, 10))
	address := AddColumn{Field: column.Field{Name: "address", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "city", Type: column.Type{Kind: column.String}}}}}}
	require.NoError(t, w.Evolve(b.ctx, []AddColumn{long("extra"), address}))
	f, ok := w.Schema().FindFieldByName("extra")
	require.True(t, ok)
	require.False(t, f.Required)
	require.Equal(t, "new", f.Doc)
	require.Equal(t, 3, f.ID)
	require.NoError(t, w.Evolve(b.ctx, []AddColumn{{Path: []string{"address"}, Field: column.Field{Name: "zip", Type: column.Type{Kind: column.String}}}}))
	_, ok = w.Schema().FindFieldByName("address.zip")
	require.True(t, ok)
	require.Equal(t, event.SchemaChanged{Table: "db.t", Added: []string{"address.zip"}, At: b.events[len(b.events)-1].(event.SchemaChanged).At}, b.events[len(b.events)-1])
	fs := b.batch(w, step(0, 10, 20))
	fs.SchemaID = old
	res, err := w.Commit(b.ctx, fs)
	require.NoError(t, err, "files of an earlier schema are welcome")
	require.Equal(t, Landed, res.Outcome)
	require.Equal(t, map[string]int{"0": 20}, b.exact("main"))
}

// Two processes add the same column: it is there once, whoever comes first and whatever answer is lost.
func TestEvolveConverges(t *testing.T) { onFormats(t, evolveConverges) }

func evolveConverges(t *testing.T, format int) {
	t.Helper()
	for name, f := range map[string]fault{"lost": lost, "dropped": dropped, "conflict": nil} {
		t.Run(name, func(t *testing.T) {
			b := newBenchOf(t, format)
			w1, w2 := b.create("w1", 1), b.open("w2")
			if f == nil {
				f = func(_ committest.Call, apply func() committest.Answer) committest.Answer {
					b.cat.OnCommit = nil
					require.NoError(t, w2.Evolve(b.ctx, []AddColumn{long("extra"), long("other")}))
					return apply()
				}
			}
			b.on(map[int]fault{1: f})
			require.NoError(t, w1.Evolve(b.ctx, []AddColumn{long("extra")}))
			require.NoError(t, w2.Evolve(b.ctx, []AddColumn{long("extra")}))
			require.NoError(t, w2.Refresh(b.ctx))
			require.NoError(t, w1.Refresh(b.ctx))
			require.True(t, w1.Schema().Equals(w2.Schema()))
			n := 0
			for _, f := range w1.Schema().Fields() {
				if f.Name == "extra" {
					n++
				}
			}
			require.Equal(t, 1, n)
		})
	}
}

func TestEvolveAssertsTheSchema(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	var kinds []string
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		for _, r := range c.Requirements {
			kinds = append(kinds, r.GetType())
		}
		return apply()
	}
	require.NoError(t, w.Evolve(b.ctx, []AddColumn{long("extra")}))
	require.Equal(t, []string{"assert-table-uuid", "assert-current-schema-id", "assert-last-assigned-field-id"}, kinds)
	require.NoError(t, w.Evolve(b.ctx, []AddColumn{long("extra")}))
	require.Len(t, kinds, 3, "nothing to add, nothing sent")
}

func TestEvolveRefuses(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	err := w.Evolve(b.ctx, []AddColumn{long("name")})
	require.Equal(t, CodeSchemaConflict, failure.CodeOf(err), "name is a string")
	require.Equal(t, failure.Halt, failure.ClassOf(err))
	err = w.Evolve(b.ctx, []AddColumn{{Path: []string{"nowhere"}, Field: column.Field{Name: "x", Type: column.Type{Kind: column.Long}}}})
	require.Equal(t, CodeSchemaConflict, failure.CodeOf(err), "%v", err)
	required := long("must")
	required.Field.Required = true
	require.Equal(t, CodeFileSet, failure.CodeOf(w.Evolve(b.ctx, []AddColumn{required})))
	b.cat.OnCommit = func(context.Context, committest.Call, func() committest.Answer) committest.Answer {
		return committest.Answer{Err: failure.New(failure.Config, "E_AUTH", "", "forbidden")}
	}
	require.Equal(t, "E_AUTH", failure.CodeOf(w.Evolve(b.ctx, []AddColumn{long("extra")})))
	b.cat.OnCommit = nil
	b.patience = 0
	b.cat.OnCommit = func(context.Context, committest.Call, func() committest.Answer) committest.Answer {
		return committest.Answer{Err: errLost}
	}
	require.ErrorIs(t, w.Evolve(b.ctx, []AddColumn{long("extra")}), context.Canceled)
}

func TestSchemaKnowsEveryKind(t *testing.T) {
	var all []column.Field
	for k := column.Boolean; k <= column.Binary; k++ {
		typ := column.Type{Kind: k}
		switch k {
		case column.Decimal:
			typ.Precision, typ.Scale = 12, 3
		case column.Fixed:
			typ.Length = 5
		}
		if !k.Nested() {
			all = append(all, column.Field{Name: "c_" + k.String(), Type: typ})
		}
	}
	sc, err := schema(all)
	require.NoError(t, err)
	require.Len(t, sc.Fields(), len(all))
	for i, f := range sc.Fields() {
		require.Equal(t, all[i].Name, f.Name)
		require.Equal(t, i+1, f.ID)
	}
	f, _ := sc.FindFieldByName("c_decimal")
	require.Equal(t, iceberg.DecimalTypeOf(12, 3), f.Type)
	_, err = schema([]column.Field{{Name: "x", Type: column.Type{Kind: column.List}}})
	require.Error(t, err)
	_, err = schema([]column.Field{{Name: "x", Type: column.Type{Kind: 99}}})
	require.Error(t, err)
}
