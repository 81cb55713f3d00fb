package parquet

import (
	"fmt"
	"testing"

	"github.com/ingestd/ingestd/table/column"
)

// BenchmarkSmallRowGroups is what a partition with few rows costs at a commit: in a fresh row group, and in one that
// has learned about its columns.
func BenchmarkSmallRowGroups(b *testing.B) {
	fields := []column.Field{}
	for i, kind := range primitives {
		fields = append(fields, field(fmt.Sprint("c", i), i%2 == 0, typeOf(kind)))
	}
	l := layoutOf(fields...)
	for _, rows := range []int{10, 100, 1000} {
		d := newData(l, 1)
		sample := column.NewSet(l)
		for range rows {
			d.row(sample)
		}
		enc, err := NewEncoder(Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, fresh := range []bool{true, false} {
			b.Run(fmt.Sprintf("%d/fresh=%v", rows, fresh), func(b *testing.B) {
				g := NewRowGroup(l, enc)
				b.ReportAllocs()
				for b.Loop() {
					if fresh {
						g = NewRowGroup(l, enc)
					}
					for i, c := range g.Set().Columns {
						replay(c, d.entries[i])
					}
					if _, err := g.Finish(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(l.Leaves)), "ns/column")
			})
		}
	}
}
