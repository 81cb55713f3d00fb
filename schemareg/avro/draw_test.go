package avro

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"
)

// drawer draws schemas whose types all have names of their own, and reuses them.
type drawer struct {
	t     *rapid.T
	named []*model
	count int
}

func drawSchema(t *rapid.T) *model {
	d := &drawer{t: t}
	return d.record("", 0)
}

func (d *drawer) int(lo, hi int, what string) int { return even(d.t, lo, hi, what) }

// even draws evenly from lo..hi; rapid's own ranges prefer small numbers, which would make every second type null.
func even(t *rapid.T, lo, hi int, what string) int {
	return lo + int(rapid.Uint64().Draw(t, what)*0x9E3779B97F4A7C15>>33)%(hi-lo+1)
}

// name gives the attributes of a new named type in one of the three ways to write them.
func (d *drawer) name(ns string) (full, inner string, attrs map[string]any) {
	d.count++
	short := fmt.Sprintf("N%d", d.count)
	switch d.int(0, 3, "naming") {
	case 0:
		return "x.y." + short, "x.y", map[string]any{"name": "x.y." + short}
	case 1:
		return "z." + short, "z", map[string]any{"name": short, "namespace": "z"}
	}
	if ns == "" {
		return short, "", map[string]any{"name": short}
	}
	return ns + "." + short, ns, map[string]any{"name": short}
}

func (d *drawer) record(ns string, depth int) *model {
	full, inner, attrs := d.name(ns)
	m := &model{kind: "record", full: full, attrs: attrs}
	for i := range d.int(1, 7-depth, "fields") {
		f := modelField{name: fmt.Sprintf("f%d", i), typ: d.typ(inner, depth+1, true)}
		if d.int(0, 3, "doc") == 0 {
			f.doc = "about " + f.name
		}
		m.fields = append(m.fields, f)
	}
	d.named = append(d.named, m)
	return m
}

func (d *drawer) typ(ns string, depth int, unions bool) *model {
	pick := d.int(0, 29, "type")
	if depth >= 5 && pick >= 16 {
		pick = d.int(0, 15, "leaf")
	}
	switch {
	case pick < 8:
		kind := []string{"null", "boolean", "int", "long", "float", "double", "bytes", "string"}[d.int(0, 7, "primitive")]
		return &model{kind: kind}
	case pick < 14:
		return d.logical(ns)
	case pick < 15:
		full, _, attrs := d.name(ns)
		m := &model{kind: "enum", full: full, attrs: attrs, symbols: []string{"A", "bb", "C_1"}}
		d.named = append(d.named, m)
		return m
	case pick < 16:
		return d.fixed(ns, d.int(1, 20, "size"))
	case pick < 19:
		return d.record(ns, depth)
	case pick < 21 && len(d.named) > 0:
		again := *d.named[d.int(0, len(d.named)-1, "reuse")]
		again.reference = true
		return &again
	case pick < 23:
		return &model{kind: "map", items: d.typ(ns, depth+1, true)}
	case pick < 25 || !unions:
		return &model{kind: "array", items: d.typ(ns, depth+1, true)}
	}
	return d.union(ns, depth)
}

func (d *drawer) fixed(ns string, size int) *model {
	full, _, attrs := d.name(ns)
	m := &model{kind: "fixed", full: full, attrs: attrs, size: size}
	d.named = append(d.named, m)
	return m
}

func (d *drawer) logical(ns string) *model {
	switch d.int(0, 12, "logical") {
	case 0:
		return &model{kind: "int", logical: "date"}
	case 1:
		return &model{kind: "int", logical: "time-millis"}
	case 2:
		return &model{kind: "long", logical: "time-micros"}
	case 3:
		return &model{kind: "long", logical: "timestamp-millis"}
	case 4:
		return &model{kind: "long", logical: "timestamp-micros"}
	case 5:
		return &model{kind: "long", logical: "timestamp-nanos"}
	case 6:
		return &model{kind: "long", logical: "local-timestamp-" + []string{"millis", "micros", "nanos"}[d.int(0, 2, "unit")]}
	case 7:
		return &model{kind: "string", logical: "uuid"}
	case 8:
		return &model{kind: "string", logical: "nobody-knows"}
	case 9, 10:
		p := d.int(1, 50, "precision")
		return &model{kind: "bytes", logical: "decimal", precision: p, scale: d.int(0, p, "scale")}
	case 11:
		m := d.fixed(ns, []int{12, 16}[d.int(0, 1, "which")])
		m.logical = map[int]string{12: "duration", 16: "uuid"}[m.size]
		return m
	}
	size := d.int(1, 20, "size")
	m := d.fixed(ns, size)
	m.logical, m.precision = "decimal", d.int(1, (8*size-1)*301/1000+1, "precision")
	m.precision = max(1, m.precision-1)
	m.scale = d.int(0, m.precision, "scale")
	return m
}

