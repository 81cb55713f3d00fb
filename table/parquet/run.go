package parquet

import (
	"bytes"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// Order says that the rows of a chunk are sorted, and from where to where.
type Order struct {
	Keys []column.SortKey
	// First and Last are the keys of the first and the last row, in a form that compares as bytes.
	First, Last []byte
}

// Before tells whether rows of another chunk may follow: o nor p is out of order then. Rows with equal keys may be in
// both.
func (o *Order) Before(p *Order) bool {
	return o != nil && p != nil && bytes.Compare(o.Last, p.First) <= 0
}

// columns is how the footer of a file says it.
func (o *Order) columns() thrift.Slice[format.SortingColumn] {
	if o == nil {
		return nil
	}
	var out thrift.Slice[format.SortingColumn]
	for _, k := range o.Keys {
		out = append(out, format.SortingColumn{ColumnIdx: int32(k.Leaf), Descending: k.Descending, NullsFirst: k.NullsFirst})
	}
	return out
}

// run holds the rows of a sorted row group back until it ends: then they go through the pages in order, a column at a
// time. The rows wait in the set that programs append to, which has no dictionaries; pages have columns of their own.
type run struct {
	keys  []column.SortKey
	paged *column.Set
	order *column.Sorting // while the row group ends
	rows  column.Gather
	// ratio is the encoded size of the rows of the last run, by what they took here.
	ratio float64
}

// Sorted makes the row group sort its rows when it ends. It is called before the first row.
func (g *RowGroup) Sorted(keys []column.SortKey) {
	if len(keys) == 0 {
		return
	}
	g.run = &run{keys: keys, paged: g.set, ratio: freshRatio}
	g.set = column.NewSet(g.layout)
}

// absorb makes the rows that wait permanent; they stay as they are.
func (r *run) absorb(held *column.Set) {
	for _, c := range held.Columns {
		c.Absorb()
	}
}

// sort orders the rows. Text is repaired before: what replaces it has another place.
func (r *run) sort(held *column.Set) *Order {
	for _, k := range r.keys {
		held.Columns[k.Leaf].RepairText()
	}
	r.order = held.Sort(r.keys)
	return &Order{Keys: r.keys, First: bytes.Clone(r.order.First()), Last: bytes.Clone(r.order.Last())}
}

// moveRows is how many rows of a column are moved at once: as many as a lane absorbs.
const moveRows = 512

// move puts the rows of one column into pages, in order.
func (g *RowGroup) move(i int) error {
	if g.run == nil || g.run.order == nil {
		return nil
	}
	g.run.rows.Of(g.set.Columns[i])
	for rows := g.run.order.Rows; len(rows) > 0; {
		n := min(moveRows, len(rows))
		g.run.rows.Append(g.writers[i].col, rows[:n])
		if err := g.writers[i].absorb(g.enc); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// end forgets the rows and learns from the chunk that they have become.
func (r *run) end(held *column.Set, c *Chunk) {
	for i := range c.columns {
		c.columns[i].totals.repaired += held.Columns[i].TakeRepaired()
	}
	if n := plainBytes(held); n > 0 {
		r.ratio = float64(c.Bytes) / float64(n)
	}
	r.reset(held)
}

// reset drops the rows.
func (r *run) reset(held *column.Set) {
	held.Reset()
	for _, c := range held.Columns {
		c.TakeRepaired()
	}
	r.order, r.rows = nil, column.Gather{}
}

// bytes is what the run takes beside the rows: what sorting them will take, and what will become of them meanwhile.
func (r *run) bytes(held *column.Set) int64 {
	return r.paged.Bytes() + held.SortedBytes(r.keys) + r.estimate(held)
}

// estimate is the encoded size of the rows.
func (r *run) estimate(held *column.Set) int64 { return int64(r.ratio * float64(plainBytes(held))) }

func plainBytes(s *column.Set) int64 {
	var n int64
	for _, c := range s.Columns {
		n += int64(c.PageBytes())
	}
	return n
}
