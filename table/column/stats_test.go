package column

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// oracleStats computes the statistics of entries by the definition, one value after the other.
func oracleStats(leaf *Leaf, es []entry) Stats {
	var s Stats
	for _, e := range es {
		if e.value == nil {
			s.Nulls++
			continue
		}
		switch leaf.Physical {
		case PhysFloat:
			s.oracleFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(e.value))))
		case PhysDouble:
			s.oracleFloat(math.Float64frombits(binary.LittleEndian.Uint64(e.value)))
		case PhysBool:
			s.oracleInt(int64(e.value[0]))
		case PhysInt32:
			s.oracleInt(int64(int32(binary.LittleEndian.Uint32(e.value))))
		case PhysInt64:
			s.oracleInt(int64(binary.LittleEndian.Uint64(e.value)))
		default:
			s.oracleBytes(leaf, e.value)
		}
	}
	return s
}

func (s *Stats) oracleInt(v int64) {
	if !s.Has {
		s.MinInt, s.MaxInt = v, v
	}
	s.Has, s.MinInt, s.MaxInt = true, min(s.MinInt, v), max(s.MaxInt, v)
}

func (s *Stats) oracleFloat(v float64) {
	if math.IsNaN(v) {
		s.NaNs++
		return
	}
	if !s.Has {
		s.MinFloat, s.MaxFloat = v, v
	}
	s.Has, s.MinFloat, s.MaxFloat = true, min(s.MinFloat, v), max(s.MaxFloat, v)
	if s.MinFloat == 0 {
		s.MinFloat = math.Copysign(0, -1)
	}
	if s.MaxFloat == 0 {
		s.MaxFloat = 0
	}
}

func (s *Stats) oracleBytes(leaf *Leaf, v []byte) {
	less := func(a, b []byte) bool { return bytes.Compare(a, b) < 0 }
	if leaf.Type.Kind == Decimal {
		less = func(a, b []byte) bool { return twosComplement(a).Cmp(twosComplement(b)) < 0 }
	}
	if !s.Has || less(v, s.Min) {
		s.Min = v
	}
	if !s.Has || less(s.Max, v) {
		s.Max = v
	}
	s.Has = true
}

func twosComplement(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

func columnOf(t *testing.T, kind Kind, dict bool) *Column {
	t.Helper()
	c := NewSet(&Layout{Leaves: []Leaf{testLeaf(kind, 0, 0)}}).Columns[0]
	c.UseDict(dict)
	return c
}

func TestNaNsAreCountedPerValue(t *testing.T) {
	for _, dict := range []bool{false, true} {
		c := columnOf(t, Double, dict)
		for range 5 {
			c.AppendDouble(math.Float64bits(math.NaN()))
			c.AppendDouble(math.Float64bits(3))
		}
		c.Absorb()
		s := c.PageStats()
		require.EqualValues(t, 5, s.NaNs)
		require.Equal(t, []any{true, 3.0, 3.0}, []any{s.Has, s.MinFloat, s.MaxFloat})
	}
}

func TestOnlyNaNsHaveNoBounds(t *testing.T) {
	for _, dict := range []bool{false, true} {
		c := columnOf(t, Float, dict)
		c.AppendFloat(math.Float32bits(float32(math.NaN())))
		c.Absorb()
		s := c.PageStats()
		require.False(t, s.Has)
		require.EqualValues(t, 1, s.NaNs)
	}
}

func TestZeroBoundsCoverBothZeros(t *testing.T) {
	for _, zero := range []float64{0, math.Copysign(0, -1)} {
		c := columnOf(t, Double, false)
		c.AppendDouble(math.Float64bits(zero))
		s := c.PageStats()
		require.True(t, math.Signbit(s.MinFloat))
		require.False(t, math.Signbit(s.MaxFloat))
	}
}

func TestOrders(t *testing.T) {
	c := columnOf(t, Decimal, false)
	minusOne := bytes.Repeat([]byte{0xff}, c.Leaf.FixedLen)
	one := append(make([]byte, c.Leaf.FixedLen-1), 1)
	c.AppendFixed(one)
	c.AppendFixed(minusOne)
	s := c.PageStats()
	require.Equal(t, [][]byte{minusOne, one}, [][]byte{s.Min, s.Max})

	c = columnOf(t, UUID, true)
	high, low := bytes.Repeat([]byte{0xff}, 16), make([]byte, 16)
	c.AppendFixed(high)
	c.AppendFixed(low)
	c.Absorb()
	s = c.PageStats()
	require.Equal(t, [][]byte{low, high}, [][]byte{s.Min, s.Max})

	c = columnOf(t, String, false)
	c.AppendBytes([]byte("a\x00"))
	c.AppendBytes([]byte("a"))
	c.AppendBytes([]byte("ä"))
	s = c.PageStats()
	require.Equal(t, []string{"a", "ä"}, []string{string(s.Min), string(s.Max)})
}

func TestStatsOfAnEmptyPage(t *testing.T) {
	for _, kind := range primitives {
		require.Equal(t, Stats{}, columnOf(t, kind, true).PageStats())
	}
}
