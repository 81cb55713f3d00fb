package rewrite

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// entry is one level entry of a leaf with its value in PLAIN form, without a length.
type entry struct {
	def, rep byte
	has      bool
	value    string
}

// rows are, by leaf, the entries of each row.
type rows [][][]entry

func (r rows) len() int { return len(r[0]) }

// without leaves out rows by position.
func (r rows) without(gone []int64) rows {
	out := make(rows, len(r))
	for leaf := range r {
		k := 0
		for i, e := range r[leaf] {
			if k < len(gone) && gone[k] == int64(i) {
				k++
				continue
			}
			out[leaf] = append(out[leaf], e)
		}
	}
	return out
}

func (r rows) and(o rows) rows {
	for leaf := range r {
		r[leaf] = append(r[leaf], o[leaf]...)
	}
	return r
}

// maker draws rows of a layout.
type maker struct {
	r      *rand.Rand
	layout *column.Layout
	pool   int // number of different values, about; 0 = they hardly repeat
	nulls  float64
	next   int64 // of the column "id"
	finite bool  // no NaNs and infinities
}

func (m *maker) row() [][]entry {
	out := make([][]entry, len(m.layout.Leaves))
	for _, n := range m.layout.Nodes {
		m.shred(out, n, 0, 0)
	}
	return out
}

func (m *maker) shred(out [][]entry, n *column.Node, def, rep byte) {
	absent := func(def byte) {
		for i := n.Lo; i < n.Hi; i++ {
			out[i] = append(out[i], entry{def: def, rep: rep})
		}
	}
	if !n.Field.Required {
		if m.r.Float64() < m.nulls {
			absent(def)
			return
		}
		def++
	}
	switch n.Field.Type.Kind {
	case column.Struct:
		for _, c := range n.Children {
			m.shred(out, c, def, rep)
		}
	case column.List, column.Map:
		count := m.r.IntN(4)
		if count == 0 {
			absent(def)
		}
		for i := range count {
			if i > 0 {
				rep = n.Rep
			}
			for _, c := range n.Children {
				m.shred(out, c, def+1, rep)
			}
		}
	default:
		leaf := &m.layout.Leaves[n.Leaf]
		out[n.Leaf] = append(out[n.Leaf], entry{def, rep, true, m.value(leaf)})
	}
}

func (m *maker) value(leaf *column.Leaf) string {
	if leaf.Path[0] == "id" {
		m.next++
		return string(binary.LittleEndian.AppendUint64(nil, uint64(m.next)))
	}
	n := m.r.Uint64()
	if m.pool > 0 {
		n = uint64(m.r.IntN(m.pool)) * 0x9e3779b97f4a7c15
	}
	var b []byte
	switch leaf.Physical {
	case column.PhysBool:
		b = []byte{byte(n >> 63)}
	case column.PhysInt32:
		b = binary.LittleEndian.AppendUint32(nil, uint32(int32(n>>32)>>(n%20)))
	case column.PhysInt64:
		b = binary.LittleEndian.AppendUint64(nil, uint64(int64(n)>>(n%40)))
	case column.PhysFloat:
		b = binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(m.float(n))))
	case column.PhysDouble:
		b = binary.LittleEndian.AppendUint64(nil, math.Float64bits(m.float(n)))
	case column.PhysFixed:
		for i := range leaf.FixedLen {
			b = append(b, byte(n>>(8*(i%8))))
		}
		if leaf.Type.Kind == column.Decimal {
			b[0], b[1] = byte(int8(b[0])>>7), byte(int8(b[0])>>7)
		}
	default:
		b = fmt.Appendf(nil, "välue %d%s", n, strings.Repeat("-", int(n%90)))
		if n%17 == 0 {
			b = b[:0]
		}
	}
	return string(b)
}

func (m *maker) float(n uint64) float64 {
	switch kind := n >> 59; {
	case m.finite:
	case kind == 0:
		return 0
	case kind == 1:
		return math.Copysign(0, -1)
	case kind == 2:
		return math.NaN()
	case kind == 3:
		return math.Inf(int(n&2) - 1)
	}
	return float64(int64(n)) / 1000
}

