package column

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkDict feeds values in batches and compares references and dictionary with a map.
func checkDict(t *testing.T, c *Column, values [][]byte) {
	t.Helper()
	c.UseDict(true)
	d := &driver{t: t, src: &bytesSource{}, col: c}
	known := map[string]int32{}
	var order []string
	for at := 0; at < len(values); {
		n := min(1+at%700, len(values)-at)
		for _, v := range values[at : at+n] {
			d.appendValue(v)
			if _, ok := known[string(v)]; !ok {
				known[string(v)] = int32(len(known))
				order = append(order, string(v))
			}
		}
		at += n
		c.Absorb()
	}
	require.Equal(t, len(known), c.DictLen())
	index := c.Index()
	require.Len(t, index, len(values))
	for i, v := range values {
		if index[i] != known[string(v)] {
			require.Failf(t, "wrong reference", "value %d: %d, not %d", i, index[i], known[string(v)])
		}
	}
	var plain []byte
	for _, v := range order {
		if c.Leaf.Physical == PhysBytes {
			plain = binary.LittleEndian.AppendUint32(plain, uint32(len(v)))
		}
		plain = append(plain, v...)
	}
	require.Equal(t, plain, c.DictPlain())
}

func TestDictionariesOfManyValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, pool := range []int{1, 5, 300, 20_000} {
		texts := make([][]byte, 30_000)
		for i := range texts {
			n := r.IntN(pool)
			texts[i] = []byte(strings.Repeat("x", n%40) + fmt.Sprint(n))
		}
		checkDict(t, columnOf(t, Binary, true), texts)
		numbers := make([][]byte, len(texts))
		halves := make([][]byte, len(texts))
		ids := make([][]byte, len(texts))
		for i := range numbers {
			n := uint64(r.IntN(pool))
			numbers[i] = binary.LittleEndian.AppendUint64(nil, n<<50|n)
			halves[i] = binary.LittleEndian.AppendUint32(nil, uint32(n)<<12)
			ids[i] = append(make([]byte, 8), numbers[i]...)
		}
		checkDict(t, columnOf(t, Long, true), numbers)
		checkDict(t, columnOf(t, Date, true), halves)
		checkDict(t, columnOf(t, UUID, true), ids)
	}
}

func TestFixedLongerThanAKey(t *testing.T) {
	c := NewSet(&Layout{Leaves: []Leaf{LeafOf(Type{Kind: Fixed, Length: 40})}}).Columns[0]
	var values [][]byte
	for i := range 5000 {
		values = append(values, append(make([]byte, 36), byte(i), byte(i>>8), 0, 0))
	}
	checkDict(t, c, values)
}

// A dictionary is found again after it was emptied, with what is left in its tables and buffers.
func TestDictionaryIsReused(t *testing.T) {
	for _, kind := range []Kind{String, Long, Int, UUID} {
		c := columnOf(t, kind, true)
		for round := range 3 {
			var values [][]byte
			for i := range 1000 {
				v := fmt.Appendf(nil, "%016d", i*(round+1))
				if kind == String && i%2 == 0 {
					v = append(v, v...)
				}
				if c.Leaf.Physical == PhysInt32 {
					v = v[12:16]
				}
				if c.Leaf.Physical == PhysInt64 {
					v = v[8:16]
				}
				values = append(values, v)
			}
			checkDict(t, c, values)
			c.ResetPage()
			c.ResetChunk()
		}
	}
}

func TestTextIsRepaired(t *testing.T) {
	bad := []string{"\xff", "long enough for the other table \xc3", "ok\xf0\x28"}
	for _, dict := range []bool{true, false} {
		c := columnOf(t, String, dict)
		for range 3 {
			for _, s := range bad {
				c.AppendBytes([]byte(s))
			}
			c.AppendBytes([]byte("fine, ünïcode"))
			c.Absorb()
		}
		if !dict {
			c.RepairText()
		}
		require.EqualValues(t, 9, c.TakeRepaired())
		require.Zero(t, c.TakeRepaired())
		values := plainOf(c)
		require.Len(t, values, 12)
		for i, v := range values {
			if i%4 < 3 {
				require.Equal(t, strings.ToValidUTF8(bad[i%4], "\uFFFD"), string(v))
			}
		}
		if dict {
			require.Equal(t, 4, c.DictLen(), "a repaired value is one value")
		}
		c = columnOf(t, Binary, dict)
		c.AppendBytes([]byte(bad[0]))
		c.Absorb()
		c.RepairText()
		require.Zero(t, c.TakeRepaired())
		require.Equal(t, bad[0], string(plainOf(c)[0]), "binary is left alone")
	}
}

func TestLongTextIsCheckedByValue(t *testing.T) {
	c := columnOf(t, String, false)
	c.AppendBytes([]byte(strings.Repeat("a", 200))) // its length has a high bit
	c.RepairText()
	require.Zero(t, c.TakeRepaired())
}

func TestBooleansHaveNoDictionary(t *testing.T) {
	c := columnOf(t, Boolean, true)
	require.False(t, c.HasDict())
	require.False(t, c.DictOn())
	require.Nil(t, c.DictPlain())
	require.Zero(t, c.DictLen())
}

// A page that begins with a large dictionary keeps its bounds while values are absorbed.
func TestBoundsOfPagesWithALargeDictionary(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, kind := range []Kind{String, Decimal, UUID, Binary} {
		c := columnOf(t, kind, true)
		draw := func() []byte {
			v := make([]byte, 11)
			if c.Leaf.Physical == PhysFixed {
				v = make([]byte, c.Leaf.FixedLen)
			}
			for i := range v {
				v[i] = byte(r.IntN(256))
				if kind == String {
					v[i] &= 0x7f
				}
			}
			return v
		}
		d := &driver{t: t, src: &bytesSource{}, col: c}
		for page := range 4 {
			for range 10 {
				for range 1 + manyValues/20 {
					v := draw()
					if page == 3 && kind == String && len(d.page) == 3000 {
						v[0] = 0xff // repaired: what was seen is not what is stored
					}
					d.appendValue(v)
					d.page = append(d.page, entry{value: v})
				}
				d.absorb()
			}
			d.src = &bytesSource{[]byte{1}} // the dictionary stays on
			d.endPage()
		}
		require.Greater(t, c.DictLen(), manyValues)
	}
}
