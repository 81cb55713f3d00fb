package rewrite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"

	apq "github.com/apache/arrow-go/v18/parquet"
	apf "github.com/apache/arrow-go/v18/parquet/file"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// add enters an entry into the rows of a leaf.
func add(rs [][]entry, e entry) [][]entry {
	if e.rep == 0 {
		return append(rs, []entry{e})
	}
	rs[len(rs)-1] = append(rs[len(rs)-1], e)
	return rs
}

// requireRows names the first difference.
func requireRows(t require.TestingT, l *column.Layout, want, got rows) {
	require.Len(t, got, len(want))
	for leaf := range want {
		require.Len(t, got[leaf], len(want[leaf]), "rows of column %s", l.Leaves[leaf].Name())
		for i := range want[leaf] {
			if !slices.Equal(want[leaf][i], got[leaf][i]) {
				require.Equal(t, want[leaf][i], got[leaf][i], "column %s, row %d", l.Leaves[leaf].Name(), i)
			}
		}
	}
}

// readGo reads every leaf with parquet-go.
func readGo(t require.TestingT, b []byte) rows {
	f, err := pq.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	out := make(rows, len(f.Schema().Columns()))
	for _, rg := range f.RowGroups() {
		for i, chunk := range rg.ColumnChunks() {
			leaf, _ := f.Schema().Lookup(f.Schema().Columns()[i]...)
			pages := chunk.Pages()
			for {
				p, err := pages.ReadPage()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				values := make([]pq.Value, p.NumValues())
				n, err := p.Values().ReadValues(values)
				if err != nil {
					require.ErrorIs(t, err, io.EOF)
				}
				require.Len(t, values, n)
				for _, v := range values {
					e := entry{def: byte(v.DefinitionLevel()), rep: byte(v.RepetitionLevel())}
					if v.DefinitionLevel() == leaf.MaxDefinitionLevel {
						e.has, e.value = true, goPlain(v)
					}
					out[i] = add(out[i], e)
				}
				pq.Release(p)
			}
			require.NoError(t, pages.Close())
		}
	}
	return out
}

func str32(v uint32) string { return string(binary.LittleEndian.AppendUint32(nil, v)) }
func str64(v uint64) string { return string(binary.LittleEndian.AppendUint64(nil, v)) }

func strBool(v bool) string {
	if v {
		return "\x01"
	}
	return "\x00"
}

func goPlain(v pq.Value) string {
	switch v.Kind() {
	case pq.Boolean:
		return strBool(v.Boolean())
	case pq.Int32:
		return str32(uint32(v.Int32()))
	case pq.Int64:
		return str64(uint64(v.Int64()))
	case pq.Float:
		return str32(math.Float32bits(v.Float()))
	case pq.Double:
		return str64(math.Float64bits(v.Double()))
	default:
		return string(v.ByteArray())
	}
}

// readArrow reads every leaf with arrow-go.
func readArrow(t require.TestingT, b []byte) rows {
	r, err := apf.NewParquetReader(bytes.NewReader(b))
	require.NoError(t, err)
	defer r.Close()
	out := make(rows, r.MetaData().Schema.NumColumns())
	for g := range r.NumRowGroups() {
		rg := r.RowGroup(g)
		for i := range out {
			cr, err := rg.Column(i)
			require.NoError(t, err)
			md, err := rg.MetaData().ColumnChunk(i)
			require.NoError(t, err)
			for _, e := range readArrowColumn(t, cr, int(md.NumValues())) {
				out[i] = add(out[i], e)
			}
		}
	}
	return out
}

func readArrowColumn(t require.TestingT, cr apf.ColumnChunkReader, n int) []entry {
	switch r := cr.(type) {
	case *apf.BooleanColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, strBool)
	case *apf.Int32ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v int32) string { return str32(uint32(v)) })
	case *apf.Int64ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v int64) string { return str64(uint64(v)) })
	case *apf.Float32ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v float32) string { return str32(math.Float32bits(v)) })
	case *apf.Float64ColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v float64) string { return str64(math.Float64bits(v)) })
	case *apf.FixedLenByteArrayColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v apq.FixedLenByteArray) string { return string(v) })
	case *apf.ByteArrayColumnChunkReader:
		return arrowBatches(t, cr, n, r.ReadBatch, func(v apq.ByteArray) string { return string(v) })
	}
	require.Failf(t, "unknown reader", "%T", cr)
	return nil
}

func arrowBatches[T any](t require.TestingT, cr apf.ColumnChunkReader, n int, read func(int64, []T, []int16, []int16) (int64, int, error), plain func(T) string) []entry {
	var es []entry
	values := make([]T, n)
	def, rep := make([]int16, n), make([]int16, n)
	maxDef, maxRep := cr.Descriptor().MaxDefinitionLevel(), cr.Descriptor().MaxRepetitionLevel()
	for n > 0 {
		total, _, err := read(int64(n), values, def, rep)
		require.NoError(t, err)
		require.Positive(t, total)
		k := 0
		for i := range int(total) {
			var e entry
			if maxRep > 0 {
				e.rep = byte(rep[i])
			}
			if maxDef > 0 {
				e.def = byte(def[i])
			}
			if int16(e.def) == maxDef {
				e.has, e.value = true, plain(values[k])
				k++
			}
			es = append(es, e)
		}
		n -= int(total)
	}
	return es
}
