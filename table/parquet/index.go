package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// columnIndex is the bounds of each page, nil when a page has values but no bounds that fit: NaNs only, or a maximum
// that cannot be raised. Readers take a missing index as "look at every page".
func columnIndex(leaf *column.Leaf, pages []dataPage) *format.ColumnIndex {
	ix := &format.ColumnIndex{}
	for i := range pages {
		p := &pages[i]
		if !p.allNull && (!p.loOK || !p.hiOK) {
			return nil
		}
		ix.NullPages = append(ix.NullPages, p.allNull)
		ix.MinValues = append(ix.MinValues, notNil(p.lo))
		ix.MaxValues = append(ix.MaxValues, notNil(p.hi))
		ix.NullCounts = append(ix.NullCounts, p.nulls)
	}
	ix.BoundaryOrder = boundaryOrder(leaf, pages)
	return ix
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// boundaryOrder tells whether both minima and maxima of the pages with bounds ascend, or descend.
func boundaryOrder(leaf *column.Leaf, pages []dataPage) format.BoundaryOrder {
	up, down := true, true
	var last *dataPage
	for i := range pages {
		p := &pages[i]
		if p.allNull {
			continue
		}
		if last != nil {
			lo, hi := comparePlain(leaf, last.lo, p.lo), comparePlain(leaf, last.hi, p.hi)
			up = up && lo <= 0 && hi <= 0
			down = down && lo >= 0 && hi >= 0
		}
		last = p
	}
	switch {
	case up:
		return format.Ascending
	case down:
		return format.Descending
	default:
		return format.Unordered
	}
}

// comparePlain orders two bounds as bounds.plain renders them.
func comparePlain(leaf *column.Leaf, a, b []byte) int {
	switch leaf.Physical {
	case column.PhysInt32:
		return cmp.Compare(int32(binary.LittleEndian.Uint32(a)), int32(binary.LittleEndian.Uint32(b)))
	case column.PhysInt64:
		return cmp.Compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
	case column.PhysFloat:
		return cmp.Compare(math.Float32frombits(binary.LittleEndian.Uint32(a)), math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case column.PhysDouble:
		return cmp.Compare(math.Float64frombits(binary.LittleEndian.Uint64(a)), math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case column.PhysFixed:
		return compareBytes(a, b, leaf.Type.Kind == column.Decimal)
	default:
		return bytes.Compare(a, b)
	}
}

// offsetIndex is where each page lies, given the file offset of the first one.
func offsetIndex(pages []dataPage, offset int64) *format.OffsetIndex {
	ix := &format.OffsetIndex{}
	var row int64
	for i := range pages {
		ix.PageLocations = append(ix.PageLocations, format.PageLocation{
			Offset: offset, CompressedPageSize: int32(pages[i].length()), FirstRowIndex: row,
		})
		offset += int64(pages[i].length())
		row += int64(pages[i].rows)
	}
	return ix
}
