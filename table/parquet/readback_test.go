package parquet

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	apq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// readGo reads every leaf with parquet-go.
func readGo(t testing.TB, b []byte) [][]entry {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	var out [][]entry
	for _, rg := range f.RowGroups() {
		for i, chunk := range rg.ColumnChunks() {
			if i == len(out) {
				out = append(out, nil)
			}
			pages := chunk.Pages()
			maxDef := f.Schema().Columns()[i]
			leaf, _ := f.Schema().Lookup(maxDef...)
			for {
				p, err := pages.ReadPage()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				out[i] = appendGoPage(t, out[i], p, leaf.MaxDefinitionLevel)
				pq.Release(p)
			}
			require.NoError(t, pages.Close())
		}
	}
	return out
}

func appendGoPage(t testing.TB, es []entry, p pq.Page, maxDef int) []entry {
	t.Helper()
	values := make([]pq.Value, p.NumValues())
	n, err := p.Values().ReadValues(values)
	if err != nil {
		require.ErrorIs(t, err, io.EOF)
	}
	require.Len(t, values, n)
	for _, v := range values {
		e := entry{def: byte(v.DefinitionLevel()), rep: byte(v.RepetitionLevel())}
		if v.DefinitionLevel() == maxDef {
			e.value = goPlain(v)
		}
		es = append(es, e)
	}
	return es
}

func goPlain(v pq.Value) []byte {
	switch v.Kind() {
	case pq.Boolean:
		if v.Boolean() {
			return []byte{1}
		}
		return []byte{0}
	case pq.Int32:
		return le32(uint32(v.Int32()))
	case pq.Int64:
		return le64(uint64(v.Int64()))
	case pq.Float:
		return le32(math.Float32bits(v.Float()))
	case pq.Double:
		return le64(math.Float64bits(v.Double()))
	default:
		return append([]byte{}, v.ByteArray()...)
	}
}

// readArrow reads every leaf with arrow-go.
func readArrow(t testing.TB, b []byte) [][]entry {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(b))
	require.NoError(t, err)
	out := make([][]entry, r.MetaData().Schema.NumColumns())
	for g := range r.NumRowGroups() {
		for i := range out {
			cr, err := r.RowGroup(g).Column(i)
			require.NoError(t, err)
			n := int(r.MetaData().RowGroups[g].Columns[i].MetaData.NumValues)
			out[i] = append(out[i], arrowEntries(t, cr, n)...)
		}
	}
	return out
}

func arrowEntries(t testing.TB, cr file.ColumnChunkReader, n int) []entry {
	t.Helper()
	switch r := cr.(type) {
	case *file.BooleanColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v bool) []byte {
			if v {
				return []byte{1}
			}
			return []byte{0}
		})
	case *file.Int32ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v int32) []byte { return le32(uint32(v)) })
	case *file.Int64ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v int64) []byte { return le64(uint64(v)) })
	case *file.Float32ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v float32) []byte { return le32(math.Float32bits(v)) })
	case *file.Float64ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v float64) []byte { return le64(math.Float64bits(v)) })
	case *file.FixedLenByteArrayColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v apq.FixedLenByteArray) []byte { return append([]byte{}, v...) })
	case *file.ByteArrayColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v apq.ByteArray) []byte { return append([]byte{}, v...) })
	}
	require.Failf(t, "unknown reader", "%T", cr)
	return nil
}

func arrowBatches[T any](t testing.TB, cr file.ColumnChunkReader, n int,
	read func(int64, []T, []int16, []int16) (int64, int, error), plain func(T) []byte) []entry {
	t.Helper()
	var es []entry
	values := make([]T, n)
	def, rep := make([]int16, n), make([]int16, n)
	maxDef := cr.Descriptor().MaxDefinitionLevel()
	for n > 0 {
		total, _, err := read(int64(n), values, def, rep)
		require.NoError(t, err)
		require.Positive(t, total)
		k := 0
		for i := range int(total) {
			e := entry{}
			if cr.Descriptor().MaxRepetitionLevel() > 0 {
				e.rep = byte(rep[i])
			}
			if maxDef > 0 {
				e.def = byte(def[i])
			}
			if int16(e.def) == maxDef {
				e.value = plain(values[k])
				k++
			}
			es = append(es, e)
		}
		n -= int(total)
	}
	return es
}

// requireEntries compares what was read with the oracle, value by value.
func requireEntries(t testing.TB, l *column.Layout, want, got [][]entry) {
	t.Helper()
	if len(got) == 0 { // no row groups
		got = make([][]entry, len(want))
	}
	require.Len(t, got, len(want))
	for i := range want {
		require.Lenf(t, got[i], len(want[i]), "column %s", l.Leaves[i].Name())
		for k, w := range want[i] {
			g := got[i][k]
			if g.def != w.def || g.rep != w.rep || (g.value == nil) != (w.value == nil) || !bytes.Equal(g.value, w.value) {
				require.Failf(t, "entries differ", "column %s entry %d: %v, not %v", l.Leaves[i].Name(), k, g, w)
			}
		}
	}
}

// written is a file with what went into it.
type written struct {
	bytes   []byte
	metrics Metrics
	layout  *column.Layout
	entries [][]entry
	opts    Options
}

// check reads the file with both libraries and checks everything the file says about itself.
func (w *written) check(t testing.TB) {
	t.Helper()
	if w.opts.Codec != LZ4 {
		// parquet-go 0.32 loses an LZ4 page whose decompression needed a larger buffer (Column.decompress).
		requireEntries(t, w.layout, w.entries, readGo(t, w.bytes))
	}
	requireEntries(t, w.layout, w.entries, readArrow(t, w.bytes))
	w.checkSchema(t)
	w.checkPages(t)
	if !w.opts.NoPageIndex {
		w.checkSeeks(t)
	}
	w.checkMetrics(t)
}

// writeRows makes a file of one row group, absorbed in small batches.
func writeRows(t testing.TB, d *data, rows int, o Options) *written {
	t.Helper()
	g := newGroup(t, d.layout, o)
	c := fillChunk(t, g, d, rows)
	return finishFile(t, d, o, c)
}

func newGroup(t testing.TB, l *column.Layout, o Options) *RowGroup {
	t.Helper()
	enc, err := NewEncoder(o)
	require.NoError(t, err)
	return NewRowGroup(l, enc)
}

func fillChunk(t testing.TB, g *RowGroup, d *data, rows int) *Chunk {
	t.Helper()
	for i := range rows {
		d.row(g.Set())
		if i%97 == 96 {
			require.NoError(t, g.Absorb())
		}
	}
	c, err := g.Finish()
	require.NoError(t, err)
	require.EqualValues(t, rows, c.Rows)
	return c
}

func finishFile(t testing.TB, d *data, o Options, chunks ...*Chunk) *written {
	t.Helper()
	var buf bytes.Buffer
	m, err := WriteFile(&buf, d.layout, chunks, map[string]string{"k": "v"})
	require.NoError(t, err)
	require.EqualValues(t, buf.Len(), m.FileSize)
	return &written{bytes: buf.Bytes(), metrics: m, layout: d.layout, entries: d.entries, opts: o}
}
