package column

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// The oracle of a column is the list of its entries, kept the slow way. A driver draws operations from a source of
// numbers (rapid or fuzz bytes), applies each to a Column and to the oracle, and compares what the page shows.

// source is where random decisions come from: a number in [0,n).
type source interface{ intn(n int) int }

// maxTestPage keeps the comparison after each step cheap.
const maxTestPage = 1500

// entry is one level entry with its value in PLAIN form, nil when there is none.
type entry struct {
	def, rep byte
	value    []byte
}

// testLeaf is a leaf of the driver's choice.
func testLeaf(kind Kind, def, rep uint8) Leaf {
	t := Type{Kind: kind}
	switch kind {
	case Decimal:
		t.Precision = 25
	case Fixed:
		t.Length = 5
	default:
	}
	l := LeafOf(t)
	l.Path, l.MaxDef, l.MaxRep = []string{"c"}, def, rep
	return l
}

// leafShapes are the ways a leaf can stand in a table.
var leafShapes = []struct{ def, rep uint8 }{{0, 0}, {1, 0}, {2, 0}, {1, 1}, {2, 1}, {3, 1}, {5, 2}}

// primitives are the kinds with a leaf.
var primitives = []Kind{
	Boolean, Int, Long, Float, Double, Decimal, Date, Time, Timestamp, TimestampTZ, TimestampNs, TimestampTZNs, String, UUID, Fixed, Binary,
}

// driver applies operations to a column and its oracle.
type driver struct {
	t        require.TestingT
	src      source
	col      *Column
	page     []entry // the open page
	absorbed int     // entries of it that are absorbed
	flushed  bool    // a page of this chunk refers to the dictionary
	repaired int64
}

func newDriver(t require.TestingT, src source) *driver {
	shape := leafShapes[src.intn(len(leafShapes))]
	l := testLeaf(primitives[src.intn(len(primitives))], shape.def, shape.rep)
	s := NewSet(&Layout{Leaves: []Leaf{l}})
	d := &driver{t: t, src: src, col: s.Columns[0]}
	d.col.UseDict(src.intn(2) == 1)
	return d
}

func (d *driver) step() {
	if len(d.page) > maxTestPage {
		d.endPage()
	}
	switch d.src.intn(16) {
	case 0:
		d.absorb()
	case 1:
		d.badRow()
	case 2:
		d.truncate()
	case 3:
		d.endPage()
	case 4:
		if d.src.intn(4) == 0 {
			d.dropDict()
		}
	case 5:
		if d.src.intn(4) == 0 {
			d.endChunk()
		}
	default:
		for range 1 + d.src.intn(40) {
			d.row()
		}
	}
	d.compare()
}

// row appends a whole row.
func (d *driver) row() {
	for _, e := range d.drawRow() {
		d.appendLevel(e)
		if e.value != nil {
			d.appendValue(e.value)
		}
		d.page = append(d.page, e)
	}
}

// drawRow makes the entries of one row.
func (d *driver) drawRow() []entry {
	leaf := &d.col.Leaf
	n := 1
	if leaf.MaxRep > 0 {
		n += d.src.intn(4)
	}
	var es []entry
	for i := range n {
		e := entry{def: byte(d.src.intn(int(leaf.MaxDef) + 1))}
		if i > 0 {
			e.rep = byte(1 + d.src.intn(int(leaf.MaxRep)))
		}
		if d.src.intn(3) > 0 {
			e.def = leaf.MaxDef
		}
		if e.def == leaf.MaxDef {
			e.value = d.drawValue()
		}
		es = append(es, e)
	}
	return es
}

// drawValue is a value in PLAIN form without length; lengths straddle the borders of the copying and hashing code.
func (d *driver) drawValue() []byte {
	leaf := &d.col.Leaf
	small := d.src.intn(2) == 0
	switch leaf.Physical {
	case PhysBool:
		return []byte{byte(d.src.intn(2))}
	case PhysInt32, PhysFloat:
		return binary.LittleEndian.AppendUint32(nil, uint32(d.drawNumber(small)))
	case PhysInt64, PhysDouble:
		return binary.LittleEndian.AppendUint64(nil, d.drawNumber(small))
	case PhysFixed:
		v := make([]byte, leaf.FixedLen)
		v[d.src.intn(len(v))] = byte(d.src.intn(4) * 85)
		return v
	default:
		return d.drawText()
	}
}

