package rowread

import (
	"errors"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// cursor walks the values of one column chunk, page by page.
type cursor struct {
	pages  parquet.Pages
	bytes  bool
	page   parquet.Page
	values parquet.ValueReader
	buf    [256]parquet.Value
	arena  []byte // of the batch
}

func (c *cursor) close() error {
	parquet.Release(c.page)
	return c.pages.Close()
}

// read puts the next n rows into out.
func (c *cursor) read(out *Column, n int) error {
	c.arena = c.arena[:0]
	for at := 0; at < n; {
		if c.values == nil {
			if err := c.turn(); err != nil {
				return err
			}
		}
		k, err := c.values.ReadValues(c.buf[:min(len(c.buf), n-at)])
		for i := range k {
			c.put(out, at+i, &c.buf[i])
		}
		at += k
		if errors.Is(err, io.EOF) {
			c.values = nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (c *cursor) turn() error {
	parquet.Release(c.page)
	c.page = nil
	p, err := c.pages.ReadPage()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF // the footer promised more rows
	}
	if err != nil {
		return err
	}
	c.page, c.values = p, p.Values()
	return nil
}

func (c *cursor) put(out *Column, row int, v *parquet.Value) {
	switch {
	case v.IsNull():
		out.Null[row] = true
	case c.bytes:
		b := v.ByteArray()
		if cap(c.arena)-len(c.arena) < len(b) { // what is filled already stays with its old array
			c.arena = make([]byte, 0, max(4096, 2*cap(c.arena), len(b)))
		}
		at := len(c.arena)
		c.arena = append(c.arena, b...)
		out.Bytes[row] = c.arena[at:len(c.arena):len(c.arena)]
	case v.Kind() == parquet.Boolean:
		out.Ints[row] = 0
		if v.Boolean() {
			out.Ints[row] = 1
		}
	case v.Kind() == parquet.Int32:
		out.Ints[row] = int64(v.Int32())
	default:
		out.Ints[row] = v.Int64()
	}
}

// reset makes room for n rows, all null or none.
func (c *Column) reset(n int, null bool) {
	c.Null = slices.Grow(c.Null[:0], n)[:n]
	c.Ints = slices.Grow(c.Ints[:0], n)[:n]
	c.Bytes = slices.Grow(c.Bytes[:0], n)[:n]
	for i := range c.Null {
		c.Null[i] = null
	}
	clear(c.Bytes)
}
