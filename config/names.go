package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName bounds the names we store and build paths from.
	maxName = 200
	// maxTopic is Kafka's own bound.
	maxTopic = 249
)

// The functions below return why a name is refused, or "". They are allow-lists: letters and digits of any
// script and a few signs. So no control characters, no text-direction tricks, no path separators and no
// quoting problems reach object paths, catalogs or terminals.

// badName judges pipelines, sources, branches and the parts of a table's name; signs lists what may stand
// beside letters and digits.
func badName(name, signs string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > maxName:
		return fmt.Sprintf("it has %d bytes, at most %d are allowed", len(name), maxName)
	case !utf8.ValidString(name):
		return "it is not valid UTF-8"
	case strings.Contains(name, ".."):
		return "it contains \"..\""
	}
	for i, c := range name {
		letter := unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_'
		if !letter && (i == 0 || !unicode.IsMark(c) && !strings.ContainsRune(signs, c)) {
			return refusedRune(c, i)
		}
	}
	return ""
}

func refusedRune(c rune, at int) string {
	if at == 0 {
		return fmt.Sprintf("it begins with %q; a letter, a digit or _ must come first", c)
	}
	return fmt.Sprintf("%q is not allowed in it", c)
}

// badTopic judges a topic by Kafka's own rules.
func badTopic(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case name == "." || name == "..":
		return "Kafka reserves it"
	case len(name) > maxTopic:
		return fmt.Sprintf("it has %d bytes, at most %d are allowed", len(name), maxTopic)
	}
	for _, c := range name {
		if c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("._-", c) {
			return fmt.Sprintf("%q is not allowed in it", c)
		}
	}
	return ""
}

// badColumn judges a column name. Columns come from other people's schemas, so more signs are allowed.
func badColumn(name string) string { return badName(name, "_- @#$:") }
