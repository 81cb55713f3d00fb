package rawrec

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/column/columntest"
)

// header and headers are the Headers of the tests.
type header struct {
	key   string
	value []byte
}

type headers []header

func (h *headers) Len() int                  { return len(*h) }
func (h *headers) At(i int) (string, []byte) { return (*h)[i].key, (*h)[i].value }

func newSet(t require.TestingT, fields ...column.Field) *column.Set {
	layout, err := column.NewLayout(fields)
	require.NoError(t, err)
	return column.NewSet(layout)
}

func newWriter(t require.TestingT, more ...column.Field) (*Writer, *column.Set) {
	set := newSet(t, append(Fields(), more...)...)
	w, err := New(set, set.Layout.Nodes)
	require.NoError(t, err)
	return w, set
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	maybe := rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOf(rapid.Byte()))
	rapid.Check(t, func(t *rapid.T) {
		w, set := newWriter(t, column.Field{Name: "other", Type: column.Type{Kind: column.Long}})
		var want [][]any
		for range rapid.IntRange(1, 10).Draw(t, "records") {
			r := Record{
				Key: maybe.Draw(t, "key"), Value: maybe.Draw(t, "value"),
				Timestamp: rapid.Int64Range(-1, 1e18).Draw(t, "timestamp"),
			}
			h, list := headers{}, []any{}
			for range rapid.IntRange(0, 3).Draw(t, "headers") {
				one := header{rapid.String().Draw(t, "name"), maybe.Draw(t, "content")}
				h = append(h, one)
				list = append(list, map[string]any{"key": one.key, "value": orNil(one.value)})
			}
			if len(h) > 0 || rapid.Bool().Draw(t, "empty headers") {
				r.Headers = &h
			}
			w.Append(&r)
			row := []any{orNil(r.Key), orNil(r.Value), list, any(r.Timestamp), nil}
			if r.Timestamp < 0 {
				row[3] = nil
			}
			want = append(want, row)
		}
		require.NoError(t, set.Check(len(want)))
		require.Equal(t, want, columntest.Rows(set))
	})
}

// orNil is nil for null bytes, and the bytes otherwise, empty ones too.
func orNil(b []byte) any {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

func TestHeaderKeysAreMadeText(t *testing.T) {
	w, set := newWriter(t)
	w.Append(&Record{Headers: &headers{{"a\xff", nil}}})
	require.Equal(t, []any{map[string]any{"key": "a\uFFFD", "value": nil}}, columntest.Rows(set)[0][2])
}

func TestTablesMustTakeRawRecords(t *testing.T) {
	f := func(message string, fields ...column.Field) {
		t.Helper()
		set := newSet(t, fields...)
		_, err := New(set, set.Layout.Nodes)
		require.EqualError(t, err, "writing raw records: "+message)
		require.Equal(t, failure.Config, failure.ClassOf(err))
	}
	own := Fields()
	f("the table has no column headers", own[0], own[1], own[3])
	f("column other is required and cannot be null", append(Fields(),
		column.Field{Name: "other", Required: true, Type: column.Type{Kind: column.Long}})...)
	own[1].Required = true
	f("column value is a required binary", own...)
	own = Fields()
	own[3].Type.Kind = column.Long
	f("column timestamp is long", own...)
	own = Fields()
	own[2].Type = column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: column.Type{Kind: column.Binary}}}}
	f("column headers is list<binary>", own...)
}

func TestKey(t *testing.T) {
	set := newSet(t, column.Field{Name: "_key", Type: column.Type{Kind: column.Binary}}, column.Field{Name: "n", Type: column.Type{Kind: column.Long}})
	k, err := NewKey(set, set.Layout.Nodes[0])
	require.NoError(t, err)
	k.Append([]byte("a"))
	k.Append(nil)
	k.Append([]byte{})
	require.Equal(t, 3, set.Columns[0].Pending())
	require.NoError(t, set.Columns[0].Check(3))
	_, err = NewKey(set, set.Layout.Nodes[1])
	require.EqualError(t, err, "writing raw records: column n is long")
}

func TestNulls(t *testing.T) {
	set := newSet(t, append(Fields(), column.Field{Name: "n", Required: true, Type: column.Type{Kind: column.Long}})...)
	_, err := NewNulls(set, set.Layout.Nodes)
	require.EqualError(t, err, "writing raw records: column n is required and cannot be null")
	set = newSet(t, Fields()...)
	n, err := NewNulls(set, set.Layout.Nodes)
	require.NoError(t, err)
	n.Append()
	require.NoError(t, set.Check(1))
	require.Equal(t, [][]any{{nil, nil, nil, nil}}, columntest.Rows(set))
}

func TestAppendingDoesNotAllocate(t *testing.T) {
	w, set := newWriter(t)
	r := &Record{Key: []byte("k"), Value: []byte("value"), Headers: &headers{{"a", []byte("b")}, {"a", nil}}, Timestamp: 1}
	batch := func() {
		for range 100 {
			w.Append(r)
		}
		set.Truncate(0)
	}
	batch()
	require.Zero(t, testing.AllocsPerRun(10, batch))
}
