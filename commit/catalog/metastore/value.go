package metastore

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Struct is a Thrift struct by field number. Its values are bool, int8, int16, int32, int64, float64, string, Struct,
// List and Map.
type Struct map[int16]any

// List is a Thrift list, or a set.
type List struct {
	Items []any
	elem  kind
	set   bool
}

// Map is a Thrift map.
type Map struct {
	Pairs      [][2]any
	key, value kind
}

// kind is a type on the wire.
type kind byte

const (
	kindStop   kind = 0
	kindBool   kind = 2
	kindByte   kind = 3
	kindDouble kind = 4
	kindI16    kind = 6
	kindI32    kind = 8
	kindI64    kind = 10
	kindString kind = 11
	kindStruct kind = 12
	kindMap    kind = 13
	kindSet    kind = 14
	kindList   kind = 15
)

// Bounds of an answer that is one.
const (
	maxDepth = 32
	maxBytes = 64 << 20
)

var errMalformed = errors.New("malformed Thrift message")

// Structs makes a list of structs.
func Structs(items ...Struct) List {
	l := List{elem: kindStruct}
	for _, s := range items {
		l.Items = append(l.Items, s)
	}
	return l
}

// Strings makes a map of strings, in the order of the keys.
func Strings(m map[string]string) Map {
	out := Map{key: kindString, value: kindString}
	for k, v := range m {
		out.Pairs = append(out.Pairs, [2]any{k, v})
	}
	slices.SortFunc(out.Pairs, func(a, b [2]any) int {
		x, _ := a[0].(string)
		y, _ := b[0].(string)
		if x < y {
			return -1
		}
		return 1
	})
	return out
}

// Strings is the map as one of strings; other pairs are left out.
func (m Map) Strings() map[string]string {
	out := make(map[string]string, len(m.Pairs))
	for _, p := range m.Pairs {
		k, ok := p[0].(string)
		v, ok2 := p[1].(string)
		if ok && ok2 {
			out[k] = v
		}
	}
	return out
}

// Text is a field's string, "" when it has none.
func (s Struct) Text(field int16) string { return value[string](s, field) }

// Inner is a field's struct, nil when it has none.
func (s Struct) Inner(field int16) Struct { return value[Struct](s, field) }

func value[T any](s Struct, field int16) T {
	v, _ := s[field].(T)
	return v
}

func kindOf(v any) kind {
	switch v := v.(type) {
	case bool:
		return kindBool
	case int8:
		return kindByte
	case int16:
		return kindI16
	case int32:
		return kindI32
	case int64:
		return kindI64
	case float64:
		return kindDouble
	case string:
		return kindString
	case Struct:
		return kindStruct
	case Map:
		return kindMap
	case List:
		if v.set {
			return kindSet
		}
		return kindList
	}
	return kindStop
}

// appendValue writes a value as the binary protocol has it.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, 1)
		}
		return append(b, 0)
	case int8:
		return append(b, byte(v))
	case int16:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	case int32:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case int64:
		return binary.BigEndian.AppendUint64(b, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case string:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case Struct:
		return appendStruct(b, v)
	case Map:
		b = append(b, byte(v.key), byte(v.value))
		b = binary.BigEndian.AppendUint32(b, uint32(len(v.Pairs)))
		for _, p := range v.Pairs {
			b = appendValue(appendValue(b, p[0]), p[1])
		}
	case List:
		b = append(b, byte(v.elem))
		b = binary.BigEndian.AppendUint32(b, uint32(len(v.Items)))
		for _, item := range v.Items {
			b = appendValue(b, item)
		}
	}
	return b
}

func appendStruct(b []byte, s Struct) []byte {
	fields := make([]int16, 0, len(s))
	for f, v := range s {
		if kindOf(v) != kindStop {
			fields = append(fields, f)
		}
	}
	slices.Sort(fields)
	for _, f := range fields {
		b = append(b, byte(kindOf(s[f])))
		b = binary.BigEndian.AppendUint16(b, uint16(f))
		b = appendValue(b, s[f])
	}
	return append(b, byte(kindStop))
}

// decoder reads values and holds them to the bounds.
type decoder struct {
	r    *bufio.Reader
	left int
}

func (d *decoder) bytes(n int) ([]byte, error) {
	if n < 0 || n > d.left {
		return nil, errMalformed
	}
	d.left -= n
	b := make([]byte, n)
	_, err := io.ReadFull(d.r, b)
	return b, err
}

// number reads n bytes, the highest first.
func (d *decoder) number(n int) (uint64, error) {
	b, err := d.bytes(n)
	out := uint64(0)
	for _, c := range b {
		out = out<<8 | uint64(c)
	}
	return out, err
}

func (d *decoder) text() (string, error) {
	n, err := d.number(4)
	if err != nil {
		return "", err
	}
	b, err := d.bytes(int(int32(n)))
	return string(b), err
}

func (d *decoder) value(k kind, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errMalformed
	}
	switch k {
	case kindString:
		return d.text()
	case kindStruct:
		return d.strct(depth)
	case kindMap:
		return d.mapping(depth)
	case kindSet, kindList:
		return d.list(k == kindSet, depth)
	}
	size := map[kind]int{kindBool: 1, kindByte: 1, kindI16: 2, kindI32: 4, kindI64: 8, kindDouble: 8}[k]
	if size == 0 {
		return nil, fmt.Errorf("%w: type %d", errMalformed, k)
	}
	n, err := d.number(size)
	switch k {
	case kindBool:
		return n != 0, err
	case kindByte:
		return int8(n), err
	case kindI16:
		return int16(n), err
	case kindI32:
		return int32(n), err
	case kindDouble:
		return math.Float64frombits(n), err
	}
	return int64(n), err
}

func (d *decoder) strct(depth int) (Struct, error) {
	s := Struct{}
	for {
		k, err := d.number(1)
		if err != nil || kind(k) == kindStop {
			return s, err
		}
		f, err := d.number(2)
		if err != nil {
			return nil, err
		}
		if s[int16(f)], err = d.value(kind(k), depth+1); err != nil {
			return nil, err
		}
	}
}

// count reads the length of a list or map. Each item has one byte at least, but for empty structs' own end.
func (d *decoder) count() (int, error) {
	n, err := d.number(4)
	if err == nil && int64(n) > int64(d.left) {
		err = errMalformed
	}
	return int(n), err
}

func (d *decoder) list(set bool, depth int) (List, error) {
	k, err := d.number(1)
	if err != nil {
		return List{}, err
	}
	l := List{elem: kind(k), set: set}
	n, err := d.count()
	for i := 0; i < n && err == nil; i++ {
		var v any
		v, err = d.value(l.elem, depth+1)
		l.Items = append(l.Items, v)
	}
	return l, err
}

func (d *decoder) mapping(depth int) (Map, error) {
	b, err := d.bytes(2)
	if err != nil {
		return Map{}, err
	}
	m := Map{key: kind(b[0]), value: kind(b[1])}
	n, err := d.count()
	for i := 0; i < n && err == nil; i++ {
		var p [2]any
		if p[0], err = d.value(m.key, depth+1); err == nil {
			p[1], err = d.value(m.value, depth+1)
		}
		m.Pairs = append(m.Pairs, p)
	}
	return m, err
}
