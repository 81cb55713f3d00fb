package rewrite

import (
	"bytes"
	"encoding/binary"
	"math"

	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// checkStatements compares everything a file says about its rows with the rows.
func checkStatements(t require.TestingT, b []byte, out *Output, rs rows, l *column.Layout) {
	f, err := pq.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	m := &out.Metrics
	require.Len(t, m.SplitOffsets, len(f.Metadata().RowGroups))
	for i := range l.Leaves {
		leaf := &l.Leaves[i]
		var values, nulls, nans, compressed int64
		row := 0
		for g := range f.Metadata().RowGroups {
			rg := &f.Metadata().RowGroups[g]
			require.Equal(t, m.SplitOffsets[g], rg.FileOffset)
			md := &rg.Columns[i].MetaData
			part := rs[i][row : row+int(rg.NumRows)]
			compressed += md.TotalCompressedSize
			checkBounds(t, leaf, part, md.Statistics.MinValue, md.Statistics.MaxValue, md.Statistics.NullCount)
			checkIndex(t, f, g*len(l.Leaves)+i, leaf, part)
			row += int(rg.NumRows)
		}
		for _, es := range rs[i] {
			for _, e := range es {
				values++
				if !e.has {
					nulls++
				} else if nan(leaf, e.value) {
					nans++
				}
			}
		}
		require.Equal(t, values, m.ValueCounts[leaf.FieldID])
		require.Equal(t, nulls, m.NullCounts[leaf.FieldID])
		require.Equal(t, compressed, m.ColumnSizes[leaf.FieldID])
		if leaf.Physical == column.PhysDouble || leaf.Physical == column.PhysFloat {
			require.Equal(t, nans, m.NaNCounts[leaf.FieldID], leaf.Name())
		} else {
			require.NotContains(t, m.NaNCounts, leaf.FieldID)
		}
	}
}

func nan(leaf *column.Leaf, v string) bool {
	switch leaf.Physical {
	case column.PhysDouble:
		return math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64([]byte(v))))
	case column.PhysFloat:
		return math.IsNaN(float64(math.Float32frombits(binary.LittleEndian.Uint32([]byte(v)))))
	default:
		return false
	}
}

// checkBounds: no value is outside, and the number of nulls is right.
func checkBounds(t require.TestingT, leaf *column.Leaf, rs [][]entry, lo, hi []byte, nulls int64) {
	for _, es := range rs {
		for _, e := range es {
			if !e.has {
				nulls--
				continue
			}
			if v := []byte(e.value); lo != nil && hi != nil && !nan(leaf, e.value) {
				require.LessOrEqual(t, parquet.ComparePlain(leaf, lo, v), 0, leaf.Name())
				require.GreaterOrEqual(t, parquet.ComparePlain(leaf, hi, v), 0, leaf.Name())
			}
		}
	}
	require.Zero(t, nulls, leaf.Name())
}

// checkIndex looks at the page index of the n-th chunk.
func checkIndex(t require.TestingT, f *pq.File, n int, leaf *column.Leaf, rs [][]entry) {
	offsets, columns := f.OffsetIndexes(), f.ColumnIndexes()
	require.Greater(t, len(offsets), n)
	locs := offsets[n].PageLocations
	for k := range locs {
		end := int64(len(rs))
		if k+1 < len(locs) {
			end = locs[k+1].FirstRowIndex
			require.Equal(t, locs[k].Offset+int64(locs[k].CompressedPageSize), locs[k+1].Offset)
		}
		if n >= len(columns) || len(columns[n].NullPages) == 0 {
			continue // bounds that do not fit
		}
		ix := &columns[n]
		part := rs[locs[k].FirstRowIndex:end]
		if ix.NullPages[k] {
			checkBounds(t, leaf, part, nil, nil, ix.NullCounts[k])
			continue
		}
		checkBounds(t, leaf, part, ix.MinValues[k], ix.MaxValues[k], ix.NullCounts[k])
	}
}
