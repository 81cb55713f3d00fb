package rewrite

import (
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// readBytes is what is read of a column chunk at a time.
	readBytes = 1 << 20
	// headerBytes is enough for a page header with statistics of usual size.
	headerBytes = 1 << 10
	// maxHeader is the most bytes of a header: statistics with long values stand in it.
	maxHeader = 1 << 20
)

// pages reads the pages of a column chunk one after the other, with little more than one in memory.
type pages struct {
	f   *file
	at  int64 // file offset of buf[lo]
	end int64 // of the chunk
	buf []byte
	lo  int
}

// start goes to the beginning of a chunk.
func (p *pages) start(f *file, md *format.ColumnMetaData) {
	p.f, p.at = f, chunkStart(md)
	p.end = p.at + md.TotalCompressedSize
	p.buf, p.lo = p.buf[:0], 0
}

// more tells whether another page follows.
func (p *pages) more() bool { return p.at < p.end }

// next gives a page with its header; it is good until the following call.
func (p *pages) next() (h header, page []byte, err error) {
	for want := headerBytes; ; want *= 4 {
		have, err := p.fill(want)
		if err != nil {
			return h, nil, err
		}
		var ok bool
		if h, ok = parseHeader(p.buf[p.lo : p.lo+have]); ok {
			break
		}
		if have < want || want >= maxHeader {
			return h, nil, errHeader
		}
	}
	if !h.sane() {
		return h, nil, errHeader
	}
	n := h.size + h.compressed
	have, err := p.fill(n)
	if err != nil {
		return h, nil, err
	}
	if have < n {
		return h, nil, errShort
	}
	page = p.buf[p.lo : p.lo+n : p.lo+n]
	p.lo += n
	p.at += int64(n)
	if h.hasCRC && crc32.ChecksumIEEE(page[h.size:]) != h.crc {
		return h, nil, errCRC
	}
	return h, page, nil
}

// fill makes that many bytes of the chunk lie in buf from lo on, or as many as are left.
func (p *pages) fill(n int) (int, error) {
	n = int(min(int64(n), p.end-p.at))
	have := len(p.buf) - p.lo
	if have >= n {
		return n, nil
	}
	size := int(min(int64(max(n, readBytes)), p.end-p.at))
	if cap(p.buf) < size {
		grown := make([]byte, 0, size)
		p.buf = append(grown, p.buf[p.lo:]...)
	} else {
		p.buf = p.buf[:copy(p.buf[:have], p.buf[p.lo:])]
	}
	p.lo = 0
	err := p.f.readAt(p.buf[have:size], p.at+int64(have))
	p.buf = p.buf[:size]
	return n, err
}
