package compaction

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// CodeWhere is a condition that cannot be read, or is about something that partitions do not tell.
const CodeWhere = "E_MAINTENANCE_WHERE"

const (
	hintWhere = "write conditions such as day = '2026-11-01' and bucket in (1, 2), with =, !=, <, <=, >, >=, in, is null, and, or, not and brackets"

	mostWhere = 4096
	mostDepth = 32
)

// condition is a condition on partitions without any negation: a name compared with a value, or all or one of others.
type condition struct {
	// op is "and" or "or" of kids, or a comparison of name: =, !=, <, <=, >, >=, null, not null.
	op          string
	kids        []*condition
	name, value string
}

// opposite gives the negation of each operation. A comparison with null is neither true nor false, as in SQL.
func opposite(op string) string {
	pairs := []string{"and", "or", "=", "!=", "<", ">=", ">", "<=", "null", "not null"}
	return pairs[slices.Index(pairs, op)^1]
}

// parseWhere reads a condition in SQL's words.
func parseWhere(text string) (*condition, error) {
	if len(text) > mostWhere {
		return nil, wheref("the condition has %d bytes, at most %d are read", len(text), mostWhere)
	}
	tokens, err := tokensOf(text)
	if err != nil {
		return nil, err
	}
	p := &whereParser{tokens: tokens}
	c, err := p.chain(false, "or")
	if err == nil && p.peek().kind != tokenEnd {
		err = p.unexpected("and, or or the end")
	}
	return c, err
}

// whereOf refuses a condition that cannot be read, or that is given to a procedure which takes none.
func whereOf(procedure, where string) error {
	if where == "" {
		return nil
	}
	if procedure != ProcRewrite {
		return failure.New(failure.Config, CodeWhere, "leave it out", "%s takes no condition", procedure)
	}
	_, err := parseWhere(where)
	return err
}

func wheref(format string, args ...any) error {
	return failure.New(failure.Config, CodeWhere, hintWhere, format, args...)
}

// whereParser reads tokens. Its methods take along whether what they read is negated.
type whereParser struct {
	tokens []token
	at     int
	depth  int
}

func (p *whereParser) peek() token { return p.tokens[p.at] }

// take takes a word or a mark when it comes next.
func (p *whereParser) take(text string) bool {
	t := p.peek()
	if (t.kind == tokenWord || t.kind == tokenMark) && strings.EqualFold(t.text, text) {
		p.at++
		return true
	}
	return false
}

func (p *whereParser) unexpected(want string) error {
	t := p.peek()
	if t.kind == tokenEnd {
		return wheref("want %s, found the end", want)
	}
	return wheref("want %s at character %d, found %s", want, t.at+1, t.text)
}

// chain reads conditions joined by a word: or joins what and joins.
func (p *whereParser) chain(not bool, word string) (*condition, error) {
	read := p.single
	if word == "or" {
		read = func(not bool) (*condition, error) { return p.chain(not, "and") }
	}
	c, err := read(not)
	for err == nil && p.take(word) {
		var more *condition
		if more, err = read(not); err != nil {
			break
		}
		op := word
		if not {
			op = opposite(word)
		}
		c = &condition{op: op, kids: []*condition{c, more}}
	}
	return c, err
}

// single reads a comparison, a negation or what stands in brackets.
func (p *whereParser) single(not bool) (*condition, error) {
	if p.depth++; p.depth > mostDepth {
		return nil, wheref("the condition is nested more than %d deep", mostDepth)
	}
	defer func() { p.depth-- }()
	if p.take("not") {
		return p.single(!not)
	}
	if !p.take("(") {
		return p.comparison(not)
	}
	c, err := p.chain(not, "or")
	if err == nil && !p.take(")") {
		err = p.unexpected("a closing bracket")
	}
	return c, err
}