func (d *driver) drawText() []byte {
	n := []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 64, 200}[d.src.intn(18)]
	v := []byte(strings.Repeat(string(rune('a'+d.src.intn(3))), n))
	if n > 0 && d.src.intn(4) == 0 {
		v[d.src.intn(n)] = byte('0' + d.src.intn(10))
	}
	if n > 2 && d.src.intn(16) == 0 {
		copy(v[d.src.intn(n-1):], []byte{0xc3, 0xa4})
	}
	if n > 0 && d.src.intn(32) == 0 {
		v[d.src.intn(n)] = 0xff
	}
	return v
}

func (d *driver) drawNumber(small bool) uint64 {
	if small {
		return uint64(d.src.intn(10))
	}
	switch d.col.Leaf.Physical {
	case PhysFloat:
		return uint64(math.Float32bits([]float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), 1.5, -2, float32(math.Inf(1))}[d.src.intn(6)]))
	case PhysDouble:
		return math.Float64bits([]float64{0, math.Copysign(0, -1), math.NaN(), 1.5, -2, math.Inf(1)}[d.src.intn(6)])
	default:
		return uint64(d.src.intn(1<<16))<<48 | uint64(d.src.intn(1<<16))<<16 | uint64(d.src.intn(1<<16))
	}
}

func (d *driver) appendLevel(e entry) {
	switch c := d.col; {
	case c.Leaf.MaxDef == 0:
	case !c.Flat():
		c.AppendLevels(e.def, e.rep)
	case e.value != nil:
		c.SetValid()
	default:
		c.SetNull()
	}
}

func (d *driver) appendValue(v []byte) {
	c := d.col
	switch c.Leaf.Physical {
	case PhysBool:
		c.AppendBool(v[0])
	case PhysInt32:
		c.AppendInt32(int32(binary.LittleEndian.Uint32(v)))
	case PhysFloat:
		c.AppendFloat(binary.LittleEndian.Uint32(v))
	case PhysInt64:
		c.AppendInt64(int64(binary.LittleEndian.Uint64(v)))
	case PhysDouble:
		c.AppendDouble(binary.LittleEndian.Uint64(v))
	case PhysFixed:
		c.AppendFixed(v)
	default:
		d.appendText(v)
	}
}

// appendText goes both ways, with the value at any distance from the end of its record.
func (d *driver) appendText(v []byte) {
	if d.src.intn(2) == 0 {
		d.col.AppendBytes(v)
		return
	}
	at, after := d.src.intn(4), d.src.intn(60)
	src := append(append(make([]byte, at), v...), make([]byte, after)...)
	d.col.AppendFrom(src[:len(src):len(src)], at, len(v))
}

// rowsOf counts the rows of entries.
func rowsOf(es []entry) int {
	n := 0
	for _, e := range es {
		if e.rep == 0 {
			n++
		}
	}
	return n
}

// badRow appends a row up to some entry, of which only the level or only the value arrives, and takes it back.
func (d *driver) badRow() {
	keep := rowsOf(d.page[d.absorbed:])
	for _, e := range d.drawRow() {
		part := d.src.intn(4)
		if part != 1 {
			d.appendLevel(e)
		}
		if part != 0 && e.value != nil {
			d.appendValue(e.value)
		}
		if part < 2 {
			break
		}
	}
	d.col.Truncate(keep)
}

// truncate takes back some of the whole rows that wait.
func (d *driver) truncate() {
	pending := rowsOf(d.page[d.absorbed:])
	keep := d.src.intn(pending + 1)
	d.col.Truncate(keep)
	for i := d.absorbed; i < len(d.page); i++ {
		if d.page[i].rep == 0 {
			if keep == 0 {
				d.page = d.page[:i]
				return
			}
			keep--
		}
	}
}

func (d *driver) absorb() {
	require.NoError(d.t, d.col.Check(rowsOf(d.page[d.absorbed:])))
	if d.col.DictOn() {
		d.repair(d.page[d.absorbed:])
	}
	d.col.Absorb()
	d.absorbed = len(d.page)
	require.Zero(d.t, d.col.Pending())
}

