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

// smallPage is the number of values below which a page without history is not worth compressing both ways.
const smallPage = 2048

// glanceFactor is how much smaller than the bare values dictionary and references must be at a glance; compression would
// take about as much from the values.
const glanceFactor = 0.5

// judge looks at the dictionary of the open page before the page is encoded. If it does not pay it is dropped, when no
// page refers to it yet, or else takes no more values after this page (stop).
func (w *columnWriter) judge(e *Encoder, last bool) (stop bool, err error) {
	p := &w.policy
	first := w.chunk.counts.dictionary == 0
	var pays bool
	if p.verdict == untried && w.col.Values() < smallPage {
		pays = w.glance()
	} else {
		if p.verdict == untried {
			if err := w.trial(e); err != nil {
				return false, err
			}
		}
		pays = w.pays(e, last)
		p.verdict = dictionary
		if first && !pays {
			p.verdict = plain
		}
	}
	if first && !pays {
		w.col.DropDict()
		return false, nil
	}
	return !pays, nil
}

// pays asks the policy about the dictionary as it stands.
func (w *columnWriter) pays(e *Encoder, last bool) bool {
	c, p := w.col, &w.policy
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
	if w.chunk.counts.dictionary == 0 {
		f.values = values // nothing is spent yet: all of it counts
	}
	return p.pays(f, factor)
}

// glance decides about a small page by sizes before compression. It teaches nothing about the column.
func (w *columnWriter) glance() bool {
	dict, entries, values := len(w.col.DictPlain()), w.col.DictLen(), float64(w.col.Values())
	bare := values * float64(dict) / float64(entries)
	return float64(dict)+values*indexBytes(float64(entries)) < glanceFactor*bare
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
