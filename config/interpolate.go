package config

import (
	"fmt"
	"strings"
)

// interpolator replaces `${NAME}` and `${NAME:default}` in scalars. It works on decoded scalars, not on the
// text of the file, so that a variable's value can never become structure. `$${` stands for a literal `${`.
type interpolator struct {
	lookup func(string) (string, bool)
	// lenient replaces unset variables by nothing instead of refusing them.
	lenient bool
}

// expansion is a scalar after interpolation.
type expansion struct {
	text string
	// used says that a variable took part: the text must not be shown, and is no inline secret.
	used bool
	// unset says that a lenient interpolator left out a variable: the text cannot be judged.
	unset bool
}

// expand interpolates one scalar.
func (in interpolator) expand(text string) (expansion, error) {
	var out strings.Builder
	var e expansion
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			out.WriteString(text)
			e.text = out.String()
			return e, nil
		}
		if i > 0 && text[i-1] == '$' {
			out.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return expansion{}, hinted{"`${` is not closed", "write $${ for a literal ${"}
		}
		value, err := in.variable(text[i+2:i+end], &e)
		if err != nil {
			return expansion{}, err
		}
		out.WriteString(text[:i] + value)
		text = text[i+end+1:]
	}
}

// variable resolves what stands between the braces.
func (in interpolator) variable(ref string, e *expansion) (string, error) {
	name, fallback, hasFallback := strings.Cut(ref, ":")
	if name == "env" || name == "file" {
		return "", hinted{
			fmt.Sprintf("${%s:...} is not known here", name),
			"write ${NAME} or ${NAME:default} for a variable, and a *_file setting for a file",
		}
	}
	if !isVariableName(name) {
		return "", hinted{
			fmt.Sprintf("%q is not a variable name", name),
			"use letters, digits and _, or write $${ for a literal ${",
		}
	}
	e.used = true
	if value, ok := in.lookup(name); ok {
		return value, nil
	}
	if !hasFallback {
		e.unset = true
		if !in.lenient {
			return "", hinted{
				fmt.Sprintf("environment variable %s is not set", name),
				fmt.Sprintf("set it, or give a default: ${%s:value}", name),
			}
		}
	}
	return fallback, nil
}

func isVariableName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// hinted is an error with advice.
type hinted struct{ message, hint string }

func (h hinted) Error() string { return h.message }
