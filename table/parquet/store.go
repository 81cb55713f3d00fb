package parquet

import "encoding/binary"

// rawBlock is the most bytes of a block in a zstd frame.
const rawBlock = 128 << 10

// appendStored appends raw as a zstd frame that stores it as it stands: what compression would do to bytes that cannot
// be compressed, without the search.
func appendStored(dst, raw []byte) []byte {
	// Magic number, a single segment, its size in four bytes.
	dst = append(dst, 0x28, 0xb5, 0x2f, 0xfd, 0xa0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(raw)))
	for {
		n := min(len(raw), rawBlock)
		head := uint32(n) << 3
		if n == len(raw) {
			head |= 1 // the last
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, raw[:n]...)
		if raw = raw[n:]; len(raw) == 0 {
			return dst
		}
	}
}

// Store appends the body of a page that is known not to become smaller: packed integers and references, mostly.
func (b *ColumnBuilder) Store(body []byte, p *PageInfo) error {
	e := b.enc
	if e.opts.Codec != Zstd {
		return b.Add(body, p)
	}
	e.comp.out = appendStored(e.comp.out[:0], body)
	page, err := e.wrap(pageHeader{entries: p.Entries, encoding: p.Encoding}, body, e.comp.out)
	if err != nil {
		return err
	}
	b.append(page, p)
	return nil
}
