package jsonrec

// maxDepth is the deepest nesting of a record.
const maxDepth = 64

// literal checks that word stands at p.
func literal(b []byte, p int, word string) (int, fault) {
	if len(b)-p < len(word) || string(b[p:p+len(word)]) != word {
		return p, badLiteral
	}
	return p + len(word), fine
}

// skipValue checks and passes one value that no column takes. depth is the number of objects and arrays around it.
// A fault comes with its place.
func skipValue(b []byte, p, depth int) (int, fault) {
	p = space(b, p)
	if p >= len(b) {
		return p, badSyntax
	}
	switch b[p] {
	case '"':
		return skipString(b, p)
	case '{':
		return skipObject(b, p, depth+1)
	case '[':
		return skipArray(b, p, depth+1)
	case 't':
		return literal(b, p, "true")
	case 'f':
		return literal(b, p, "false")
	case 'n':
		return literal(b, p, "null")
	}
	if b[p] != '-' && b[p]-'0' > 9 {
		return p, badLiteral
	}
	return numberEnd(b, p)
}

// skipString passes the string that opens at p.
func skipString(b []byte, p int) (int, fault) {
	if p >= len(b) || b[p] != '"' {
		return p, badSyntax
	}
	end, m, f := stringEnd(b, p+1)
	if f != fine {
		return end, f
	}
	if m&hasEscape != 0 {
		if at, f := checkEscapes(b[p+1 : end]); f != fine {
			return p + 1 + at, f
		}
	}
	return end + 1, fine
}

// skipArray passes the array that opens at p.
func skipArray(b []byte, p, depth int) (int, fault) {
	if depth > maxDepth {
		return p, tooDeep
	}
	p = space(b, p+1)
	if p < len(b) && b[p] == ']' {
		return p + 1, fine
	}
	for {
		q, f := skipValue(b, p, depth)
		if f != fine {
			return q, f
		}
		q, more, f := separator(b, q, ']')
		if f != fine || !more {
			return q, f
		}
		p = q
	}
}

// skipObject passes the object that opens at p.
func skipObject(b []byte, p, depth int) (int, fault) {
	if depth > maxDepth {
		return p, tooDeep
	}
	p = space(b, p+1)
	if p < len(b) && b[p] == '}' {
		return p + 1, fine
	}
	for {
		q, f := skipString(b, p)
		if f != fine {
			return q, f
		}
		if q, f = colon(b, q); f != fine {
			return q, f
		}
		if q, f = skipValue(b, q, depth); f != fine {
			return q, f
		}
		q, more, f := separator(b, q, '}')
		if f != fine || !more {
			return q, f
		}
		p = q
	}
}

// colon passes the colon between a key and its value.
func colon(b []byte, p int) (int, fault) {
	p = space(b, p)
	if p >= len(b) || b[p] != ':' {
		return p, badSyntax
	}
	return p + 1, fine
}

// separator passes what follows a member: a comma (more) or the closing bracket.
func separator(b []byte, p int, closing byte) (q int, more bool, f fault) {
	p = space(b, p)
	if p >= len(b) {
		return p, false, badSyntax
	}
	switch b[p] {
	case ',':
		return space(b, p+1), true, fine
	case closing:
		return p + 1, false, fine
	}
	return p, false, badSyntax
}