func (d *drawer) union(ns string, depth int) *model {
	m := &model{kind: "union"}
	seen := map[string]bool{}
	add := func(draw func() *model) {
		known := len(d.named)
		if b := draw(); !seen[b.unionName()] {
			seen[b.unionName()] = true
			m.branches = append(m.branches, b)
		} else {
			d.named = d.named[:known] // what it defined is not there
		}
	}
	null := func() *model { return &model{kind: "null"} }
	shape := d.int(0, 5, "shape")
	if shape%3 == 0 {
		add(null)
	}
	for range d.int(1, 1+shape/2, "branches") {
		add(func() *model { return d.typ(ns, depth+1, false) })
	}
	if shape%3 == 1 {
		add(null)
	}
	return m
}

// drawValue draws a value as goavro takes it.
func drawValue(t *rapid.T, m *model, depth int) any {
	n := func(hi int) int { return even(t, 0, max(0, hi-depth/2), "n") }
	switch m.kind {
	case "null":
		return nil
	case "boolean":
		return rapid.Bool().Draw(t, "bool")
	case "float":
		return rapid.OneOf(rapid.Float32(), rapid.Just(float32(math.NaN()))).Draw(t, "float")
	case "double":
		return rapid.OneOf(rapid.Float64(), rapid.Just(math.Inf(-1))).Draw(t, "double")
	case "enum":
		return rapid.SampledFrom(m.symbols).Draw(t, "symbol")
	case "int", "long":
		return drawNumber(t, m)
	case "bytes", "fixed", "string":
		return drawBytes(t, m)
	case "array":
		list := []any{}
		for range n(4) {
			list = append(list, drawValue(t, m.items, depth+1))
		}
		return list
	case "map":
		entries := map[string]any{}
		for range n(4) {
			entries[rapid.StringN(0, 5, 20).Draw(t, "key")] = drawValue(t, m.items, depth+1)
		}
		return entries
	case "union":
		b := m.branches[even(t, 0, len(m.branches)-1, "branch")]
		if b.kind == "null" {
			return nil
		}
		return goavro.Union(b.unionName(), drawValue(t, b, depth+1))
	}
	row := map[string]any{}
	for _, f := range m.fields {
		row[f.name] = drawValue(t, f.typ, depth+1)
	}
	return row
}

func drawNumber(t *rapid.T, m *model) any {
	const day = 24 * 60 * 60 * 1000
	switch m.logical {
	case "time-millis":
		return rapid.Int32Range(0, day-1).Draw(t, "millis")
	case "time-micros":
		return rapid.Int64Range(0, day*1000-1).Draw(t, "micros")
	case "timestamp-millis", "local-timestamp-millis":
		return rapid.Int64Range(math.MinInt64/1000, math.MaxInt64/1000).Draw(t, "millis")
	}
	if m.kind == "int" {
		return rapid.Int32().Draw(t, "int")
	}
	return rapid.Int64().Draw(t, "long")
}

func drawBytes(t *rapid.T, m *model) any {
	switch {
	case m.logical == "decimal":
		limit := pow(10, m.precision)
		x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 22).Draw(t, "unscaled"))
		if x.Mod(x, limit); rapid.Bool().Draw(t, "negative") {
			x.Neg(x)
		}
		if m.kind == "fixed" {
			return asTwosComplement(x, m.size)
		}
		return asTwosComplement(x, x.BitLen()/8+1+even(t, 0, 3, "pad"))
	case m.kind == "fixed":
		return rapid.SliceOfN(rapid.Byte(), m.size, m.size).Draw(t, "fixed")
	case m.logical == "uuid":
		u := fmt.Sprintf("%x", rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		u = u[:8] + "-" + u[8:12] + "-" + u[12:16] + "-" + u[16:20] + "-" + u[20:]
		if rapid.Bool().Draw(t, "upper") {
			u = strings.ToUpper(u)
		}
		return u
	case m.kind == "string":
		return rapid.String().Draw(t, "string")
	}
	return rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
}
