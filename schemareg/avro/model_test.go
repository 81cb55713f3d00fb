package avro

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/ingestd/ingestd/schemareg/rowtest"
)

// model is a schema as the tests know it, apart from the parser under test.
type model struct {
	kind      string
	logical   string
	full      string // full name of a named type
	reference bool   // written as its name: defined before
	attrs     map[string]any
	size      int
	precision int
	scale     int
	symbols   []string
	fields    []modelField
	items     *model
	branches  []*model
}

type modelField struct {
	name string
	doc  string
	typ  *model
}

// text is the schema; without logical types it is the one for goavro, whose values then are the plain Avro ones.
func (m *model) text(withLogical bool) string {
	b, err := json.Marshal(m.tree(withLogical))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (m *model) tree(withLogical bool) any {
	if m.reference {
		return m.full
	}
	out := map[string]any{"type": m.kind}
	for k, v := range m.attrs {
		out[k] = v
	}
	if withLogical && m.logical != "" {
		out["logicalType"] = m.logical
		if m.logical == "decimal" {
			out["precision"], out["scale"] = m.precision, m.scale
		}
	}
	switch m.kind {
	case "record":
		fields := []any{}
		for _, f := range m.fields {
			fields = append(fields, map[string]any{"name": f.name, "doc": f.doc, "type": f.typ.tree(withLogical)})
		}
		out["fields"] = fields
	case "enum":
		out["symbols"] = m.symbols
	case "fixed":
		out["size"] = m.size
	case "array":
		out["items"] = m.items.tree(withLogical)
	case "map":
		out["values"] = m.items.tree(withLogical)
	case "union":
		list := []any{}
		for _, b := range m.branches {
			list = append(list, b.tree(withLogical))
		}
		return list
	default:
		if len(out) == 1 {
			return m.kind
		}
	}
	return out
}

// modelOf reads a schema that somebody else wrote. It knows what the schemas in testdata need.
func modelOf(v any, ns string, named map[string]*model) *model {
	switch v := v.(type) {
	case string:
		for _, full := range []string{ns + "." + v, v} {
			if m := named[full]; m != nil {
				again := *m
				again.reference = true
				return &again
			}
		}
		return &model{kind: v}
	case []any:
		m := &model{kind: "union"}
		for _, b := range v {
			m.branches = append(m.branches, modelOf(b, ns, named))
		}
		return m
	}
	o := v.(map[string]any)
	number := func(key string) int { n, _ := o[key].(float64); return int(n) }
	m := &model{kind: o["type"].(string), precision: number("precision"), scale: number("scale")}
	m.logical, _ = o["logicalType"].(string)
	switch m.kind {
	case "record":
		if inner, ok := o["namespace"].(string); ok {
			ns = inner
		}
		m.full = ns + "." + o["name"].(string)
		m.attrs = map[string]any{"name": m.full}
		named[m.full] = m
		for _, f := range o["fields"].([]any) {
			f := f.(map[string]any)
			m.fields = append(m.fields, modelField{name: f["name"].(string), typ: modelOf(f["type"], ns, named)})
		}
	case "array":
		m.items = modelOf(o["items"], ns, named)
	}
	return m
}

// unionName is what goavro calls a branch.
func (m *model) unionName() string {
	if m.full != "" {
		return m.full
	}
	return m.kind
}

// memberName is what we document to call it.
func (m *model) memberName(among []*model) string {
	short := func(m *model) string { return m.unionName()[strings.LastIndex(m.unionName(), ".")+1:] }
	for _, other := range among {
		if other != m && strings.EqualFold(short(other), short(m)) {
			return strings.ReplaceAll(m.unionName(), ".", "_")
		}
	}
	return short(m)
}

func (m *model) split() (others []*model, null bool) {
	for _, b := range m.branches {
		if b.kind == "null" {
			null = true
		} else {
			others = append(others, b)
		}
	}
	return others, null
}

// stored says whether there is anything to put into a column.
func (m *model) stored() bool {
	switch m.kind {
	case "null":
		return false
	case "array", "map":
		return m.items.stored()
	case "record":
		for _, f := range m.fields {
			if f.typ.stored() {
				return true
			}
		}
		return false
	case "union":
		for _, b := range m.branches {
			if b.stored() {
				return true
			}
		}
		return false
	}
	return true
}

// expect is what the columns should hold for a value as goavro decodes it.
func (m *model) expect(v any) any {
	switch m.kind {
	case "record":
		row := map[string]any{}
		for _, f := range m.fields {
			if f.typ.stored() {
				row[f.name] = f.typ.expect(v.(map[string]any)[f.name])
			}
		}
		return row
	case "array":
		list := []any{}
		for _, item := range v.([]any) {
			list = append(list, m.items.expect(item))
		}
		return list
	case "map":
		pairs := map[any]any{} // goavro forgets the order
		for k, item := range v.(map[string]any) {
			pairs[k] = m.items.expect(item)
		}
		return pairs
	case "union":
		return m.expectUnion(v)
	case "fixed", "bytes", "string", "enum":
		return m.expectBytes(v)
	}
	return m.expectNumber(v)
}

func (m *model) expectUnion(v any) any {
	if v == nil {
		return nil
	}
	others, _ := m.split()
	for name, inner := range v.(map[string]any) {
		for _, b := range others {
			if b.unionName() != name {
				continue
			}
			if len(others) == 1 {
				return b.expect(inner)
			}
			row := map[string]any{}
			for _, o := range others {
				if o.stored() {
					row[o.memberName(others)] = nil
				}
			}
			if b.stored() {
				row[b.memberName(others)] = b.expect(inner)
			}
			return row
		}
	}
	panic("no such branch")
}

func (m *model) expectNumber(v any) any {
	switch m.logical {
	case "time-millis":
		return int64(v.(int32)) * 1000
	case "timestamp-millis", "local-timestamp-millis":
		return v.(int64) * 1000
	}
	return v
}

func (m *model) expectBytes(v any) any {
	raw, isBytes := v.([]byte)
	switch {
	case m.logical == "decimal":
		return m.expectDecimal(twosComplement(raw))
	case m.logical == "duration":
		le := binary.LittleEndian
		return durationText(le.Uint32(raw), le.Uint32(raw[4:]), le.Uint32(raw[8:]))
	case m.logical == "uuid" && !isBytes:
		var u [16]byte
		fmt.Sscanf(strings.ReplaceAll(strings.ToLower(v.(string)), "-", ""), "%x", (*hexBytes)(&u))
		return string(u[:])
	case isBytes:
		return string(raw)
	}
	return v
}

// hexBytes scans %x into an array.
type hexBytes [16]byte

func (h *hexBytes) Scan(s fmt.ScanState, _ rune) error {
	tok, err := s.Token(true, nil)
	if err != nil {
		return err
	}
	n, ok := new(big.Int).SetString(string(tok), 16)
	if !ok {
		return fmt.Errorf("no hex: %s", tok)
	}
	n.FillBytes(h[:])
	return nil
}

func durationText(months, days, millis uint32) string {
	s := "P"
	if months > 0 {
		s += fmt.Sprintf("%dM", months)
	}
	if days > 0 {
		s += fmt.Sprintf("%dD", days)
	}
	switch {
	case millis%1000 > 0:
		s += fmt.Sprintf("T%d.%03dS", millis/1000, millis%1000)
	case millis > 0 || s == "P":
		s += fmt.Sprintf("T%dS", millis/1000)
	}
	return s
}

func twosComplement(raw []byte) *big.Int {
	x := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return x
}

// asTwosComplement writes x in n bytes.
func asTwosComplement(x *big.Int, n int) []byte {
	if x.Sign() < 0 {
		x = new(big.Int).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	return x.FillBytes(make([]byte, n))
}

func (m *model) expectDecimal(x *big.Int) any {
	switch {
	case m.precision > 38:
		s := new(big.Int).Abs(x).String()
		if m.scale > 0 {
			s = strings.Repeat("0", max(0, m.scale+1-len(s))) + s
			s = s[:len(s)-m.scale] + "." + s[len(s)-m.scale:]
		}
		if x.Sign() < 0 {
			s = "-" + s
		}
		return s
	case m.precision <= 9:
		return int32(x.Int64())
	case m.precision <= 18:
		return x.Int64()
	}
	n := 1
	for limit := pow(10, m.precision); new(big.Int).Lsh(big.NewInt(1), uint(8*n-1)).Cmp(limit) < 0; n++ {
	}
	return string(asTwosComplement(x, n))
}

// unscaledOf undoes expectDecimal, for decimals that have a column.
func unscaledOf(v any) *big.Int {
	switch v := v.(type) {
	case int32:
		return big.NewInt(int64(v))
	case int64:
		return big.NewInt(v)
	}
	return twosComplement([]byte(v.(string)))
}

func pow(base, n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(int64(base)), big.NewInt(int64(n)), nil)
}

// comparable turns what rowtest gives into what expect gives: maps lose their order.
func comparable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, item := range v {
			out[k] = comparable(item)
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, comparable(item))
		}
		return out
	case []rowtest.Pair:
		out := map[any]any{}
		for _, p := range v {
			out[p.Key] = comparable(p.Value)
		}
		return out
	}
	return v
}
