package parquet

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// Whatever the strings: bounds enclose them, are short, and text stays text.
func TestTruncatedBoundsEnclose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Bool().Draw(t, "text")
		limit := rapid.IntRange(4, boundBytes).Draw(t, "limit")
		v := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "bytes")
		if text {
			v = []byte(rapid.StringN(0, 60, -1).Draw(t, "string"))
		} else if rapid.Bool().Draw(t, "high") {
			v = bytes.Repeat([]byte{0xff}, len(v))
		}
		p := newPrefix(v)
		lo := truncateLower(p, limit, text)
		require.LessOrEqual(t, len(lo), limit)
		require.LessOrEqual(t, bytes.Compare(lo, v), 0)
		hi, ok := truncateUpper(p, limit, text)
		if ok {
			require.LessOrEqual(t, len(hi), limit+utf8.UTFMax)
			require.GreaterOrEqual(t, bytes.Compare(hi, v), 0)
		} else {
			require.Greater(t, len(v), limit)
		}
		if text {
			require.True(t, utf8.Valid(lo))
			require.True(t, utf8.Valid(hi))
		}
		if len(v) <= limit {
			require.Equal(t, [][]byte{v, v}, [][]byte{lo, hi})
		}
	})
}

func TestRaise(t *testing.T) {
	f := func(want, in string) {
		t.Helper()
		got, ok := raiseText([]byte(in))
		require.Equal(t, []any{want, want != ""}, []any{string(got), ok})
	}
	f("abd", "abc")
	f("\u0080", "\u007f")
	f("\ue000", "\ud7ff")
	f("b", "a\U0010ffff")
	f("", "\U0010ffff\U0010ffff")
	f("", "")
	got, ok := raiseBytes([]byte{1, 0xff, 0xff})
	require.Equal(t, []any{[]byte{2}, true}, []any{got, ok})
	_, ok = raiseBytes([]byte{0xff})
	require.False(t, ok)
}

// The bounds of a merged column are those of all pages, also where only the beginning of a value is kept.
func TestMergedBounds(t *testing.T) {
	leaf := column.LeafOf(column.Type{Kind: column.Binary})
	long := []byte(strings.Repeat("m", boundBytes) + "tail")
	short := long[:boundBytes]
	f := func(wantRaised bool, values ...[]byte) {
		t.Helper()
		var b bounds
		for _, v := range values {
			b.merge(&bounds{has: true, min: newPrefix(v), max: newPrefix(v)}, &leaf)
		}
		_, hi, _, ok := b.plain(&leaf)
		require.True(t, ok)
		require.Equal(t, wantRaised, bytes.Compare(hi, short) > 0)
	}
	f(true, long)
	f(true, long, short)
	f(true, short, long)
	f(false, short)
	f(false, short, []byte("a"))
}

func TestIcebergBounds(t *testing.T) {
	f := func(typ column.Type, lo, hi []byte, appendTo func(c *column.Column)) {
		t.Helper()
		l := layoutOf(field("c", true, typ))
		g := newGroup(t, l, Options{})
		appendTo(g.Set().Columns[0])
		c, err := g.Finish()
		require.NoError(t, err)
		m, err := WriteFile(&bytes.Buffer{}, l, []*Chunk{c}, nil)
		require.NoError(t, err)
		require.Equal(t, lo, m.Lower[1], typ.String())
		require.Equal(t, hi, m.Upper[1], typ.String())
	}
	prim := func(k column.Kind) column.Type { return column.Type{Kind: k} }
	decimal := func(p int) column.Type { return column.Type{Kind: column.Decimal, Precision: p, Scale: 2} }
	f(prim(column.Boolean), []byte{0}, []byte{1}, func(c *column.Column) { c.AppendBool(1); c.AppendBool(0) })
	f(prim(column.Int), []byte{0xff, 0xff, 0xff, 0xff}, []byte{1, 0, 0, 0}, func(c *column.Column) { c.AppendInt32(-1); c.AppendInt32(1) })
	f(prim(column.Date), []byte{2, 0, 0, 0}, []byte{2, 0, 0, 0}, func(c *column.Column) { c.AppendInt32(2) })
	f(prim(column.TimestampTZ), le64(7), le64(7), func(c *column.Column) { c.AppendInt64(7) })
	f(prim(column.Float), le32(math.Float32bits(-2)), le32(0), func(c *column.Column) {
		c.AppendFloat(math.Float32bits(float32(math.Copysign(0, -1))))
		c.AppendFloat(math.Float32bits(-2))
		c.AppendFloat(math.Float32bits(float32(math.NaN())))
	})
	f(prim(column.Double), nil, nil, func(c *column.Column) { c.AppendDouble(math.Float64bits(math.NaN())) })
	f(decimal(9), []byte{0xff, 0x7f}, []byte{0x00, 0x80}, func(c *column.Column) { c.AppendInt32(-129); c.AppendInt32(128) })
	f(decimal(18), []byte{0xff}, []byte{0}, func(c *column.Column) { c.AppendInt64(-1); c.AppendInt64(0) })
	f(decimal(20), []byte{0xfe}, []byte{1, 0}, func(c *column.Column) {
		c.AppendFixed([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe})
		c.AppendFixed([]byte{0, 0, 0, 0, 0, 0, 0, 1, 0})
	})
	f(prim(column.String), []byte("äbcdefghijklmnop"), []byte("äbcdefghijklmnoq"), func(c *column.Column) { c.AppendBytes([]byte("äbcdefghijklmnopqrstuv")) })
	f(prim(column.String), []byte(""), []byte("x"), func(c *column.Column) { c.AppendBytes([]byte("x")); c.AppendBytes(nil) })
	f(prim(column.String), []byte(strings.Repeat("\U0010ffff", 16)), nil, func(c *column.Column) { c.AppendBytes([]byte(strings.Repeat("\U0010ffff", 40))) })
	uuid := bytes.Repeat([]byte{0xee}, 16)
	f(prim(column.UUID), uuid, uuid, func(c *column.Column) { c.AppendFixed(uuid) })
	f(column.Type{Kind: column.Fixed, Length: 20}, make([]byte, 16), append(make([]byte, 15), 1), func(c *column.Column) { c.AppendFixed(make([]byte, 20)) })
}
