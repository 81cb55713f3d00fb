package parquet

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// checkSeeks lets arrow-go jump to rows by our offset index, and holds our column index, as arrow-go decodes it,
// against the entries between the jumps.
func (w *written) checkSeeks(t testing.TB) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(w.bytes))
	require.NoError(t, err)
	used := make([]int, len(w.layout.Leaves))
	for g := range r.NumRowGroups() {
		meta := r.MetaData().RowGroups[g]
		index, err := r.GetPageIndexReader().RowGroup(g)
		require.NoError(t, err)
		for i := range w.layout.Leaves {
			n := int(meta.Columns[i].MetaData.NumValues)
			es := w.entries[i][used[i] : used[i]+n]
			used[i] += n
			begins := rowBegins(es)
			require.Len(t, begins, int(meta.NumRows))
			offsets, err := index.GetOffsetIndex(i)
			require.NoError(t, err)
			pages := offsets.GetPageLocations()
			rows := []int{int(pages[len(pages)/2].FirstRowIndex), int(pages[len(pages)-1].FirstRowIndex)}
			if w.layout.Leaves[i].MaxRep == 0 { // within a page, arrow-go skips entries, not rows
				rows = append(rows, 0, len(begins)/2, len(begins)-1)
			}
			for _, row := range rows {
				cr, err := r.RowGroup(g).Column(i)
				require.NoError(t, err)
				require.NoError(t, cr.SeekToRow(int64(row)))
				want := es[begins[row]:]
				requireEntries(t, w.layout, [][]entry{want}, [][]entry{arrowEntries(t, cr, len(want))})
			}
			columns, err := index.GetColumnIndex(i)
			require.NoError(t, err)
			if columns == nil {
				continue // pages without bounds that fit
			}
			require.Len(t, columns.GetNullPages(), len(pages))
			for k, p := range pages {
				end := len(es)
				if k+1 < len(pages) {
					end = begins[pages[k+1].FirstRowIndex]
				}
				w.checkArrowBounds(t, i, oracleStats(&w.layout.Leaves[i], es[begins[p.FirstRowIndex]:end]), arrowBounds{
					nulls: columns.GetNullCounts()[k], allNull: columns.GetNullPages()[k], lo: columns.GetMinValues()[k], hi: columns.GetMaxValues()[k],
				})
			}
		}
	}
}

// rowBegins is the entry at which each row begins.
func rowBegins(es []entry) []int {
	var out []int
	for i := range es {
		if es[i].rep == 0 {
			out = append(out, i)
		}
	}
	return out
}

type arrowBounds struct {
	nulls   int64
	allNull bool
	lo, hi  []byte
}

func (w *written) checkArrowBounds(t testing.TB, leaf int, st oracle, got arrowBounds) {
	t.Helper()
	l := &w.layout.Leaves[leaf]
	require.Equal(t, st.Nulls, got.nulls, l.Name())
	require.Equal(t, !st.has && st.NaNs == 0, got.allNull, l.Name())
	if st.has {
		require.LessOrEqual(t, st.compare(l, got.lo, st.min), 0, l.Name())
		require.GreaterOrEqual(t, st.compare(l, got.hi, st.max), 0, l.Name())
	}
}

// Whatever is written, in whatever options: two libraries read it back, jump in it, and everything the file says
// about itself is what a look at every value finds.
func TestRandomFiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var fields []column.Field
		for i, kind := range rapid.SliceOfN(rapid.SampledFrom(primitives), 1, 3).Draw(rt, "kinds") {
			typ := typeOf(kind)
			if kind == column.Decimal {
				typ.Precision = rapid.SampledFrom([]int{1, 9, 10, 18, 19, 38}).Draw(rt, "precision")
				typ.Scale = rapid.IntRange(0, typ.Precision).Draw(rt, "scale")
			}
			if kind == column.Fixed {
				typ.Length = rapid.SampledFrom([]int{1, 16, 17, 64, 65}).Draw(rt, "length")
			}
			shape := rapid.SampledFrom(shapes(typ)).Draw(rt, "shape")
			shape.Name = string(rune('a' + i))
			fields = append(fields, shape)
		}
		d := newData(layoutOf(fields...), rapid.Uint64().Draw(rt, "seed"))
		d.nulls = rapid.SampledFrom([]float64{0, 0.1, 0.9, 1}).Draw(rt, "nulls")
		d.pool = rapid.SampledFrom([]int{0, 1, 3, 100}).Draw(rt, "pool")
		o := Options{
			Codec: Codec(rapid.IntRange(0, codecs-1).Draw(rt, "codec")), Encoding: Encoding(rapid.IntRange(0, encodings-1).Draw(rt, "encoding")),
			PageRows: rapid.IntRange(1, 200).Draw(rt, "page rows"), PageBytes: rapid.SampledFrom([]int{0, 64, 1000}).Draw(rt, "page bytes"),
			DictBytes: rapid.SampledFrom([]int{0, 100}).Draw(rt, "dictionary bytes"),
		}
		g := newGroup(t, d.layout, o)
		var chunks []*Chunk
		for range rapid.IntRange(1, 3).Draw(rt, "row groups") {
			chunks = append(chunks, fillChunk(t, g, d, rapid.IntRange(1, 300).Draw(rt, "rows")))
		}
		finishFile(t, d, o, chunks...).check(t)
	})
}
