package parquet

import (
	"github.com/parquet-go/parquet-go/encoding/delta"

	"github.com/ingestd/ingestd/table/column"
)

// How the sizes without a dictionary are weighed. Plain values cost several times more to compress than references,
// delta packing costs less than finding references.
const (
	plainFactor  = 1.1
	packedFactor = 0.9
)

// judge looks at the dictionary of the open page before the page is encoded. If it does not pay it is dropped, when no
// page refers to it yet, or else takes no more values after this page (stop).
func (w *columnWriter) judge(e *Encoder, last bool) (stop bool, err error) {
	c, p := w.col, &w.policy
	first := w.chunk.counts.dictionary == 0
	if p.verdict == untried {
		if err := w.trial(e); err != nil {
			return false, err
		}
	}
	factor := plainFactor
	if e.packs(c) {
		factor = packedFactor
	}
	values := w.flushed + c.Values()
	f := forecast{entries: c.DictLen(), left: p.left(values, last), rate: p.rate}
	if p.seen == 0 {
		f.rate = float64(f.entries) / float64(values)
	}
	size := max(1, len(c.DictPlain())/f.entries)
	f.room = max(0, e.opts.DictBytes-len(c.DictPlain())) / size
	if first {
		f.values = values
	}
	pays := p.pays(f, factor)
	switch {
	case first && !pays:
		p.verdict = plain
		c.DropDict()
	case first:
		p.verdict = dictionary
	}
	return !first && !last && !pays, nil
}

// trial measures what values and dictionary entries cost when compressed.
func (w *columnWriter) trial(e *Encoder) error {
	c, p := w.col, &w.policy
	dict, err := e.comp.compress(c.DictPlain(), w.literals[1].on)
	if err != nil {
		return err
	}
	p.entry = float64(len(dict)) / float64(c.DictLen())
	if e.packed, err = appendIndex(e.packed[:0], c.Index(), c.DictLen()); err != nil {
		return err
	}
	index, err := e.comp.compress(e.packed, w.literals[0].on)
	if err != nil {
		return err
	}
	p.shrink = float64(len(index)) / (float64(c.Values()) * indexBytes(float64(c.DictLen())))
	raw, err := e.undictionaried(c)
	if err != nil {
		return err
	}
	values, err := e.comp.compress(raw, w.literals[0].on)
	if err != nil {
		return err
	}
	p.plain = float64(len(values)) / float64(c.Values())
	return nil
}

// undictionaried encodes the values behind the references of the page the other way.
func (e *Encoder) undictionaried(c *column.Column) ([]byte, error) {
	var d delta.BinaryPackedEncoding
	var err error
	switch c.Leaf.Physical {
	case column.PhysInt64, column.PhysDouble:
		e.ints = c.ReferredInt64s(e.ints[:0])
		if e.packs(c) {
			e.packed, err = d.EncodeInt64(e.packed, e.ints)
			return e.packed, err
		}
		return littleEndian(e.ints), nil
	case column.PhysInt32, column.PhysFloat:
		e.shorts = c.ReferredInt32s(e.shorts[:0])
		if e.packs(c) {
			e.packed, err = d.EncodeInt32(e.packed, e.shorts)
			return e.packed, err
		}
		return littleEndian(e.shorts), nil
	default:
		e.plain = c.ReferredBytes(e.plain[:0])
		return e.plain, nil
	}
}
