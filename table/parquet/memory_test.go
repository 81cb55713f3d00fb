package parquet

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// A table with a thousand partitions has a thousand open row groups, most with few rows.
func TestOpenRowGroupsAreSmall(t *testing.T) {
	l := wide()
	leaves := int64(len(l.Leaves))
	enc, err := NewEncoder(Options{})
	require.NoError(t, err)
	g := NewRowGroup(l, enc)
	require.Less(t, g.Bytes()/leaves, int64(800))
	d := newData(l, 1)
	for range 50 {
		d.row(g.Set())
	}
	require.NoError(t, g.Absorb())
	require.Less(t, g.Bytes()/leaves, int64(10_000))
}

// Bytes is what the runtime says, give or take a little.
func TestBytesIsHonest(t *testing.T) {
	l := wide()
	enc, err := NewEncoder(Options{PageRows: 1000})
	require.NoError(t, err)
	warm := NewRowGroup(l, enc)
	d := newData(l, 1)
	d.pool = 0
	fillChunk(t, warm, d, 3000)
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	g := NewRowGroup(l, enc)
	for i := range 5000 {
		for k := range d.entries {
			d.entries[k] = d.entries[k][:0]
		}
		d.row(g.Set())
		if i%500 == 499 {
			require.NoError(t, g.Absorb())
		}
	}
	used := heap() - before
	require.InEpsilon(t, used, g.Bytes(), 0.25, "heap %d, accounted %d", used, g.Bytes())
	runtime.KeepAlive(g)
	runtime.KeepAlive(d)
}

// Rows cost no allocation: only pages and files do.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	for _, o := range []Options{{}, {Encoding: Delta}, {Codec: Snappy}, {Codec: LZ4}, {Codec: None}} {
		l := wide()
		g := newGroup(t, l, o)
		d := newData(l, 1)
		d.draw = func(leaf *column.Leaf) []byte { return d.value(leaf) }
		sample := column.NewSet(l)
		for range 100 {
			d.row(sample)
		}
		batch := func() {
			for i, c := range g.Set().Columns {
				replay(c, d.entries[i])
			}
			if err := g.Absorb(); err != nil {
				t.Fatal(err)
			}
		}
		const batches = 250 // more than a page of every column
		for range 2 {
			for range batches {
				batch()
			}
			_, err := g.Finish()
			require.NoError(t, err)
		}
		require.Zero(t, testing.AllocsPerRun(100, batch), "%+v: a batch within a page", o)
		g.Reset()
		perRow := testing.AllocsPerRun(2, func() {
			for range batches {
				batch()
			}
			if _, err := g.Finish(); err != nil {
				t.Fatal(err)
			}
		}) / (batches * 100)
		require.Less(t, perRow/float64(len(l.Leaves)), 0.002, "%+v: with pages and row groups", o)
	}
}

// replay appends recorded entries.
func replay(c *column.Column, es []entry) {
	for _, e := range es {
		switch {
		case c.Leaf.MaxDef == 0:
		case !c.Flat():
			c.AppendLevels(e.def, e.rep)
		case e.value != nil:
			c.SetValid()
		default:
			c.SetNull()
		}
		if e.value != nil {
			appendPlain(c, e.value)
		}
	}
}
