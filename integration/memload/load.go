package main

import (
	"bytes"
	"fmt"
	"math/bits"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// load is what the topics hold. Record i is the same in every run.
type load struct {
	records, tables, partitions, large int
}

const (
	// smallest and largest bound the size of a record.
	smallest = 180
	largest  = 1 << 20
)

func (l load) topic(table int) string { return "load_" + strconv.Itoa(table) }

// rows is how many records the topic of a table gets.
func (l load) rows(table int) int {
	return l.records/l.tables + bool2int(table < l.records%l.tables)
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// size is how large record i is: small ones, and now and then one whose magnitude is anything up to the largest.
func (l load) size(i int) int {
	x := mix(uint64(i))
	if x%uint64(l.large) != 0 {
		return smallest + int(x>>32%120)
	}
	octaves := uint64(bits.Len(uint(largest / 256)))
	return min(largest-512, 256<<(x>>32%octaves))
}

// bytes is what all records hold together.
func (l load) bytes() (n int64) {
	for i := range l.records {
		n += int64(l.size(i))
	}
	return n
}

// record makes record i. Half of a small one does not repeat, as ids and texts do not; a large one repeats itself.
func (l load) record(i int, buf []byte) *kgo.Record {
	x := mix(uint64(i))
	buf = fmt.Appendf(buf[:0], `{"id":%d,"at":%d,"kind":"kind-%d","session":"%016x%016x","text":"`, i, 1767225600000+int64(i), x%50, x, mix(x))
	const filler = "the quick brown fox jumps over the lazy dog and goes on to the next page of the same shop, "
	for want := l.size(i) - len(`"}`); len(buf) < want; {
		buf = append(buf, filler[:min(len(filler), want-len(buf))]...)
	}
	buf = append(buf, `"}`...)
	table := i % l.tables
	return &kgo.Record{Topic: l.topic(table), Partition: int32(i / l.tables % l.partitions), Value: bytes.Clone(buf)}
}

// mix spreads a number over 64 bits (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