// put appends a row to the columns.
func put(s *column.Set, row [][]entry) {
	for i, es := range row {
		c := s.Columns[i]
		for _, e := range es {
			switch {
			case c.Leaf.MaxDef == 0:
			case !c.Flat():
				c.AppendLevels(e.def, e.rep)
			case e.has:
				c.SetValid()
			default:
				c.SetNull()
			}
			if e.has {
				appendPlain(c, []byte(e.value))
			}
		}
	}
}

func appendPlain(c *column.Column, v []byte) {
	switch c.Leaf.Physical {
	case column.PhysBool:
		c.AppendBool(v[0])
	case column.PhysInt32:
		c.AppendInt32(int32(binary.LittleEndian.Uint32(v)))
	case column.PhysFloat:
		c.AppendFloat(binary.LittleEndian.Uint32(v))
	case column.PhysInt64:
		c.AppendInt64(int64(binary.LittleEndian.Uint64(v)))
	case column.PhysDouble:
		c.AppendDouble(binary.LittleEndian.Uint64(v))
	case column.PhysFixed:
		c.AppendFixed(v)
	default:
		c.AppendBytes(v)
	}
}

// written is an input with what is in it.
type written struct {
	bytes   []byte
	metrics parquet.Metrics
	rows    rows
	layout  *column.Layout
}

// write makes a file of row groups of so many rows.
func (m *maker) write(t require.TestingT, o parquet.Options, groups ...int) *written {
	enc, err := parquet.NewEncoder(o)
	require.NoError(t, err)
	w := &written{rows: make(rows, len(m.layout.Leaves)), layout: m.layout}
	var chunks []*parquet.Chunk
	for _, n := range groups {
		g := parquet.NewRowGroup(m.layout, enc)
		for i := range n {
			row := m.row()
			put(g.Set(), row)
			for leaf := range row {
				w.rows[leaf] = append(w.rows[leaf], row[leaf])
			}
			if i%97 == 96 {
				require.NoError(t, g.Absorb())
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		chunks = append(chunks, c)
	}
	var buf bytes.Buffer
	w.metrics, err = parquet.WriteFile(&buf, m.layout, chunks, nil)
	require.NoError(t, err)
	w.bytes = buf.Bytes()
	return w
}

// input offers bytes as a file.
func input(path string, b []byte, deleted []int64) Input {
	return Input{Path: path, Size: int64(len(b)), Deleted: deleted, Open: func(context.Context) (io.ReaderAt, io.Closer, error) {
		return bytes.NewReader(b), io.NopCloser(nil), nil
	}}
}

// memory keeps outputs.
type memory struct {
	files map[string][]byte
	n     int
}

func (m *memory) options(l *column.Layout, p parquet.Options) Options {
	m.files = map[string][]byte{}
	return Options{
		Layout: l, Parquet: p, KeepMap: true,
		Name: func() string { m.n++; return fmt.Sprint("out", m.n) },
		Create: func(_ context.Context, path string, write func(io.Writer) error) (int64, error) {
			var buf bytes.Buffer
			if err := write(&buf); err != nil {
				return 0, err
			}
			m.files[path] = buf.Bytes()
			return int64(buf.Len()), nil
		},
	}
}

func field(name string, required bool, t column.Type) column.Field {
	return column.Field{Name: name, Required: required, Type: t}
}

func nested(name string, required bool, kind column.Kind, fields ...column.Field) column.Field {
	return column.Field{Name: name, Required: required, Type: column.Type{Kind: kind, Fields: fields}}
}

// number gives field ids in depth-first order, behind last.
func number(fields []column.Field, last *int) []column.Field {
	for i := range fields {
		*last++
		fields[i].ID = *last
		number(fields[i].Type.Fields, last)
	}
	return fields
}

func layoutOf(fields ...column.Field) *column.Layout {
	l, err := column.NewLayout(number(fields, new(int)))
	if err != nil {
		panic(err)
	}
	return l
}
