package column

import "encoding/binary"

// The functions in this file describe values that are not in a Column: pages on their way from file to file.

// StatsOfInt64s is the statistics of PhysInt64 values.
func StatsOfInt64s(v []int64) (s Stats) {
	if len(v) > 0 {
		lo, hi := minMax(v)
		s.ints(lo, hi)
	}
	return s
}

// StatsOfInt32s is the statistics of PhysInt32 values.
func StatsOfInt32s(v []int32) (s Stats) {
	if len(v) > 0 {
		lo, hi := minMax(v)
		s.ints(int64(lo), int64(hi))
	}
	return s
}

// StatsOfDoubles is the statistics of PhysDouble values, given as bits.
func StatsOfDoubles(v []int64) (s Stats) {
	if len(v) > 0 {
		scanFloats[float64](&s, v, nil, nil)
	}
	return s
}

// StatsOfFloats is the statistics of PhysFloat values, given as bits.
func StatsOfFloats(v []int32) (s Stats) {
	if len(v) > 0 {
		scanFloats[float32](&s, v, nil, nil)
	}
	return s
}

// StatsOfBools is the statistics of the first n bits.
func StatsOfBools(bits []byte, n int) (s Stats) {
	if n > 0 {
		s.bools(bits, n)
	}
	return s
}

// Extremes collects the minimum and the maximum of byte strings, which must stay as they are.
type Extremes struct{ x extremes }

// Start forgets what was seen before.
func (e *Extremes) Start(leaf *Leaf) { e.x.start(leaf) }

// Add takes a value.
func (e *Extremes) Add(v []byte) { e.x.add(v) }

// AddPlain takes values in PLAIN layout, which must be whole.
func (e *Extremes) AddPlain(leaf *Leaf, plain []byte) {
	if leaf.Physical == PhysFixed {
		for ; len(plain) >= leaf.FixedLen; plain = plain[leaf.FixedLen:] {
			e.x.add(plain[:leaf.FixedLen])
		}
		return
	}
	for len(plain) >= 4 {
		end := 4 + int(binary.LittleEndian.Uint32(plain))
		e.x.add(plain[4:end])
		plain = plain[end:]
	}
}

// Stats is what was found.
func (e *Extremes) Stats() Stats { return Stats{Has: e.x.has, Min: e.x.lo, Max: e.x.hi} }
