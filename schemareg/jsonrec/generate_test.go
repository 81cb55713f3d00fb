package jsonrec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
)

// pick draws one of 0 to n-1, each as likely (the library's integers prefer small ones).
func pick(t *rapid.T, n int) int {
	v := 0
	for i := 1; i < 8*n; i *= 2 {
		v *= 2
		if rapid.Bool().Draw(t, "bit") {
			v++
		}
	}
	return v % n
}

// oneIn is true once in n times; shrinking makes it false.
func oneIn(t *rapid.T, n int) bool { return pick(t, n) == n-1 }

func choose[T any](t *rapid.T, from []T) T { return from[pick(t, len(from))] }

// scalars are the kinds that are not nested.
var scalars = []column.Kind{
	column.Boolean, column.Int, column.Long, column.Float, column.Double, column.Decimal, column.Date, column.Time,
	column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs, column.String, column.UUID, column.Fixed, column.Binary,
}

// drawFields draws the declaration of an object.
func drawFields(t *rapid.T, depth int) []column.Field {
	n := 1 + pick(t, 6)
	if depth == 0 && oneIn(t, 50) {
		n = 100
	}
	out := make([]column.Field, n)
	for i := range out {
		out[i] = drawField(t, fmt.Sprintf("f%d", i), depth)
		if oneIn(t, 10) {
			out[i].Name += choose(t, []string{"ä", `"`, " ", `\`, "<>", "\n", "a.b"})
		}
	}
	return out
}

func drawField(t *rapid.T, name string, depth int) column.Field {
	f := column.Field{Name: name, Required: oneIn(t, 4)}
	kind := choose(t, scalars)
	if depth < 3 && oneIn(t, 4) {
		kind = choose(t, []column.Kind{column.Struct, column.List, column.Map})
	}
	f.Type.Kind = kind
	switch kind {
	case column.Decimal:
		f.Type.Precision = 1 + pick(t, 38)
		f.Type.Scale = pick(t, f.Type.Precision+1)
	case column.Fixed:
		f.Type.Length = 1 + pick(t, 20)
	case column.Struct:
		f.Type.Fields = drawFields(t, depth+1)
	case column.List:
		f.Type.Fields = []column.Field{drawField(t, "element", depth+1)}
	case column.Map:
		key := column.Field{Name: "key", Required: true, Type: column.Type{Kind: column.String}}
		f.Type.Fields = []column.Field{key, drawField(t, "value", depth+1)}
	default:
	}
	return f
}

// drawHints draws units and other keys for some fields.
func drawHints(t *rapid.T, fields []column.Field, path []string, named bool) []Hint {
	var out []Hint
	for i, f := range fields {
		step := f.Name
		switch {
		case !named && len(fields) == 1:
			step = "element"
		case !named:
			step = [...]string{"key", "value"}[i]
		}
		h := Hint{Path: append(slices.Clone(path), step)}
		switch f.Type.Kind {
		case column.Date:
			h.Unit = choose(t, []Unit{ISO, Days})
		case column.Time, column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs:
			h.Unit = choose(t, []Unit{ISO, ISO, Seconds, Millis, Micros, Nanos})
		default:
		}
		if named && oneIn(t, 10) {
			h.From = "from-" + f.Name
		}
		out = append(out, h)
		out = append(out, drawHints(t, f.Type.Fields, h.Path, f.Type.Kind == column.Struct)...)
	}
	return out
}

// widened draws the columns of a table that takes the declaration: another order, wider types, columns of its own.
func widened(t *rapid.T, fields []column.Field) []column.Field {
	out := make([]column.Field, 0, len(fields)+1)
	for _, f := range fields {
		f.Required = f.Required && rapid.Bool().Draw(t, "keep required")
		out = append(out, widenedType(t, f))
	}
	if oneIn(t, 4) {
		out = append(out, drawField(t, "own", 2))
		out[len(out)-1].Required = false
	}
	return rapid.Permutation(out).Draw(t, "order")
}

func widenedType(t *rapid.T, f column.Field) column.Field {
	wide := oneIn(t, 4)
	switch f.Type.Kind {
	case column.Int, column.Time:
		if wide {
			f.Type.Kind = column.Long
		}
	case column.Float:
		if wide {
			f.Type.Kind = column.Double
		}
	case column.Struct:
		f.Type.Fields = widened(t, f.Type.Fields)
	case column.List, column.Map:
		f.Type.Fields = slices.Clone(f.Type.Fields)
		last := len(f.Type.Fields) - 1
		f.Type.Fields[last] = widenedType(t, f.Type.Fields[last])
	default:
	}
	return f
}

// drawRecord draws an object for the declaration: mostly right, with what is wrong in odd places. It has no
// duplicate keys.
func drawRecord(t *rapid.T, fields []declared, odd int) []member {
	out := []member{}
	for i := range fields {
		d := &fields[i]
		if oneIn(t, 10) && (!d.Required || odd > 0) {
			continue
		}
		out = append(out, member{d.from, drawValue(t, d, odd)})
	}
	if oneIn(t, 4) {
		for i := range 1 + pick(t, 3) {
			out = append(out, member{fmt.Sprintf("x%d %s", i, drawText(t)), drawAny(t, 3)})
		}
	}
	return rapid.Permutation(out).Draw(t, "order")
}

// raw is a number as it shall be written.
type raw string

func drawValue(t *rapid.T, d *declared, odd int) any {
	switch {
	case oneIn(t, 10) && (!d.Required || odd > 0):
		return nil
	case odd > 0 && oneIn(t, 31):
		return drawAny(t, 2)
	}
	switch d.Type.Kind {
	case column.Struct:
		return drawRecord(t, d.members, odd)
	case column.List:
		out := []any{}
		for range pick(t, 4) {
			out = append(out, drawValue(t, &d.members[0], odd))
		}
		return out
	case column.Map:
		out := []member{}
		for i := range pick(t, 4) {
			out = append(out, member{fmt.Sprint(drawText(t), i), drawValue(t, &d.members[1], odd)})
		}
		return out
	default:
		return drawScalar(t, d)
	}
}

func drawScalar(t *rapid.T, d *declared) any {
	switch d.Type.Kind {
	case column.Boolean:
		return rapid.Bool().Draw(t, "bool")
	case column.Int:
		return raw(strconv.Itoa(int(rapid.Int32().Draw(t, "int"))))
	case column.Long:
		return raw(strconv.FormatInt(rapid.Int64().Draw(t, "long"), 10))
	case column.Float:
		return raw(strconv.FormatFloat(float64(rapid.Float32Range(-1e9, 1e9).Draw(t, "float")), 'g', -1, 32))
	case column.Double:
		return raw(strconv.FormatFloat(rapid.Float64().Draw(t, "double"), 'g', -1, 64))
	case column.Decimal:
		return drawDecimal(t, d.Type)
	case column.UUID:
		return rapid.StringMatching(`[0-9a-f]{8}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA-F]{12}`).Draw(t, "uuid")
	case column.Fixed:
		return base64.StdEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), d.Type.Length, d.Type.Length).Draw(t, "fixed"))
	case column.Binary:
		coding := choose(t, []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding})
		return coding.EncodeToString(rapid.SliceOf(rapid.Byte()).Draw(t, "binary"))
	case column.String:
		return drawText(t)
	default:
		return drawClock(t, d)
	}
}

func drawDecimal(t *rapid.T, p column.Type) any {
	digits := strings.TrimLeft(rapid.StringMatching(fmt.Sprintf(`[0-9]{%d}`, p.Precision)).Draw(t, "digits"), "0")
	digits = strings.Repeat("0", max(0, p.Scale+1-len(digits))) + digits
	s := digits[:len(digits)-p.Scale]
	if p.Scale > 0 {
		s += "." + digits[len(digits)-p.Scale:]
	}
	if rapid.Bool().Draw(t, "text") {
		return s
	}
	return raw(s)
}

func drawClock(t *rapid.T, d *declared) any {
	at := instant().Draw(t, "at")
	kind := d.Type.Kind
	if d.unit == Nanos || kind == column.TimestampNs || kind == column.TimestampTZNs {
		at = time.Unix(0, rapid.Int64().Draw(t, "near")).UTC()
	}
	switch {
	case kind == column.Date && d.unit == Days:
		return raw(strconv.FormatInt(at.Unix()/secondsPerDay, 10))
	case kind == column.Date:
		return at.Format(time.DateOnly)
	case kind == column.Time && d.unit == ISO:
		return at.Format("15:04:05.999999999")
	case (kind == column.Timestamp || kind == column.TimestampNs) && d.unit == ISO:
		return at.Format("2006-01-02T15:04:05.999999999")
	case d.unit == ISO:
		return at.Format(time.RFC3339Nano)
	}
	micros := at.UnixMicro()
	if kind == column.Time {
		micros = (micros%microsPerDay + microsPerDay) % microsPerDay
	}
	switch d.unit {
	case Seconds:
		return raw(fmt.Sprintf("%d.%03d", micros/1e6, max(micros, -micros)/1e3%1e3))
	case Millis:
		return raw(strconv.FormatInt(micros/1e3, 10))
	case Nanos:
		if kind == column.Time {
			return raw(fmt.Sprintf("%d%03d", micros, at.Nanosecond()%1000))
		}
		return raw(strconv.FormatInt(at.UnixNano(), 10))
	default:
		return raw(strconv.FormatInt(micros, 10))
	}
}

func drawText(t *rapid.T) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "a", "\x00\x1f", "\"\\/\b\f\n\r\t", "ä€😀", "a longer text that passes eight bytes"}),
		rapid.StringN(0, 20, 40),
		rapid.StringMatching(`[a-z]{0,40}`),
	).Draw(t, "text")
}

// drawAny draws any value at all.
func drawAny(t *rapid.T, depth int) any {
	switch kind := pick(t, 9); {
	case kind == 0:
		return nil
	case kind == 1:
		return rapid.Bool().Draw(t, "bool")
	case kind <= 3:
		return raw(numberText().Filter(isNumber).Draw(t, "number"))
	case kind == 4 && depth > 0:
		out := []any{}
		for range pick(t, 4) {
			out = append(out, drawAny(t, depth-1))
		}
		return out
	case kind == 5 && depth > 0:
		out := []member{}
		for i := range pick(t, 4) {
			out = append(out, member{fmt.Sprint(drawText(t), i), drawAny(t, depth-1)})
		}
		return out
	}
	return drawText(t)
}

// writer spells trees as JSON texts with spaces and escapes by chance.
type writer struct {
	chance *rand.Rand // nil: plainly
	b      []byte
}

func (w *writer) oneIn(n int) bool { return w.chance != nil && w.chance.IntN(n) == 0 }

// spell writes v in one of many spellings, or plainly without t.
func spell(t *rapid.T, v any) []byte {
	var w writer
	if t != nil {
		w.chance = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "spelling"), 0))
	}
	w.value(v)
	w.space()
	return w.b
}

func (w *writer) space() {
	switch {
	case w.oneIn(8):
		w.b = append(w.b, ' ')
	case w.oneIn(16):
		w.b = append(w.b, "\n\t \r"...)
	}
}

func (w *writer) value(v any) {
	w.space()
	switch v := v.(type) {
	case []member:
		w.b = append(w.b, '{')
		for i, m := range v {
			w.comma(i)
			w.space()
			w.text(m.key)
			w.space()
			w.b = append(w.b, ':')
			w.value(m.value)
		}
		w.space()
		w.b = append(w.b, '}')
	case []any:
		w.b = append(w.b, '[')
		for i, e := range v {
			w.comma(i)
			w.value(e)
		}
		w.space()
		w.b = append(w.b, ']')
	case raw:
		w.b = append(w.b, v...)
	case string:
		w.text(v)
	default:
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		w.b = append(w.b, b...)
	}
}

func (w *writer) comma(i int) {
	if i > 0 {
		w.space()
		w.b = append(w.b, ',')
	}
}

// shortEscapes are the escapes of one letter.
var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// text writes a string, some of its characters as escapes.
func (w *writer) text(s string) {
	plain := !w.oneIn(4)
	w.b = append(w.b, '"')
	for _, r := range s {
		short, ok := shortEscapes[r]
		switch {
		case ok && (plain || w.oneIn(2)):
			w.b = append(w.b, short...)
		case r < 0x20 || !plain && w.oneIn(2):
			for _, unit := range utf16.Encode([]rune{r}) {
				w.b = fmt.Appendf(w.b, `\u%04X`, unit)
			}
		case ok:
			w.b = append(w.b, short...)
		default:
			w.b = append(w.b, string(r)...)
		}
	}
	w.b = append(w.b, '"')
}
