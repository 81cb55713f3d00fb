package parquet

import (
	"encoding/binary"

	"github.com/ingestd/ingestd/table/column"
)

// metricChars is Iceberg's default metrics mode truncate(16): characters of text, bytes of everything else.
const metricChars = 16

// Metrics is what an Iceberg data file entry says about the file, by field id. Columns without a field id are left
// out. Bounds are in Iceberg's single-value serialization; text, binary and fixed are truncated to 16 with the upper
// bound raised, and absent where that is not possible, as for columns below lists and maps.
type Metrics struct {
	Rows         int64
	FileSize     int64
	ColumnSizes  map[int]int64
	ValueCounts  map[int]int64 // values and nulls
	NullCounts   map[int]int64
	NaNCounts    map[int]int64 // float and double only
	Lower        map[int][]byte
	Upper        map[int][]byte
	SplitOffsets []int64 // where row groups begin
	Repaired     int64   // strings that were not UTF-8 and were changed
}

// iceberg renders the bounds as Iceberg's manifests do.
func (b *bounds) iceberg(leaf *column.Leaf) (lo, hi []byte, loOK, hiOK bool) {
	if !b.has || leaf.MaxRep > 0 {
		return nil, nil, false, false
	}
	switch leaf.Type.Kind {
	case column.String:
		lo = truncateLower(b.min, chars(b.min.b, metricChars), true)
		hi, hiOK = truncateUpper(b.max, chars(b.max.b, metricChars), true)
		return lo, hi, true, hiOK
	case column.Binary, column.Fixed:
		lo = truncateLower(b.min, metricChars, false)
		hi, hiOK = truncateUpper(b.max, metricChars, false)
		return lo, hi, true, hiOK
	case column.Decimal:
		return b.decimal(leaf, b.minInt, b.min.b), b.decimal(leaf, b.maxInt, b.max.b), true, true
	default:
		return b.plain(leaf)
	}
}

// chars is the length in bytes of the first n characters.
func chars(b []byte, n int) int {
	for i := range string(b) {
		if n == 0 {
			return i
		}
		n--
	}
	return len(b)
}

// decimal is the unscaled value, big-endian two's complement, in as few bytes as it needs.
func (b *bounds) decimal(leaf *column.Leaf, v int64, fixed []byte) []byte {
	if leaf.Physical != column.PhysFixed {
		fixed = binary.BigEndian.AppendUint64(nil, uint64(v))
	}
	for len(fixed) > 1 && (fixed[0] == 0 && fixed[1] < 0x80 || fixed[0] == 0xff && fixed[1] >= 0x80) {
		fixed = fixed[1:]
	}
	return fixed
}

// newMetrics makes empty maps for the columns of a layout.
func newMetrics(l *column.Layout) Metrics {
	n := len(l.Leaves)
	return Metrics{
		ColumnSizes: make(map[int]int64, n), ValueCounts: make(map[int]int64, n), NullCounts: make(map[int]int64, n),
		NaNCounts: map[int]int64{}, Lower: make(map[int][]byte, n), Upper: make(map[int][]byte, n),
	}
}

// addColumn enters one column of the whole file.
func (m *Metrics) addColumn(leaf *column.Leaf, t *columnTotals) {
	id := leaf.FieldID
	m.Repaired += t.repaired
	if id == 0 {
		return
	}
	m.ColumnSizes[id] = t.compressed
	m.ValueCounts[id] = t.values
	m.NullCounts[id] = t.nulls
	if leaf.Physical == column.PhysFloat || leaf.Physical == column.PhysDouble {
		m.NaNCounts[id] = t.nans
	}
	lo, hi, loOK, hiOK := t.bounds.iceberg(leaf)
	if loOK {
		m.Lower[id] = notNil(lo)
	}
	if hiOK {
		m.Upper[id] = notNil(hi)
	}
}

// columnTotals is what is known of a column over some pages: a chunk, or a file.
type columnTotals struct {
	values       int64 // level entries, nulls included
	nulls        int64
	nans         int64
	repaired     int64
	compressed   int64 // pages with headers
	uncompressed int64
	bounds       bounds
}

func (t *columnTotals) add(o *columnTotals, leaf *column.Leaf) {
	t.values += o.values
	t.nulls += o.nulls
	t.nans += o.nans
	t.repaired += o.repaired
	t.compressed += o.compressed
	t.uncompressed += o.uncompressed
	t.bounds.merge(&o.bounds, leaf)
}
