package faultproxy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type entry struct {
	proxy, op string
	fault     Fault
}

// Histogram counts calls by proxy, operation and fault.
type Histogram map[entry]int

func (h Histogram) clone() Histogram { return maps.Clone(h) }

// Count adds up the calls of one proxy that met a fault; "" stands for all proxies.
func (h Histogram) Count(proxy string, f Fault) int {
	n := 0
	for e, calls := range h {
		if e.fault == f && (proxy == "" || proxy == e.proxy) {
			n += calls
		}
	}
	return n
}

// String is a table with a line for each operation.
func (h Histogram) String() string {
	type row struct{ proxy, op string }
	rows := map[row][faults]int{}
	for e, calls := range h {
		r := rows[row{e.proxy, e.op}]
		r[e.fault] += calls
		rows[row{e.proxy, e.op}] = r
	}
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b row) int {
		return cmp.Or(cmp.Compare(a.proxy, b.proxy), cmp.Compare(a.op, b.op))
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %-24s %8s %7s %7s %7s %7s\n", "proxy", "call", "passed", Before, After, Cut, Late)
	for _, k := range keys {
		r := rows[k]
		fmt.Fprintf(&b, "%-12s %-24s %8d %7d %7d %7d %7d\n", k.proxy, k.op, r[None], r[Before], r[After], r[Cut], r[Late])
	}
	return b.String()
}
