package jsonrec

import (
	"github.com/ingestd/ingestd/table/column"
)

// keptBytes is the size up to which scratch buffers are kept for the next record.
const keptBytes = 1 << 20

// Program appends records to the columns it was compiled for. It belongs to one goroutine.
type Program struct {
	root       *object
	unknown    Unknown
	repair     bool
	restColumn *column.Column

	objects uint64 // objects met so far: the number that marks a key as seen
	rest    rest
	keys    keyset
	text    []byte // the text of a string that is not verbatim in the record
	clean   []byte // the same, repaired
	bytes   []byte // decoded base64

	fault fault
	at    int
	path  string
}

// Decode appends exactly one row to every column the program is responsible for. After an error, which is a failure
// of class Poison, the row is incomplete and the caller truncates the set.
func (m *Program) Decode(b []byte) error {
	m.fault, m.path = fine, ""
	m.keys.reset()
	m.rest.reset()
	p := space(b, 0)
	if p >= len(b) || b[p] != '{' {
		return failureOf(badObject, "", p)
	}
	if p = m.object(m.root, b, p, 0); p < 0 {
		return failureOf(m.fault, m.path, m.at)
	}
	if p = space(b, p); p < len(b) {
		return failureOf(trailing, "", p)
	}
	if m.restColumn != nil {
		m.finishRest()
	}
	return nil
}

// finishRest appends the undeclared keys of the record.
func (m *Program) finishRest() {
	if text := m.rest.finish(); text != nil {
		m.restColumn.AppendBytes(text)
		m.restColumn.SetValid()
		return
	}
	m.restColumn.SetNull()
}

// fail notes why the record is given up, unless something below has done so already. It gives the position that
// all scanning methods give for failure.
func (m *Program) fail(f *field, why fault, at int) int {
	m.fault, m.at = why, at
	if f != nil {
		m.path = f.path
	}
	return -1
}

// object reads the object that opens at p and gives the position behind it.
func (m *Program) object(o *object, b []byte, p int, rep byte) int {
	m.objects++
	mark, count := m.objects, 0
	p = space(b, p+1)
	if p < len(b) && b[p] == '}' {
		return m.complete(o, mark, count, p+1, rep)
	}
	guess := o.fields[0]
	for more := true; more; {
		f := guess
		if k := len(f.key); len(b)-p >= k && string(b[p:p+k]) == string(f.key) {
			p += k
		} else if f, p = m.key(o, b, p, mark); p < 0 {
			return -1
		}
		if f != nil {
			if f.seen == mark {
				return m.fail(f, duplicate, p)
			}
			f.seen, guess = mark, f.next
			count++
			if p = m.member(f, b, p, rep); p < 0 {
				return -1
			}
		}
		if p < len(b) && b[p] == ',' { // separator, inlined for the common case
			p = space(b, p+1)
			continue
		}
		var why fault
		if p, more, why = separator(b, p, '}'); why != fine {
			return m.fail(nil, why, p)
		}
	}
	return m.complete(o, mark, count, p, rep)
}

// member reads the value of a declared key.
func (m *Program) member(f *field, b []byte, p int, rep byte) int {
	if !f.deep || m.restColumn == nil {
		return m.value(f, b, p, rep)
	}
	m.rest.enter(f.key[:len(f.key)-1], 0)
	if p = m.value(f, b, p, rep); p >= 0 {
		m.rest.leave()
	}
	return p
}

// key reads a key that was not the expected one, and its colon. For an undeclared key it reads the value as well and
// gives no field.
func (m *Program) key(o *object, b []byte, p int, mark uint64) (*field, int) {
	start := p
	if p >= len(b) || b[p] != '"' {
		return nil, m.fail(nil, badSyntax, p)
	}
	name, p := m.unquote(nil, b, p)
	if p < 0 {
		return nil, p
	}
	end := p
	p, why := colon(b, p)
	if why != fine {
		return nil, m.fail(nil, why, p)
	}
	if f := o.byKey[string(name)]; f != nil {
		return f, p
	}
	if why = m.admit(name, mark); why != fine {
		m.path = memberPath(o.path, name)
		return nil, m.fail(nil, why, start)
	}
	from := space(b, p)
	p, why = skipValue(b, from, o.depth)
	if why != fine {
		return nil, m.fail(nil, why, p)
	}
	return nil, m.keep(b, start, end, from, p)
}

// admit says whether a key may be one that nobody declared.
func (m *Program) admit(name []byte, mark uint64) fault {
	switch {
	case m.unknown == Refuse:
		return unknownKey
	case !m.keys.add(mark, name):
		return duplicate
	}
	return fine
}

// keep puts an undeclared member into the rest column; its value ends at end.
func (m *Program) keep(b []byte, keyStart, keyEnd, start, end int) int {
	key, value := b[keyStart:keyEnd], b[start:end]
	m.clean = m.clean[:0]
	for _, s := range []*[]byte{&key, &value} {
		if isText(*s) {
			continue
		}
		if !m.repair {
			return m.fail(nil, badUTF8, keyStart)
		}
		at := len(m.clean)
		m.clean = appendRepaired(m.clean, *s)
		*s = m.clean[at:]
	}
	m.rest.keep(key, value)
	return end
}

// complete gives nulls to the members that the object did not have.
func (m *Program) complete(o *object, mark uint64, count, p int, rep byte) int {
	if count < len(o.fields) {
		for _, f := range o.fields {
			if f.seen == mark {
				continue
			}
			if f.required {
				return m.fail(f, missing, p-1)
			}
			f.null(rep)
		}
	}
	for _, f := range o.fill {
		f.null(rep)
	}
	return p
}

// null appends one null of f.
func (f *field) null(rep byte) {
	for i := range f.leaves {
		if l := &f.leaves[i]; l.flat {
			l.column.SetNull()
		} else {
			l.column.AppendLevels(f.absent, rep)
		}
	}
}
