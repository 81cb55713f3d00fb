package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// oracle is statistics by the definition: bounds in PLAIN form.
type oracle struct {
	Nulls, NaNs int64
	has         bool
	min, max    []byte
}

func oracleStats(leaf *column.Leaf, es []entry) oracle {
	var o oracle
	for _, e := range es {
		switch {
		case e.value == nil:
			o.Nulls++
			continue
		case isNaN(leaf, e.value):
			o.NaNs++
			continue
		}
		if !o.has || o.compare(leaf, e.value, o.min) < 0 {
			o.min = e.value
		}
		if !o.has || o.compare(leaf, e.value, o.max) > 0 {
			o.max = e.value
		}
		o.has = true
	}
	if o.has && (leaf.Physical == column.PhysFloat || leaf.Physical == column.PhysDouble) {
		o.min, o.max = zeroBound(leaf, o.min, true), zeroBound(leaf, o.max, false)
	}
	return o
}

func floatOf(leaf *column.Leaf, v []byte) float64 {
	if leaf.Physical == column.PhysFloat {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(v)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(v))
}

func isNaN(leaf *column.Leaf, v []byte) bool {
	return (leaf.Physical == column.PhysFloat || leaf.Physical == column.PhysDouble) && math.IsNaN(floatOf(leaf, v))
}

// zeroBound is v, but -0 for a zero minimum and +0 for a zero maximum.
func zeroBound(leaf *column.Leaf, v []byte, lower bool) []byte {
	if floatOf(leaf, v) != 0 {
		return v
	}
	z := make([]byte, len(v))
	if lower {
		z[len(z)-1] = 0x80
	}
	return z
}

// compare orders two values in PLAIN form by the type's order.
func (*oracle) compare(leaf *column.Leaf, a, b []byte) int {
	switch leaf.Physical {
	case column.PhysInt32:
		return cmp.Compare(int32(binary.LittleEndian.Uint32(a)), int32(binary.LittleEndian.Uint32(b)))
	case column.PhysInt64:
		return cmp.Compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
	case column.PhysFloat, column.PhysDouble:
		return cmp.Compare(floatOf(leaf, a), floatOf(leaf, b))
	default:
	}
	if leaf.Type.Kind == column.Decimal {
		return twosComplement(a).Cmp(twosComplement(b))
	}
	return bytes.Compare(a, b)
}

func twosComplement(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

// checkMetrics compares the Iceberg metrics with the entries.
func (w *written) checkMetrics(t testing.TB) {
	t.Helper()
	m := &w.metrics
	for i := range w.layout.Leaves {
		leaf := &w.layout.Leaves[i]
		id := leaf.FieldID
		st := oracleStats(leaf, w.entries[i])
		require.EqualValues(t, len(w.entries[i]), m.ValueCounts[id], leaf.Name())
		require.Equal(t, st.Nulls, m.NullCounts[id], leaf.Name())
		require.Equal(t, m.Rows > 0, m.ColumnSizes[id] > 0)
		nans, counted := m.NaNCounts[id]
		require.Equal(t, leaf.Physical == column.PhysFloat || leaf.Physical == column.PhysDouble, counted)
		require.Equal(t, st.NaNs, nans, leaf.Name())
		lo, okLo := m.Lower[id]
		hi, okHi := m.Upper[id]
		if !st.has || leaf.MaxRep > 0 {
			require.False(t, okLo || okHi, leaf.Name())
			continue
		}
		require.True(t, okLo, leaf.Name())
		if truncates(leaf) {
			checkTruncated(t, leaf, &st, lo, hi, okHi)
			continue
		}
		require.Equal(t, icebergValue(leaf, st.min), lo, leaf.Name())
		require.Equal(t, icebergValue(leaf, st.max), hi, leaf.Name())
	}
}

func truncates(leaf *column.Leaf) bool {
	return leaf.Type.Kind == column.String || leaf.Type.Kind == column.Binary || leaf.Type.Kind == column.Fixed
}

// checkTruncated checks bounds of at most 16 characters or bytes.
func checkTruncated(t testing.TB, leaf *column.Leaf, st *oracle, lo, hi []byte, okHi bool) {
	t.Helper()
	length := func(b []byte) int {
		if leaf.Type.Kind == column.String {
			require.True(t, utf8.Valid(b))
			return utf8.RuneCount(b)
		}
		return len(b)
	}
	require.LessOrEqual(t, length(lo), metricChars)
	require.True(t, bytes.HasPrefix(st.min, lo))
	if length(st.min) <= metricChars {
		require.Equal(t, string(st.min), string(lo))
	} else {
		require.Equal(t, metricChars, length(lo), "a bound is not cut further than it must be")
	}
	if !okHi {
		require.Greater(t, length(st.max), metricChars)
		return
	}
	require.LessOrEqual(t, length(hi), metricChars)
	require.GreaterOrEqual(t, bytes.Compare(hi, st.max), 0)
	if length(st.max) <= metricChars {
		require.Equal(t, string(st.max), string(hi))
	}
}

// icebergValue is Iceberg's single-value serialization of a PLAIN value.
func icebergValue(leaf *column.Leaf, v []byte) []byte {
	if leaf.Type.Kind != column.Decimal {
		return v
	}
	n := new(big.Int)
	switch leaf.Physical {
	case column.PhysInt32:
		n.SetInt64(int64(int32(binary.LittleEndian.Uint32(v))))
	case column.PhysInt64:
		n.SetInt64(int64(binary.LittleEndian.Uint64(v)))
	default:
		n = twosComplement(v)
	}
	for size := 1; ; size++ { // the shortest length that holds the number
		half := new(big.Int).Lsh(big.NewInt(1), uint(8*size-1))
		if n.Cmp(half) < 0 && n.Cmp(new(big.Int).Neg(half)) >= 0 {
			if n.Sign() < 0 {
				n = new(big.Int).Add(n, new(big.Int).Lsh(half, 1))
			}
			return n.FillBytes(make([]byte, size))
		}
	}
}
