package avro

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/rowtest"
	"github.com/ingestd/ingestd/table/column"
)

// subject is a drawn schema with everything made of it.
type subject struct {
	model   *model
	codec   *goavro.Codec
	schema  *Schema
	fields  []column.Field
	set     *column.Set
	program *Program
}

func drawSubject(t *rapid.T) subject {
	m := drawSchema(t)
	if !m.stored() {
		t.Skip("nothing to store")
	}
	codec, err := goavro.NewCodec(m.text(false))
	require.NoError(t, err)
	s, err := Parse(m.text(true))
	require.NoError(t, err, m.text(true))
	fields, err := s.Fields()
	require.NoError(t, err)
	set := newSet(t, fields)
	pr, err := Compile(s, set, CompileOptions{})
	require.NoError(t, err)
	return subject{model: m, codec: codec, schema: s, fields: fields, set: set, program: pr}
}

func newSet(t require.TestingT, fields []column.Field) *column.Set {
	l, err := column.NewLayout(fields)
	require.NoError(t, err)
	return column.NewSet(l)
}

func sameRows(t require.TestingT, want []any, set *column.Set) {
	require.NoError(t, set.Check(len(want)))
	rows, err := rowtest.Rows(set)
	require.NoError(t, err)
	got := make([]any, 0, len(rows))
	for _, r := range rows {
		got = append(got, comparable(r))
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); d != "" {
		require.Fail(t, "rows are different", d)
	}
}

// TestAgainstGoavro: whatever goavro encodes, our columns hold what goavro decodes.
func TestAgainstGoavro(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		want := []any{}
		for range even(t, 1, 4, "records") {
			b, err := s.codec.BinaryFromNative(nil, drawValue(t, s.model, 0))
			require.NoError(t, err)
			native, _, err := s.codec.NativeFromBinary(b)
			require.NoError(t, err)
			want = append(want, s.model.expect(native))
			require.NoError(t, s.program.Decode(b))
		}
		sameRows(t, want, s.set)
	})
}

// TestTruncationIsRejectedAtEveryByte, and so is one byte too many. Rows before and after stay whole.
func TestTruncationIsRejectedAtEveryByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		b, err := s.codec.BinaryFromNative(nil, drawValue(t, s.model, 0))
		require.NoError(t, err)
		native, _, err := s.codec.NativeFromBinary(b)
		require.NoError(t, err)
		require.NoError(t, s.program.Decode(b))
		for n := range b {
			requireBad(t, s, b[:n:n], 1)
		}
		requireBad(t, s, append(b[:len(b):len(b)], 0), 1)
		require.NoError(t, s.program.Decode(b))
		want := s.model.expect(native)
		sameRows(t, []any{want, want}, s.set)
	})
}

// requireBad decodes what must be refused; the rows before stay as they are.
func requireBad(t require.TestingT, s subject, b []byte, rows int) {
	err := s.program.Decode(b)
	require.Error(t, err)
	require.Equal(t, failure.Poison, failure.ClassOf(err))
	s.set.Truncate(rows)
	require.NoError(t, s.set.Check(rows))
}

// TestFlippedBytesNeverHurt: a changed record is decoded or refused; either way the columns stay whole.
func TestFlippedBytesNeverHurt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		b, err := s.codec.BinaryFromNative(nil, drawValue(t, s.model, 0))
		require.NoError(t, err)
		if len(b) == 0 {
			t.Skip("no bytes")
		}
		rows := 0
		for range 20 {
			c := append([]byte(nil), b...)
			for range even(t, 1, 3, "flips") {
				c[even(t, 0, len(c)-1, "at")] = rapid.Byte().Draw(t, "byte")
			}
			if s.program.Decode(c) == nil {
				rows++
			} else {
				s.set.Truncate(rows)
			}
			require.NoError(t, s.set.Check(rows))
		}
		_, err = rowtest.Rows(s.set)
		require.NoError(t, err)
	})
}