// comparison reads a name with what it is compared with.
func (p *whereParser) comparison(not bool) (*condition, error) {
	name := p.peek()
	if name.kind != tokenWord && name.kind != tokenName {
		return nil, p.unexpected("the name of a partition field or column")
	}
	p.at++
	c := &condition{name: name.text}
	switch {
	case p.take("is"):
		if c.op = "null"; p.take("not") {
			c.op = "not null"
		}
		if !p.take("null") {
			return nil, p.unexpected("null")
		}
	case p.take("not"):
		if !p.take("in") {
			return nil, p.unexpected("in")
		}
		return p.among(c.name, !not)
	case p.take("in"):
		return p.among(c.name, not)
	default:
		op := p.peek()
		if c.op = op.text; op.kind != tokenMark || !slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, op.text) {
			return nil, p.unexpected("a comparison")
		}
		p.at++
		var err error
		if c.value, err = p.value(); err != nil {
			return nil, err
		}
	}
	if not {
		c.op = opposite(c.op)
	}
	return c, nil
}

// among reads a list of values.
func (p *whereParser) among(name string, not bool) (*condition, error) {
	one, all := "=", "or"
	if not {
		one, all = "!=", "and"
	}
	if !p.take("(") {
		return nil, p.unexpected("a list in brackets")
	}
	list := &condition{op: all}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list.kids = append(list.kids, &condition{op: one, name: name, value: v})
		if p.take(")") {
			return list, nil
		}
		if !p.take(",") {
			return nil, p.unexpected("a comma or a closing bracket")
		}
	}
}

// value reads a constant; what it is of is known when it is compared. DATE and TIMESTAMP may stand before a text.
func (p *whereParser) value() (string, error) {
	if t := p.peek(); t.kind == tokenWord && p.tokens[p.at+1].kind == tokenText && slices.Contains([]string{"date", "timestamp"}, strings.ToLower(t.text)) {
		p.at++
	}
	t := p.peek()
	boolean := t.kind == tokenWord && (strings.EqualFold(t.text, "true") || strings.EqualFold(t.text, "false"))
	if t.kind != tokenText && t.kind != tokenNumber && !boolean {
		return "", p.unexpected("a value (texts stand in single quotes)")
	}
	p.at++
	return t.text, nil
}

// tokenKind is a kind of token.
type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenName // in double quotes or backticks
	tokenText // in single quotes
	tokenNumber
	tokenMark
)

// token is a part of a condition; at is where it begins.
type token struct {
	kind tokenKind
	text string
	at   int
}

// tokensOf takes a condition apart; the last token is the end.
func tokensOf(text string) (out []token, err error) {
	for at := 0; ; {
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n"))
		if at == len(text) {
			// Twice, so that there is always one to look ahead at.
			return append(out, token{at: at}, token{at: at}), nil
		}
		t, length := tokenAt(text[at:])
		if length == 0 {
			return nil, wheref("what begins at character %d cannot be read: %s", at+1, fmt.Sprintf("%.20q", text[at:]))
		}
		t.at = at
		out, at = append(out, t), at+length
	}
}

// tokenAt reads the token that a text begins with; a length of 0 is none.
func tokenAt(text string) (t token, length int) {
	switch c := text[0]; {
	case c == '\'':
		return quotedToken(text, tokenText)
	case c == '"' || c == '`':
		return quotedToken(text, tokenName)
	case isDigit(c) || c == '-' && len(text) > 1 && isDigit(text[1]):
		n := 1
		for n < len(text) && (isDigit(text[n]) || text[n] == '.') {
			n++
		}
		return token{kind: tokenNumber, text: text[:n]}, n
	case isLetter(c):
		n := 1
		for n < len(text) && (isLetter(text[n]) || isDigit(text[n]) || text[n] == '.') {
			n++
		}
		return token{kind: tokenWord, text: text[:n]}, n
	}
	for _, mark := range []string{"<=", ">=", "!=", "<>", "==", "<", ">", "=", "(", ")", ","} {
		if strings.HasPrefix(text, mark) {
			return token{kind: tokenMark, text: strings.NewReplacer("<>", "!=", "==", "=").Replace(mark)}, len(mark)
		}
	}
	return t, 0
}

// quotedToken reads up to the closing quote; a quote within is written twice.
func quotedToken(text string, kind tokenKind) (t token, length int) {
	quote := text[:1]
	for at := 1; ; {
		end := strings.Index(text[at:], quote)
		if end < 0 {
			return t, 0
		}
		if at += end + 1; !strings.HasPrefix(text[at:], quote) {
			return token{kind: kind, text: strings.ReplaceAll(text[1:at-1], quote+quote, quote)}, at
		}
		at++
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isLetter takes all of what is not ASCII for letters.
func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
