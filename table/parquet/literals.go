package parquet

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
	dull, err := e.seal(h, raw, false)
	if err != nil {
		return dull, err
	}
	keen, err := e.seal(h, raw, true)
	if err != nil {
		return keen, err
	}
	p.on = float64(len(keen.data)) < literalGain*float64(len(dull.data))
	if p.on {
		return keen, nil
	}
	return dull, nil
}
