package jsonrec

import (
	"unicode/utf8"

	"github.com/ingestd/ingestd/table/column"
)

// isText says whether s is valid UTF-8.
func isText(s []byte) bool { return utf8.Valid(s) }

// nested reads a struct, a list or a map.
func (m *Program) nested(f *field, b []byte, p int, rep byte) int {
	switch {
	case f.op == opList && b[p] != '[':
		return m.fail(f, wantArray, p)
	case f.op == opList:
		return m.list(f, b, p, rep)
	case b[p] != '{':
		return m.fail(f, wantObject, p)
	case f.op == opMap:
		return m.entries(f, b, p, rep)
	}
	return m.object(f.object, b, p, rep)
}

// empty appends a list or map without elements.
func (f *field) empty(rep byte) {
	for i := range f.leaves {
		f.leaves[i].column.AppendLevels(f.def, rep)
	}
}

// list reads the array that opens at p.
func (m *Program) list(f *field, b []byte, p int, rep byte) int {
	p = space(b, p+1)
	if p < len(b) && b[p] == ']' {
		f.empty(rep)
		return p + 1
	}
	framed := f.deep && m.restColumn != nil
	for i := 0; ; i++ {
		if framed {
			m.rest.enter(nil, i)
		}
		if p = m.value(f.element, b, p, rep); p < 0 {
			return p
		}
		if framed {
			m.rest.leave()
		}
		rep = f.rep
		q, more, why := separator(b, p, ']')
		if why != fine {
			return m.fail(f, why, q)
		}
		if !more {
			return q
		}
		p = q
	}
}

// entries reads the object that opens at p as a map.
func (m *Program) entries(f *field, b []byte, p int, rep byte) int {
	p = space(b, p+1)
	if p < len(b) && b[p] == '}' {
		f.empty(rep)
		return p + 1
	}
	m.objects++
	for scope := m.objects; ; {
		if p = m.entry(f, b, p, rep, scope); p < 0 {
			return p
		}
		rep = f.rep
		q, more, why := separator(b, p, '}')
		if why != fine {
			return m.fail(f, why, q)
		}
		if !more {
			return q
		}
		p = q
	}
}

// entry reads one entry of a map.
func (m *Program) entry(f *field, b []byte, p int, rep byte, scope uint64) int {
	start := p
	if p >= len(b) || b[p] != '"' {
		return m.fail(f, badSyntax, p)
	}
	key, p := m.unquote(f.mapKey, b, p)
	if p < 0 {
		return p
	}
	if !m.keys.add(scope, key) {
		return m.fail(f, duplicate, start)
	}
	f.mapKey.column.AppendBytes(key)
	f.mapKey.column.AppendLevels(f.mapKey.def, rep)
	end := p
	p, why := colon(b, p)
	if why != fine {
		return m.fail(f, why, p)
	}
	if !f.deep || m.restColumn == nil {
		return m.value(f.element, b, p, rep)
	}
	m.rest.enter(b[start:end], 0)
	if p = m.value(f.element, b, p, rep); p >= 0 {
		m.rest.leave()
	}
	return p
}

// fromText reads a value that is written as a string.
func (m *Program) fromText(f *field, b []byte, p int) int {
	if b[p] != '"' {
		return m.fail(f, wantString, p)
	}
	s, end := m.unquote(f, b, p)
	if end < 0 {
		return end
	}
	var why fault
	var v int64
	switch f.op {
	case opUUID, opFixed, opBinary:
		why = m.binary(f, s)
	case opDateText:
		var days int32
		if days, why = dateOf(s); why == fine {
			f.column.AppendInt32(days)
		}
	default:
		switch f.op {
		case opTimeText:
			v, why = timeOf(s)
		case opTimestampNsText, opTimestampTZNsText:
			v, why = nanosOf(s, f.op == opTimestampTZNsText)
		default:
			v, why = timestampOf(s, f.op == opTimestampTZText)
		}
		if why == fine {
			f.column.AppendInt64(v)
		}
	}
	if why != fine {
		return m.fail(f, why, p)
	}
	return end
}

// binary appends bytes that s spells.
func (m *Program) binary(f *field, s []byte) (why fault) {
	if f.op == opUUID {
		var u [16]byte
		if why = uuidOf(&u, s); why == fine {
			f.column.AppendFixed(u[:])
		}
		return why
	}
	if cap(m.bytes) > keptBytes {
		m.bytes = nil
	}
	if m.bytes, why = appendBase64(m.bytes[:0], s); why != fine {
		return why
	}
	if f.op == opBinary {
		f.column.AppendBytes(m.bytes)
		return fine
	}
	if len(m.bytes) != f.size {
		return badLength
	}
	f.column.AppendFixed(m.bytes)
	return fine
}

// appendDecimal appends an unscaled value that is within the precision.
func (f *field) appendDecimal(w wide) {
	switch f.column.Leaf.Physical {
	case column.PhysInt32:
		v, _ := w.int64()
		f.column.AppendInt32(int32(v))
	case column.PhysInt64:
		v, _ := w.int64()
		f.column.AppendInt64(v)
	default:
		var full [16]byte
		dst := full[:f.column.Leaf.FixedLen]
		w.putBig(dst)
		f.column.AppendFixed(dst)
	}
}
