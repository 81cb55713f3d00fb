package rawrec

import (
	"strings"
	"unicode/utf8"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// CodeSchema is the code of a table that cannot take raw records.
const CodeSchema = "E_SCHEMA"

// The columns of a raw record.
const (
	KeyColumn       = "key"
	ValueColumn     = "value"
	HeadersColumn   = "headers"
	TimestampColumn = "timestamp"
)

// Headers are the headers of one record, in order.
type Headers interface {
	Len() int
	At(i int) (key string, value []byte)
}

// Record is one record. A nil Key or Value is null; nil Headers are none.
type Record struct {
	Key, Value []byte
	Headers    Headers
	// Timestamp is in microseconds since the epoch; negative is none.
	Timestamp int64
}

// Fields are the columns of raw records.
func Fields() []column.Field {
	return []column.Field{
		{Name: KeyColumn, Doc: "record key", Type: column.Type{Kind: column.Binary}},
		{Name: ValueColumn, Doc: "record value", Type: column.Type{Kind: column.Binary}},
		{Name: HeadersColumn, Doc: "record headers, in order", Type: headersType()},
		{Name: TimestampColumn, Doc: "record timestamp", Type: column.Type{Kind: column.TimestampTZ}},
	}
}

func headersType() column.Type {
	header := column.Type{Kind: column.Struct, Fields: []column.Field{
		{Name: "key", Required: true, Type: column.Type{Kind: column.String}},
		{Name: "value", Type: column.Type{Kind: column.Binary}},
	}}
	return column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Required: true, Type: header}}}
}

// Writer appends records to the columns of a table.
type Writer struct {
	key, value, timestamp   *column.Column
	headerKey, headerValue  *column.Column
	headerDef, headerNested byte // levels of no header, and of a header's key
	others                  *Nulls
}

// New makes the Writer that fills nodes of set, which must be the columns of Fields and may be further optional ones,
// filled with null.
func New(set *column.Set, nodes []*column.Node) (*Writer, error) {
	w := &Writer{}
	own := map[string]func(*column.Node){
		KeyColumn:       func(n *column.Node) { w.key = set.Columns[n.Leaf] },
		ValueColumn:     func(n *column.Node) { w.value = set.Columns[n.Leaf] },
		TimestampColumn: func(n *column.Node) { w.timestamp = set.Columns[n.Leaf] },
		HeadersColumn: func(n *column.Node) {
			w.headerKey, w.headerValue = set.Columns[n.Lo], set.Columns[n.Lo+1]
			w.headerDef, w.headerNested = n.Def-1, n.Def
		},
	}
	var others []*column.Node
	for _, n := range nodes {
		if own[n.Field.Name] == nil {
			others = append(others, n)
		}
	}
	for _, f := range Fields() {
		n, err := find(nodes, f)
		if err != nil {
			return nil, err
		}
		own[f.Name](n)
	}
	var err error
	w.others, err = NewNulls(set, others)
	return w, err
}

// find gives the node that takes f.
func find(nodes []*column.Node, f column.Field) (*column.Node, error) {
	for _, n := range nodes {
		if n.Field.Name != f.Name {
			continue
		}
		if n.Field.Required || !n.Field.Type.Equal(f.Type) {
			return nil, mismatch("make it an optional "+f.Type.String(), "column %s is %s", f.Name, describe(n.Field))
		}
		return n, nil
	}
	return nil, mismatch("add the column to the table", "the table has no column %s", f.Name)
}

// describe spells a column's type and, if it is, that it is required.
func describe(f column.Field) string {
	if f.Required {
		return "a required " + f.Type.String()
	}
	return f.Type.String()
}

func mismatch(hint, format string, args ...any) error {
	return failure.New(failure.Config, CodeSchema, hint, "writing raw records: "+format, args...)
}

// Append appends one row.
func (w *Writer) Append(r *Record) {
	appendBinary(w.key, r.Key)
	appendBinary(w.value, r.Value)
	if r.Timestamp < 0 {
		w.timestamp.SetNull()
	} else {
		w.timestamp.AppendInt64(r.Timestamp)
		w.timestamp.SetValid()
	}
	w.appendHeaders(r.Headers)
	w.others.Append()
}

// appendBinary appends one row to a flat optional column; nil is null.
func appendBinary(c *column.Column, v []byte) {
	if v == nil {
		c.SetNull()
		return
	}
	c.AppendBytes(v)
	c.SetValid()
}

func (w *Writer) appendHeaders(h Headers) {
	if h == nil || h.Len() == 0 {
		w.headerKey.AppendLevels(w.headerDef, 0)
		w.headerValue.AppendLevels(w.headerDef, 0)
		return
	}
	for i := range h.Len() {
		rep := byte(min(i, 1))
		key, value := h.At(i)
		if !utf8.ValidString(key) { // Kafka does not enforce it, text columns must
			key = strings.ToValidUTF8(key, "\uFFFD")
		}
		w.headerKey.AppendBytes(bytesOf(key))
		w.headerKey.AppendLevels(w.headerNested, rep)
		if value == nil {
			w.headerValue.AppendLevels(w.headerNested, rep)
			continue
		}
		w.headerValue.AppendBytes(value)
		w.headerValue.AppendLevels(w.headerNested+1, rep)
	}
}
