package parquet

import "fmt"

// literalPolicy decides whether zstd shall entropy code literals of a column's pages even where it finds no matches.
// At its fastest level it leaves such bytes as they are, which doubles a column of hexadecimal ids, say; on most
// data the effort is lost. One page in a while is compressed both ways, and the smaller one wins for the next.
type literalPolicy struct {
	on    bool
	until int // pages to go before the next trial
}

const (
	literalTrial = 64   // pages between two trials
	literalGain  = 0.98 // what the larger effort must reach
	literalSize  = 8192 // bytes below which a page is not worth a trial

	// literalSample is what a trial takes of a page that is more than twice as large: dictionaries of megabytes.
	literalSample = 128 << 10
)

// seal compresses a page the better way.
func (p *literalPolicy) seal(e *Encoder, h pageHeader, raw []byte) (sealed, error) {
	if e.opts.Codec != Zstd || len(raw) < literalSize {
		return e.seal(h, raw, p.on)
	}
	if p.until > 0 {
		p.until--
		return e.seal(h, raw, p.on)
	}
	p.until = literalTrial
	if len(raw) > 2*literalSample {
		if err := p.sample(e, raw[:literalSample]); err != nil {
			return sealed{}, err
		}
		return e.seal(h, raw, p.on)
	}
	dull, err := e.seal(h, raw, false)
	if err != nil {
		return dull, err
	}
	keen, err := e.seal(h, raw, true)
	if err != nil {
		return keen, err
	}
	p.decide(len(dull.data), len(keen.data))
	if p.on {
		return keen, nil
	}
	return dull, nil
}

// decide compares the sizes of a page without and with entropy coded literals.
func (p *literalPolicy) decide(dull, keen int) { p.on = float64(keen) < literalGain*float64(dull) }

// sample tries both ways on a part of a page.
func (p *literalPolicy) sample(e *Encoder, part []byte) error {
	var sizes [2]int
	for i, literals := range []bool{false, true} {
		b, err := e.comp.compress(part, literals)
		if err != nil {
			return fmt.Errorf("compressing a part of a page: %w", err)
		}
		sizes[i] = len(b)
	}
	p.decide(sizes[0], sizes[1])
	return nil
}
