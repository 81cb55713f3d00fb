package column

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

type rapidSource struct{ t *rapid.T }

func (s rapidSource) intn(n int) int { return rapid.IntRange(0, n-1).Draw(s.t, "n") }

func TestColumnAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDriver(t, rapidSource{t})
		for range 1 + d.src.intn(12) {
			d.step()
		}
		d.endChunk()
	})
}

// bytesSource draws from the fuzzer's input, and zeros when it is used up.
type bytesSource struct{ b []byte }

func (s *bytesSource) intn(n int) int {
	v := 0
	for range 2 {
		if len(s.b) > 0 {
			v = v<<8 | int(s.b[0])
			s.b = s.b[1:]
		}
		if n <= 256 {
			break
		}
	}
	return v % n
}

func FuzzColumn(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for shape := range leafShapes {
		for kind := range primitives {
			seed := []byte{byte(shape), byte(kind)}
			for range 1500 {
				seed = append(seed, byte(r.Uint32()))
			}
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 1<<12 {
			t.Skip()
		}
		src := &bytesSource{ops}
		d := newDriver(t, src)
		for len(src.b) > 0 {
			d.step()
		}
		d.endChunk()
	})
}
