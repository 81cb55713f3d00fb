package column

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scatterFields have every shape of leaf and every storage.
func scatterFields() []Field {
	fields := []Field{
		nested("o", false, Struct, prim("x", false, Int), prim("y", true, String)),
		nested("l", false, List, prim("e", false, Double)),
		nested("m", true, Map, prim("k", true, String), nested("v", false, List, prim("e", false, Boolean))),
	}
	for i, kind := range primitives {
		f := prim(fmt.Sprint("p", i), i%2 == 0, kind)
		f.Type.Precision, f.Type.Length = 20, 3
		if kind != Decimal {
			f.Type.Precision = 0
		}
		if kind != Fixed {
			f.Type.Length = 0
		}
		opt := f
		opt.Name, opt.Required = opt.Name+"opt", !opt.Required
		fields = append(fields, f, opt)
	}
	return fields
}

func scatterLayout(t require.TestingT) *Layout {
	l, err := NewLayout(scatterFields())
	require.NoError(t, err)
	return l
}

// drivers is one driver per column of a set; they append rows in step.
func drivers(t require.TestingT, src source, s *Set) []*driver {
	ds := make([]*driver, len(s.Columns))
	for i, c := range s.Columns {
		ds[i] = &driver{t: t, src: src, col: c}
	}
	return ds
}

func TestScatterAgainstOracle(t *testing.T) {
	layout := scatterLayout(t)
	rapid.Check(t, func(t *rapid.T) {
		src := rapidSource{t}
		from := NewSet(layout)
		ds := drivers(t, src, from)
		targets := []*Set{nil, NewSet(layout), NewSet(layout)}
		want := make([][][]entry, len(targets)) // per target and column
		for i := range want {
			want[i] = make([][]entry, len(ds))
		}
		for range 2 {
			var dst []*Set
			for range rapid.IntRange(0, 12).Draw(t, "rows") {
				k := src.intn(len(targets))
				dst = append(dst, targets[k])
				for i, d := range ds {
					before := len(d.page)
					d.row()
					want[k][i] = append(want[k][i], d.page[before:]...)
				}
			}
			require.NoError(t, from.Check(len(dst)))
			from.Scatter(dst)
			require.Zero(t, from.Pending())
			for _, d := range ds {
				d.page = nil
				d.compare()
			}
		}
		for k, s := range targets[1:] {
			for i, c := range s.Columns {
				d := &driver{t: t, col: c, page: want[k+1][i]}
				d.compare()
			}
		}
	})
}

func TestTruncateKeepsColumnsInStep(t *testing.T) {
	layout := scatterLayout(t)
	rapid.Check(t, func(t *rapid.T) {
		s := NewSet(layout)
		ds := drivers(t, rapidSource{t}, s)
		keep := rapid.IntRange(0, 3).Draw(t, "rows")
		for range keep {
			for _, d := range ds {
				d.row()
			}
		}
		for _, d := range ds[:rapid.IntRange(0, len(ds)).Draw(t, "columns")] {
			pages := len(d.page)
			d.row()
			d.page = d.page[:pages]
		}
		s.Truncate(keep)
		require.NoError(t, s.Check(keep))
		for _, d := range ds {
			d.compare()
		}
	})
}

func TestAppendNulls(t *testing.T) {
	l, err := NewLayout([]Field{
		prim("a", false, Long),
		nested("s", false, Struct, prim("x", true, Int), prim("y", false, Int)),
		nested("l", true, List, prim("e", true, Int)),
		prim("r", true, Int),
	})
	require.NoError(t, err)
	s := NewSet(l)
	for range 3 {
		for _, n := range l.Nodes {
			s.AppendNulls(n)
		}
	}
	for _, c := range s.Columns[:4] {
		require.NoError(t, c.Check(3))
		require.Zero(t, c.Values())
		require.EqualValues(t, 3, c.PageStats().Nulls)
	}
	require.EqualError(t, s.Check(3), "column r has 0 rows, not 3")
}

func TestCheckFindsBrokenPrograms(t *testing.T) {
	f := func(want string, leaf Leaf, broken func(c *Column)) {
		t.Helper()
		c := NewSet(&Layout{Leaves: []Leaf{leaf}}).Columns[0]
		broken(c)
		require.ErrorContains(t, c.Check(1), want)
		c.Truncate(0)
		c.ResetPage()
		require.NoError(t, c.Check(0))
	}
	f("has 0 rows, not 1", testLeaf(Int, 0, 0), func(c *Column) { c.AppendInt64(1) })
	f("has 2 rows, not 1", testLeaf(Int, 0, 0), func(c *Column) { c.AppendInt32(1); c.AppendInt32(1) })
	f("has 0 values for 1 levels", testLeaf(Int, 1, 0), func(c *Column) { c.SetValid() })
	f("has 1 values for 0 levels", testLeaf(Int, 1, 0), func(c *Column) { c.AppendInt32(1); c.SetNull() })
	f("flat but got levels", testLeaf(Int, 1, 0), func(c *Column) { c.AppendLevels(0, 0) })
	f("level out of range", testLeaf(Int, 2, 0), func(c *Column) { c.AppendLevels(3, 0) })
	f("level out of range", testLeaf(Int, 1, 1), func(c *Column) { c.AppendLevels(0, 0); c.AppendLevels(0, 2) })
	f("continues a list", testLeaf(Int, 1, 1), func(c *Column) { c.AppendLevels(0, 1); c.AppendLevels(0, 0) })
	f("rows but levels for", testLeaf(Int, 2, 0), func(c *Column) { c.SetNull() })
	f("not 5 bytes long", testLeaf(Fixed, 0, 0), func(c *Column) { c.AppendFixed([]byte("abc")) })
}

func TestAnyAbove(t *testing.T) {
	for highest := range uint8(127) {
		for size := range 20 {
			b := bytes.Repeat([]byte{highest}, size)
			require.False(t, anyAbove(b, highest))
			for i := range b {
				for _, v := range []byte{highest + 1, 127, 128, 128 + highest, 255} {
					b[i] = v
					require.Equal(t, v > highest, anyAbove(b, highest), "%d at %d of %d", v, i, size)
				}
				b[i] = highest
			}
		}
	}
}

func TestResetForgetsEverything(t *testing.T) {
	s := NewSet(scatterLayout(t))
	empty := s.Bytes()
	ds := drivers(t, &bytesSource{}, s)
	for _, d := range ds {
		d.col.UseDict(true)
		d.row()
		d.col.Absorb()
	}
	require.Greater(t, s.Bytes(), empty)
	s.Reset()
	for _, d := range ds {
		require.Zero(t, d.col.DictLen())
		d.page = nil
		d.compare()
	}
}
