package avro

import (
	"fmt"
	"strconv"

	"github.com/linkedin/goavro/v2"

	"github.com/ingestd/ingestd/internal/failure"
)

// Preview decodes single records into values that people read. It is slow and shares no code with Program's values,
// so that one can be held against the other. A Preview belongs to one goroutine.
type Preview struct {
	schema *Schema
	plain  *plainSchema
	codec  *goavro.Codec
	check  *Program // goes through a record before goavro does, which believes every length it reads
}

// previewItems bounds lists of items without bytes.
const previewItems = 10_000

// NewPreview prepares for the records of s.
func NewPreview(s *Schema) (*Preview, error) {
	plain := &plainSchema{names: map[*avroType]string{}}
	codec, err := goavro.NewCodec(string(plain.appendType(nil, s.root)))
	if err != nil {
		return nil, unsupported("", "preparing preview: %v", err)
	}
	check := &Program{walk: true}
	c := &compiler{}
	c.skip(&builder{block: &check.root}, s.root, place{})
	return &Preview{schema: s, plain: plain, codec: codec, check: check}, c.err
}

// Decode gives the record as nested maps, lists and leaves: numbers, booleans, text. Bytes become base64, decimals,
// dates, times, UUIDs and durations text. Of a union with several types the value stands under the branch's name, as
// it does in the table.
func (p *Preview) Decode(b []byte) (any, error) {
	p.check.budget = previewItems
	if at := p.check.run(&p.check.root, b, 0, 0); at < 0 {
		return nil, p.check.error(len(b))
	} else if at != len(b) {
		p.check.fault, p.check.path = faultTrailing, ""
		return nil, p.check.error(len(b))
	}
	native, _, err := p.codec.NativeFromBinary(b)
	if err != nil {
		return nil, failure.New(failure.Poison, CodeDecode, "", "decoding Avro record of %d bytes for preview: %v", len(b), err)
	}
	return p.plain.readable(p.schema.root, native), nil
}

// JSON is Decode as JSON, with the fields of a record in the order of the schema.
func (p *Preview) JSON(b []byte) ([]byte, error) {
	v, err := p.Decode(b)
	if err != nil {
		return nil, err
	}
	return appendJSON(nil, p.schema.root, v)
}

// plainSchema writes a schema for goavro: without logical types, since it knows only some, and with names of our own,
// since it does not know all letters.
type plainSchema struct {
	names map[*avroType]string
}

// branchKey is what goavro calls a branch of a union.
func (s *plainSchema) branchKey(t *avroType) string {
	if t.name != "" {
		return s.names[t]
	}
	return kindNames[t.kind]
}

func plainField(i int) string  { return "f" + strconv.Itoa(i) }
func plainSymbol(i int) string { return "s" + strconv.Itoa(i) }

func (s *plainSchema) appendType(dst []byte, t *avroType) []byte {
	if t.name == "" {
		return s.appendUnnamed(dst, t)
	}
	if name, ok := s.names[t]; ok {
		return strconv.AppendQuote(dst, name)
	}
	name := "t" + strconv.Itoa(len(s.names))
	s.names[t] = name
	dst = fmt.Appendf(dst, `{"type":%q,"name":%q`, kindNames[t.kind], name)
	switch t.kind {
	case kFixed:
		dst = fmt.Appendf(dst, `,"size":%d`, t.size)
	case kEnum:
		dst = append(dst, `,"symbols":[`...)
		for i := range t.symbols {
			dst = strconv.AppendQuote(comma(dst, i), plainSymbol(i))
		}
		dst = append(dst, ']')
	default: // kRecord
		dst = append(dst, `,"fields":[`...)
		for i := range t.fields {
			dst = fmt.Appendf(comma(dst, i), `{"name":%q,"type":`, plainField(i))
			dst = append(s.appendType(dst, t.fields[i].typ), '}')
		}
		if len(t.fields) == 0 { // goavro wants one; this one has no bytes either
			dst = append(dst, `{"name":"f0","type":"null"}`...)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func (s *plainSchema) appendUnnamed(dst []byte, t *avroType) []byte {
	switch t.kind {
	case kUnion:
		dst = append(dst, '[')
		for i, b := range t.branches {
			dst = s.appendType(comma(dst, i), b)
		}
		return append(dst, ']')
	case kArray:
		return append(s.appendType(append(dst, `{"type":"array","items":`...), t.items), '}')
	case kMap:
		return append(s.appendType(append(dst, `{"type":"map","values":`...), t.items), '}')
	default:
		return strconv.AppendQuote(dst, kindNames[t.kind])
	}
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}
