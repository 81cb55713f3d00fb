package rewrite

import (
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// flush encodes the open page.
func (w *worker) flush(j *columnJob) (err error) {
	p := &w.open
	if p.rows == 0 {
		return nil
	}
	info := parquet.PageInfo{Entries: p.entries, Rows: p.rows, Encoding: format.Plain}
	w.describe(j.leaf, &info)
	out, err := w.levels(j.leaf)
	if err != nil {
		return err
	}
	var values []byte
	switch {
	case p.mode == indexed && p.values > 0:
		info.Encoding = format.RLEDictionary
		out, err = parquet.AppendIndex(out, p.index, w.dict.n)
	case w.opts.Parquet.Encoding == parquet.Delta && (j.leaf.Physical == column.PhysInt64 || j.leaf.Physical == column.PhysInt32):
		info.Encoding = format.DeltaBinaryPacked
		values, err = w.pack(j.leaf)
	default:
		values = p.bare(j.leaf)
	}
	if err != nil {
		return err
	}
	w.encoded = out
	if len(out) > 0 {
		w.encoded = append(out, values...)
		values = w.encoded
	}
	j.merged++
	if w.dense && info.Encoding != format.Plain {
		err = j.out.Store(values, &info)
	} else {
		err = j.out.Add(values, &info)
	}
	p.reset()
	w.hull = hull{known: true}
	return err
}

// describe tells what is in the open page: what the indexes of the inputs say where they may speak, or else what its values
// are.
func (w *worker) describe(leaf *column.Leaf, info *parquet.PageInfo) {
	p := &w.open
	if w.hull.known && w.hull.lo != nil && p.values > 0 {
		var ok bool
		if info.Stats, ok = parquet.StatsOfBounds(leaf, w.hull.lo, w.hull.hi); ok {
			info.Lo, info.Hi = w.hull.lo, w.hull.hi
			info.Stats.Nulls = int64(p.entries - p.values)
			return
		}
	}
	info.Stats = w.stats.stats(leaf, p, &w.dict)
}

// pack encodes the integers of the open page.
func (w *worker) pack(leaf *column.Leaf) (b []byte, err error) {
	var e delta.BinaryPackedEncoding
	if leaf.Physical == column.PhysInt64 {
		b, err = e.EncodeInt64(w.packed, w.open.i64)
	} else {
		b, err = e.EncodeInt32(w.packed, w.open.i32)
	}
	w.packed = b
	return b, err
}

// levels encodes the levels of the open page.
func (w *worker) levels(leaf *column.Leaf) (out []byte, err error) {
	out = w.encoded[:0]
	if leaf.MaxRep > 0 {
		if out, err = parquet.AppendLevels(out, w.open.rep, leaf.MaxRep); err != nil {
			return nil, err
		}
	}
	if leaf.MaxDef > 0 {
		out, err = parquet.AppendLevels(out, w.open.def, leaf.MaxDef)
	}
	return out, err
}

// bare is the values in PLAIN layout.
func (p *page) bare(leaf *column.Leaf) []byte {
	switch leaf.Physical {
	case column.PhysInt64, column.PhysDouble:
		return raw(p.i64)
	case column.PhysInt32, column.PhysFloat:
		return raw(p.i32)
	default:
		return p.buf
	}
}
