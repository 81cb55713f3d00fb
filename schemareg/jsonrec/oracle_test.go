package jsonrec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/column/columntest"
)

// The oracle reads records with encoding/json into trees and converts the trees by the declaration, with big
// rationals and the time package. It shares no code with the scanner.

// errRefused stands for every reason to refuse a record.
var errRefused = errors.New("refused")

// member is a key with its value; an object is a []member, so that duplicates show.
type member struct {
	key   string
	value any
}

// parse reads one JSON text: nil, bool, json.Number, string, []any or []member.
func parse(text []byte) (any, error) {
	if !json.Valid(text) {
		return nil, errRefused
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return parseValue(d, 0)
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if _, ok := token.(json.Delim); ok {
		if depth++; depth > maxDepth {
			return nil, errRefused
		}
	}
	switch token {
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := parseValue(d, depth)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err = d.Token()
		return out, err
	case json.Delim('{'):
		out := []member{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := parseValue(d, depth)
			if err != nil {
				return nil, err
			}
			out = append(out, member{key.(string), v})
		}
		_, err = d.Token()
		return out, err
	}
	return token, nil
}

// oracle knows a declaration and how the table stores it.
type oracle struct {
	config Config
	root   []declared
}

// asStored gives the declaration the types of the table's columns: a value may be as wide as its column.
func asStored(fields []declared, nodes []*column.Node) []declared {
	out := slices.Clone(fields)
	for i := range out {
		d := &out[i]
		n := nodes[min(i, len(nodes)-1)]
		if at := slices.IndexFunc(nodes, func(n *column.Node) bool { return n.Field.Name == d.Name }); d.from != "" {
			n = nodes[at]
		}
		if d.Type.Kind != column.Time {
			d.Type.Kind = n.Field.Type.Kind
		}
		d.members = asStored(d.members, n.Children)
	}
	return out
}

// read reads a record into one value per declared field, and what belongs into the rest column (nil if nothing).
func (s oracle) read(text []byte) (row map[string]any, rest any, err error) {
	tree, err := parse(text)
	if err != nil {
		return nil, nil, errRefused
	}
	record, ok := tree.([]member)
	if !ok {
		return nil, nil, errRefused
	}
	row, kept, err := s.object(record, s.root)
	return row, kept, err
}

func (s oracle) object(object []member, fields []declared) (map[string]any, any, error) {
	out, kept, seen := map[string]any{}, map[string]any{}, map[string]bool{}
	for _, m := range object {
		at := slices.IndexFunc(fields, func(d declared) bool { return d.from == m.key })
		if seen[m.key] && (at >= 0 || s.config.Unknown == Rest) || at < 0 && s.config.Unknown == Refuse {
			return nil, nil, errRefused
		}
		seen[m.key] = true
		if at < 0 {
			kept[m.key] = plainTree(m.value)
			continue
		}
		v, rest, err := s.value(m.value, &fields[at])
		if err != nil {
			return nil, nil, err
		}
		out[fields[at].Name] = v
		if rest != nil {
			kept[m.key] = rest
		}
	}
	for _, d := range fields {
		if d.Required && out[d.Name] == nil {
			return nil, nil, errRefused
		}
		if _, ok := out[d.Name]; !ok {
			out[d.Name] = nil
		}
	}
	return out, orNil(kept), nil
}

func orNil(kept map[string]any) any {
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// plainTree turns ordered objects into maps.
func plainTree(v any) any {
	switch v := v.(type) {
	case []member:
		out := map[string]any{}
		for _, m := range v {
			out[m.key] = plainTree(m.value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainTree(v[i])
		}
		return out
	}
	return v
}

func (s oracle) value(v any, d *declared) (any, any, error) {
	switch {
	case v == nil && d.Required:
		return nil, nil, errRefused
	case v == nil:
		return nil, nil, nil
	}
	switch d.Type.Kind {
	case column.Struct:
		if object, ok := v.([]member); ok {
			row, rest, err := s.object(object, d.members)
			return row, rest, err
		}
	case column.List:
		if list, ok := v.([]any); ok {
			return s.list(list, d)
		}
	case column.Map:
		if object, ok := v.([]member); ok {
			return s.entries(object, d)
		}
	default:
		scalar, err := scalarOf(v, d)
		return scalar, nil, err
	}
	return nil, nil, errRefused
}

func (s oracle) list(list []any, d *declared) (any, any, error) {
	out, kept := []any{}, map[string]any{}
	for i, e := range list {
		v, rest, err := s.value(e, &d.members[0])
		if err != nil {
			return nil, nil, err
		}
		out = append(out, v)
		if rest != nil {
			kept[strconv.Itoa(i)] = rest
		}
	}
	return out, orNil(kept), nil
}

func (s oracle) entries(object []member, d *declared) (any, any, error) {
	out, kept := map[string]any{}, map[string]any{}
	for _, m := range object {
		if _, ok := out[m.key]; ok {
			return nil, nil, errRefused
		}
		v, rest, err := s.value(m.value, &d.members[1])
		if err != nil {
			return nil, nil, err
		}
		out[m.key] = v
		if rest != nil {
			kept[m.key] = rest
		}
	}
	return out, orNil(kept), nil
}

func scalarOf(v any, d *declared) (any, error) {
	switch v := v.(type) {
	case bool:
		if d.Type.Kind == column.Boolean {
			return v, nil
		}
	case json.Number:
		return numberOf(string(v), d)
	case string:
		return textOf(v, d)
	}
	return nil, errRefused
}

func numberOf(s string, d *declared) (any, error) {
	r := exact(s)
	switch d.Type.Kind {
	case column.Float, column.Double:
		size := map[column.Kind]int{column.Float: 32, column.Double: 64}[d.Type.Kind]
		f, err := strconv.ParseFloat(s, size)
		if err != nil {
			return nil, errRefused
		}
		if size == 32 {
			return float32(f), nil
		}
		return f, nil
	default:
	}
	if r == nil { // an absurd exponent
		mantissa, exponent := s[:strings.IndexAny(s, "eE")], s[strings.IndexAny(s, "eE"):]
		switch {
		case !strings.ContainsAny(mantissa, "123456789"):
			r = new(big.Rat)
		case exponent[1] == '-':
			r = exact(strings.TrimRight(mantissa, ".") + "e-999")
		default:
			return nil, errRefused
		}
	}
	switch d.Type.Kind {
	case column.Int:
		return integer(r, 32)
	case column.Long:
		return integer(r, 64)
	case column.Decimal:
		return unscaled(r, d.Type)
	case column.Date:
		if d.unit == Days {
			return integer(r, 32)
		}
	case column.Time, column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs:
		return ticks(r, d)
	default:
	}
	return nil, errRefused
}

func integer(r *big.Rat, size int) (any, error) {
	if !r.IsInt() || !r.Num().IsInt64() {
		return nil, errRefused
	}
	v := r.Num().Int64()
	if size == 32 {
		if int64(int32(v)) != v {
			return nil, errRefused
		}
		return int32(v), nil
	}
	return v, nil
}

func unscaled(r *big.Rat, t column.Type) (any, error) {
	ten := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	r.Mul(r, new(big.Rat).SetInt(ten(t.Scale)))
	if !r.IsInt() || new(big.Int).Abs(r.Num()).Cmp(ten(t.Precision)) >= 0 {
		return nil, errRefused
	}
	if r.Sign() == 0 {
		return new(big.Int), nil
	}
	return new(big.Int).Set(r.Num()), nil
}

func ticks(r *big.Rat, d *declared) (any, error) {
	if d.unit == ISO {
		return nil, errRefused
	}
	per := map[Unit]int64{Seconds: 1e9, Millis: 1e6, Micros: 1e3, Nanos: 1}[d.unit]
	r.Mul(r, new(big.Rat).SetInt64(per))
	if d.Type.Kind != column.TimestampNs && d.Type.Kind != column.TimestampTZNs {
		r.Quo(r, new(big.Rat).SetInt64(1000))
	}
	v := new(big.Int).Div(r.Num(), r.Denom())
	if !v.IsInt64() || d.Type.Kind == column.Time && (v.Sign() < 0 || v.Int64() >= 24*3600*1e6) {
		return nil, errRefused
	}
	return v.Int64(), nil
}

var (
	timePattern  = regexp.MustCompile(`^(\d\d:\d\d)(:\d\d(?:[.,]\d{1,9})?)?$`)
	stampPattern = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d{1,9})?)?(Z|z|[+-]\d\d(?::?\d\d)?)?$`)
	uuidPattern  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func textOf(s string, d *declared) (any, error) {
	switch d.Type.Kind {
	case column.String:
		return s, nil
	case column.Decimal:
		if isNumberText(s) {
			return numberOf(s, d)
		}
	case column.UUID:
		if u, err := uuid.Parse(s); err == nil && uuidPattern.MatchString(s) {
			return u[:], nil
		}
	case column.Binary, column.Fixed:
		b, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
		padding := len(s) - len(strings.TrimRight(s, "="))
		whole := padding == 0 || len(s)%4 == 0 && padding <= 2
		if err == nil && whole && !strings.ContainsAny(s, "\r\n") && (d.Type.Kind == column.Binary || len(b) == d.Type.Length) {
			return b, nil
		}
	case column.Date, column.Time, column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs:
		if d.unit == ISO {
			return clockOf(s, d.Type.Kind)
		}
	default:
	}
	return nil, errRefused
}

func isNumberText(s string) bool { return s != "" && s == strings.TrimSpace(s) && isNumber(s) }

func clockOf(s string, kind column.Kind) (any, error) {
	seconds := func(s string) string {
		if s == "" {
			return ":00"
		}
		return strings.ReplaceAll(s, ",", ".")
	}
	switch kind {
	case column.Date:
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			return int32(t.Unix() / (24 * 3600)), nil
		}
	case column.Time:
		if m := timePattern.FindStringSubmatch(s); m != nil {
			if t, err := time.Parse(time.TimeOnly, m[1]+seconds(m[2])); err == nil {
				return t.Sub(t.Truncate(24 * time.Hour)).Microseconds(), nil
			}
		}
	default:
		m := stampPattern.FindStringSubmatch(s)
		if m == nil || (m[4] != "") != (kind == column.TimestampTZ || kind == column.TimestampTZNs) {
			break
		}
		zone := strings.ReplaceAll(strings.ToUpper(m[4]), ":", "")
		if zone == "" {
			zone = "Z"
		} else if len(zone) == 3 {
			zone += "00"
		}
		if len(zone) == 5 && (zone[1:3] > "23" || zone[3:] > "59") {
			break
		}
		if t, err := time.Parse("2006-01-02T15:04:05Z0700", m[1]+"T"+m[2]+seconds(m[3])+zone); err == nil {
			if kind == column.Timestamp || kind == column.TimestampTZ {
				return t.UnixMicro(), nil
			}
			if time.Unix(0, t.UnixNano()).Equal(t) {
				return t.UnixNano(), nil
			}
		}
	}
	return nil, errRefused
}

// normal makes an assembled value comparable with the oracle's: maps lose their order.
func normal(v any, d *declared) any {
	switch x := v.(type) {
	case nil:
		return nil
	case []columntest.Entry:
		out := map[string]any{}
		for _, e := range x {
			out[e.Key.(string)] = normal(e.Value, &d.members[1])
		}
		if len(out) != len(x) {
			panic(fmt.Sprintf("a key twice in %v", x))
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = normal(x[i], &d.members[0])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for i := range d.members {
			m := &d.members[i]
			out[m.Name] = normal(x[m.Name], m)
		}
		return out
	}
	return v
}
