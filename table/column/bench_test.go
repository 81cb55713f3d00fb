package column

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkAbsorb is the cost of dictionaries by kind of value and number of different ones.
func BenchmarkAbsorb(b *testing.B) {
	const batch = 500
	for _, pool := range []int{50, 5_000, 40_000, 200_000} {
		for _, format := range []string{"%016x", "https://www.example-shop.com/shop/%08d", ""} {
			name := fmt.Sprintf("%d/%s", pool, map[bool]string{true: "long", false: "text"}[format == ""])
			b.Run(name+fmt.Sprint(len(format)), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				kind := String
				if format == "" {
					kind = Long
				}
				c := NewSet(&Layout{Leaves: []Leaf{testLeaf(kind, 0, 0)}}).Columns[0]
				c.UseDict(true)
				ids := make([]uint64, pool)
				texts := make([][]byte, pool)
				for i := range ids {
					ids[i] = r.Uint64()
					if format != "" {
						texts[i] = fmt.Appendf(nil, format, ids[i])
					}
				}
				fill := func() {
					for range batch {
						k := r.IntN(pool)
						if format == "" {
							c.AppendInt64(int64(ids[k]))
						} else {
							c.AppendBytes(texts[k])
						}
					}
				}
				for range 4 * pool / batch {
					fill()
					c.Absorb()
					c.ResetPage()
				}
				rows := 0
				b.ResetTimer()
				for b.Loop() {
					b.StopTimer()
					fill()
					b.StartTimer()
					c.Absorb()
					if rows += batch; rows%20000 == 0 {
						c.ResetPage()
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/value")
			})
		}
	}
}
