package jsonrec

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// marks say what a string contains besides plain ASCII.
type marks uint8

const (
	hasEscape marks = 1 << iota
	hasHigh         // bytes >= 0x80
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// skipSpace gives the first position from p on that is not white space.
func skipSpace(b []byte, p int) int {
	for p < len(b) && (b[p] == ' ' || b[p] == '\n' || b[p] == '\t' || b[p] == '\r') {
		p++
	}
	return p
}

// space is skipSpace with the common case, no white space at all, inlined into the caller.
func space(b []byte, p int) int {
	if p < len(b) && b[p] > ' ' {
		return p
	}
	return skipSpace(b, p)
}

// stringEnd finds the quote that closes the string whose body begins at p. Eight bytes a step: the trick marks zero
// bytes of x^pattern; it may also mark a byte above a true one, so the walk continues at the lowest mark.
func stringEnd(b []byte, p int) (int, marks, fault) {
	var m marks
	for p+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[p:])
		quote := x ^ 0x2222222222222222
		slash := x ^ 0x5c5c5c5c5c5c5c5c
		special := (quote-ones)&^quote | (slash-ones)&^slash | (x-0x2020202020202020)&^x | x
		if special &= highs; special == 0 {
			p += 8
			continue
		}
		p += bits.TrailingZeros64(special) >> 3
		switch c := b[p]; {
		case c == '"':
			return p, m, fine
		case c == '\\':
			m |= hasEscape
			p += 2
		case c >= 0x80:
			m |= hasHigh
			p = highEnd(b, p+1)
		case c < 0x20:
			return p, m, badControl
		default:
			p++
		}
	}
	return stringTail(b, p, m)
}

// highEnd skips the rest of a run of non-ASCII bytes.
func highEnd(b []byte, p int) int {
	for p < len(b) && b[p] >= 0x80 {
		p++
	}
	return p
}

// stringTail is stringEnd for the last bytes of the record.
func stringTail(b []byte, p int, m marks) (int, marks, fault) {
	for p < len(b) {
		switch c := b[p]; {
		case c == '"':
			return p, m, fine
		case c == '\\':
			m |= hasEscape
			p++
		case c < 0x20:
			return p, m, badControl
		case c >= 0x80:
			m |= hasHigh
		}
		p++
	}
	return len(b), m, badString
}

// hexRune reads four hexadecimal digits; -1 if they are not.
func hexRune(s []byte) rune {
	if len(s) < 4 {
		return -1
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// escape reads the escape whose letter is at s[0]. It gives the rune, the bytes used and, for half of a surrogate
// pair, utf8.RuneError with lone = true.
func escape(s []byte) (r rune, n int, lone, ok bool) {
	if len(s) == 0 {
		return 0, 0, false, false
	}
	switch s[0] {
	case '"', '\\', '/':
		return rune(s[0]), 1, false, true
	case 'b':
		return '\b', 1, false, true
	case 'f':
		return '\f', 1, false, true
	case 'n':
		return '\n', 1, false, true
	case 'r':
		return '\r', 1, false, true
	case 't':
		return '\t', 1, false, true
	case 'u':
		return escapeU(s)
	}
	return 0, 0, false, false
}

// escapeU reads uXXXX, and the second half of a surrogate pair behind it.
func escapeU(s []byte) (r rune, n int, lone, ok bool) {
	r = hexRune(s[1:])
	if r < 0 {
		return 0, 0, false, false
	}
	if !utf16.IsSurrogate(r) {
		return r, 5, false, true
	}
	if len(s) >= 11 && s[5] == '\\' && s[6] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(s[7:])); pair != utf8.RuneError {
			return pair, 11, false, true
		}
	}
	return utf8.RuneError, 5, true, true
}

// appendUnescaped appends the text of the string body s. A fault comes with its place in s. Lone surrogates become
// U+FFFD if repair is set and are a fault otherwise.
func appendUnescaped(dst, s []byte, repair bool) ([]byte, int, fault) {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		r, n, lone, ok := escape(s[i+1:])
		if !ok {
			return dst, i, badEscape
		}
		if lone && !repair {
			return dst, i, badUTF8
		}
		dst = utf8.AppendRune(dst, r)
		i += 1 + n
	}
	return dst, 0, fine
}

// checkEscapes is appendUnescaped for text that nobody reads: only the grammar counts.
func checkEscapes(s []byte) (int, fault) {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			i++
			continue
		}
		_, n, _, ok := escape(s[i+1:])
		if !ok {
			return i, badEscape
		}
		i += 1 + n
	}
	return 0, fine
}

// appendRepaired appends s with each byte that is not part of valid UTF-8 replaced by U+FFFD.
func appendRepaired(dst, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		dst = utf8.AppendRune(dst, r)
		s = s[n:]
	}
	return dst
}
