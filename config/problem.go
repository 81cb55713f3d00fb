package config

import (
	"fmt"
	"strings"
)

// Problem is one fault of a configuration file, or one warning about it.
type Problem struct {
	File      string
	Line, Col int
	// Path names the setting: `tables[0].value.format`.
	Path string
	// Message says what is wrong, Hint (may be empty) what to do.
	Message, Hint string
	// Warning marks a problem that does not refuse the file.
	Warning bool
}

// String formats the problem as `file:line:col path: message — hint`.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	if p.Path != "" {
		b.WriteString(" " + p.Path)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" — " + p.Hint)
	}
	return b.String()
}

// Problems is all that was found, in the order of the file. As an error it prints one problem a line.
type Problems []Problem

// Error formats all problems.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// split separates what refuses the file from what does not.
func (p Problems) split() (faults, warnings Problems) {
	for _, problem := range p {
		if problem.Warning {
			warnings = append(warnings, problem)
		} else {
			faults = append(faults, problem)
		}
	}
	return faults, warnings
}
