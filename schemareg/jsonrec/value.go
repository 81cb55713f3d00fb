package jsonrec

import "unicode/utf8"

// value reads one value of f from p on and gives the position behind it.
func (m *Program) value(f *field, b []byte, p int, rep byte) int {
	p = space(b, p)
	if p >= len(b) {
		return m.fail(f, badSyntax, p)
	}
	if b[p] == 'n' {
		return m.null(f, b, p, rep)
	}
	switch f.op {
	case opString:
		p = m.verbatim(f, b, p)
	case opLong:
		v, q, why := longAt(b, p)
		if why != fine {
			return m.failNumber(f, why, b, p, q)
		}
		f.column.AppendInt64(v)
		p = q
	case opInt:
		v, q, why := intAt(b, p)
		if why != fine {
			return m.failNumber(f, why, b, p, q)
		}
		f.column.AppendInt32(v)
		p = q
	case opDouble:
		v, q, why := doubleAt(b, p)
		if why != fine {
			return m.failNumber(f, why, b, p, q)
		}
		f.column.AppendDouble(v)
		p = q
	case opStruct, opList, opMap:
		return m.nested(f, b, p, rep)
	default:
		p = m.scalar(f, b, p)
	}
	if p < 0 {
		return p
	}
	switch f.presence {
	case always:
	case flat:
		f.column.SetValid()
	case levelled:
		f.column.AppendLevels(f.def, rep)
	}
	return p
}

// scalar reads a value of the less frequent types.
func (m *Program) scalar(f *field, b []byte, p int) int {
	switch f.op {
	case opBool:
		return m.boolean(f, b, p)
	case opFloat:
		v, q, why := floatAt(b, p)
		if why != fine {
			return m.failNumber(f, why, b, p, q)
		}
		f.column.AppendFloat(v)
		return q
	case opDecimal:
		return m.decimal(f, b, p)
	case opTimestampNumber, opTimeNumber:
		v, q, why := unitsAt(b, p, f.size)
		if why == fine && f.op == opTimeNumber && (v < 0 || v >= microsPerDay) {
			q, why = p, badTime
		}
		if why != fine {
			return m.failNumber(f, why, b, p, q)
		}
		f.column.AppendInt64(v)
		return q
	default:
		return m.fromText(f, b, p)
	}
}

// null reads a null.
func (m *Program) null(f *field, b []byte, p int, rep byte) int {
	q, why := literal(b, p, "null")
	switch {
	case why != fine:
		return m.fail(f, why, q)
	case f.required:
		return m.fail(f, null, p)
	}
	f.null(rep)
	return q
}

// failNumber tells a malformed number from a value of another kind.
func (m *Program) failNumber(f *field, why fault, b []byte, p, q int) int {
	if why == badNumber && b[p] != '-' && b[p]-'0' > 9 {
		why = wantNumber
	}
	return m.fail(f, why, q)
}

// boolean reads true or false.
func (m *Program) boolean(f *field, b []byte, p int) int {
	word, v := "false", byte(0)
	if b[p] == 't' {
		word, v = "true", 1
	}
	q, why := literal(b, p, word)
	if why != fine {
		return m.fail(f, wantBool, q)
	}
	f.column.AppendBool(v)
	return q
}

// verbatim reads a string into a text column.
func (m *Program) verbatim(f *field, b []byte, p int) int {
	if b[p] != '"' {
		return m.fail(f, wantString, p)
	}
	end, marks, why := stringEnd(b, p+1)
	if why == fine && marks == 0 {
		f.column.AppendFrom(b, p+1, end-p-1)
		return end + 1
	}
	s, end := m.unquote(f, b, p)
	if end >= 0 {
		f.column.AppendBytes(s)
	}
	return end
}

// unquote reads the string at p: its text, which is a piece of b or of m's buffers, and the position behind it.
func (m *Program) unquote(f *field, b []byte, p int) ([]byte, int) {
	end, marks, why := stringEnd(b, p+1)
	if why != fine {
		return nil, m.fail(f, why, end)
	}
	s := b[p+1 : end]
	if marks&hasEscape != 0 {
		var at int
		if cap(m.text) > keptBytes {
			m.text = nil
		}
		if m.text, at, why = appendUnescaped(m.text[:0], s, m.repair); why != fine {
			return nil, m.fail(f, why, p+1+at)
		}
		s = m.text
	}
	if marks&hasHigh != 0 && !utf8.Valid(s) {
		if !m.repair {
			return nil, m.fail(f, badUTF8, p)
		}
		if cap(m.clean) > keptBytes {
			m.clean = nil
		}
		m.clean = appendRepaired(m.clean[:0], s)
		s = m.clean
	}
	return s, end + 1
}

// decimal reads a number, or a string that is one.
func (m *Program) decimal(f *field, b []byte, p int) int {
	if b[p] != '"' {
		v, end, why := unscaledAt(b, p, f.size)
		if why == fine && !v.less(f.limit) {
			end, why = p, outOfRange
		}
		if why != fine {
			return m.failNumber(f, why, b, p, end)
		}
		f.appendDecimal(v)
		return end
	}
	s, end := m.unquote(f, b, p)
	if end < 0 {
		return end
	}
	v, used, why := unscaledAt(s, 0, f.size)
	switch {
	case why == fine && used < len(s):
		why = badNumber
	case why == fine && !v.less(f.limit):
		why = outOfRange
	}
	if why != fine {
		return m.fail(f, why, p)
	}
	f.appendDecimal(v)
	return end
}

// unscaledAt reads the number at p as a multiple of 10^-scale.
func unscaledAt(b []byte, p, scale int) (v wide, end int, why fault) {
	if n, end, ok := plainAt(b, p); ok && n.places <= scale && scale-n.places <= 18 {
		v = wide{lo: n.mantissa, neg: n.neg && n.mantissa != 0}
		if v, ok = v.times(tens[scale-n.places]); ok {
			return v, end, fine
		}
	}
	d, end, why := decimalAt(b, p)
	if why != fine {
		return v, end, why
	}
	if v, why = d.rescale(scale); why != fine {
		return v, p, why
	}
	return v, end, fine
}
