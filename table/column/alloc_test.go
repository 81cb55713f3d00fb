package column

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Appending, absorbing and emptying allocate nothing once buffers and dictionaries have their size.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	texts := []string{"", "short", "a value that needs the table for long ones", strings.Repeat("z", 300)}
	for _, kind := range primitives {
		for _, shape := range leafShapes {
			for _, dict := range []bool{false, true} {
				c := NewSet(&Layout{Leaves: []Leaf{testLeaf(kind, shape.def, shape.rep)}}).Columns[0]
				c.UseDict(dict)
				d := &driver{t: t, src: &bytesSource{}, col: c}
				fixed := make([]byte, c.Leaf.FixedLen)
				i := 0
				batch := func() {
					for range 100 {
						i++
						switch c.Leaf.Physical {
						case PhysBytes:
							c.AppendBytes([]byte(texts[i%len(texts)]))
						case PhysFixed:
							c.AppendFixed(fixed)
						default:
							d.appendValue([]byte{byte(i), 0, 0, 0, 0, 0, 0, 0})
						}
						d.appendLevel(entry{def: shape.def, value: fixed[:0:0]})
					}
					c.Absorb()
					c.PageStats()
					c.ResetPage()
				}
				for range 10 {
					batch()
				}
				require.Zero(t, testing.AllocsPerRun(20, batch), "%s %v dictionary %v", kind, shape, dict)
			}
		}
	}
}

// A table with many partitions has many sets: they must be next to nothing while empty and small when little is in them.
func TestMemoryStartsSmall(t *testing.T) {
	l := scatterLayout(t)
	s := NewSet(l)
	perColumn := func() int64 { return s.Bytes() / int64(len(l.Leaves)) }
	require.Less(t, perColumn(), int64(700))
	for _, d := range drivers(t, &bytesSource{}, s) {
		for range 10 {
			d.row()
		}
	}
	require.Less(t, perColumn(), int64(1200))
}