// repair does to the oracle what the column does to bad text.
func (d *driver) repair(es []entry) {
	if d.col.Leaf.Type.Kind != String {
		return
	}
	for i, e := range es {
		if e.value != nil && !utf8.Valid(e.value) {
			d.repaired++
			es[i].value = []byte(strings.ToValidUTF8(string(e.value), "\uFFFD"))
		}
	}
}

// endPage is what the page writer does: absorb, look, empty. Then the dictionary may be switched.
func (d *driver) endPage() {
	d.absorb()
	if !d.col.DictOn() {
		d.col.RepairText()
		d.repair(d.page)
	}
	d.compare()
	d.compareStats()
	d.flushed = d.flushed || len(d.col.Index()) > 0
	d.col.ResetPage()
	d.page, d.absorbed = d.page[:0], 0
	require.Equal(d.t, d.repaired, d.col.TakeRepaired())
	d.repaired = 0
	d.col.UseDict(d.src.intn(3) > 0)
}

func (d *driver) endChunk() {
	d.endPage()
	d.col.ResetChunk()
	d.flushed = false
	require.Zero(d.t, d.col.DictLen())
}

func (d *driver) dropDict() {
	if d.flushed || !d.col.DictOn() {
		return
	}
	d.absorb()
	d.col.DropDict()
	require.Zero(d.t, d.col.DictLen())
	require.False(d.t, d.col.DictOn())
}

// plainOf renders the values of a page, each as the driver drew it.
func plainOf(c *Column) [][]byte {
	var out [][]byte
	leaf := &c.Leaf
	split := func(b []byte) {
		for len(b) > 0 {
			n := leaf.FixedLen
			switch leaf.Physical {
			case PhysInt32, PhysFloat:
				n = 4
			case PhysInt64, PhysDouble:
				n = 8
			case PhysBytes:
				n = int(binary.LittleEndian.Uint32(b))
				b = b[4:]
			default:
			}
			out = append(out, b[:n:n])
			b = b[n:]
		}
	}
	if len(c.Index()) > 0 {
		split(c.DictPlain())
		dict := out
		out = nil
		for _, ref := range c.Index() {
			out = append(out, dict[ref])
		}
	}
	if leaf.Physical == PhysBool {
		for i := range c.count {
			out = append(out, []byte{c.Plain()[i>>3] >> (i & 7) & 1})
		}
		return out
	}
	split(c.Plain())
	return out
}

// compare holds the page against the oracle.
func (d *driver) compare() {
	c := d.col
	require.Equal(d.t, rowsOf(d.page), c.Rows())
	require.Equal(d.t, len(d.page), c.Entries())
	require.Equal(d.t, rowsOf(d.page[d.absorbed:]), c.Pending())
	var values [][]byte
	for i, e := range d.page {
		if e.value != nil {
			values = append(values, e.value)
		}
		d.compareLevel(i, e)
	}
	require.Equal(d.t, len(values), c.Values())
	got := plainOf(c)
	require.Len(d.t, got, len(values))
	for i, v := range values {
		if string(got[i]) != string(v) {
			require.Failf(d.t, "values differ", "value %d of %s: %x, not %x", i, c.Leaf.Type, got[i], v)
		}
	}
}

func (d *driver) compareLevel(i int, e entry) {
	c := d.col
	switch {
	case c.Leaf.MaxDef == 0:
	case c.Flat():
		if got := c.Validity()[i>>3] >> (i & 7) & 1; got != e.def {
			require.Failf(d.t, "validity differs", "row %d", i)
		}
	default:
		def, rep := c.Levels()
		got := entry{def: def[i]}
		if c.Leaf.MaxRep > 0 {
			got.rep = rep[i]
		}
		if got.def != e.def || got.rep != e.rep {
			require.Failf(d.t, "levels differ", "entry %d: %v, not %v", i, got, e)
		}
	}
}

func (d *driver) compareStats() {
	want := oracleStats(&d.col.Leaf, d.page)
	got := d.col.PageStats()
	require.Equal(d.t, fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got))
}
