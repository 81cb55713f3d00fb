// Package failure is the vocabulary of what can go wrong: one class per way of reacting, a stable code for
// people and alerts, and a hint that names the command or setting which resolves it.
//
// An error is classified once, where it is understood; everybody above asks ClassOf and never looks at texts.
// The package is a leaf: it imports nothing of ours.
package failure

import (
	"errors"
	"fmt"
)

// Class says how a caller must react.
type Class uint8

const (
	// Fatal is a bug or a broken environment: the process cannot go on.
	Fatal Class = iota
	// Retry is transient: the same call may succeed later.
	Retry
	// Unknown is a commit whose outcome was not reported. It is neither done nor failed.
	Unknown
	// Poison is a deterministic fault of one record: it will fail again however often it is read.
	Poison
	// Config can only be mended by changing settings or rights.
	Config
	// Halt stops one table until an operator has decided.
	Halt
)

// String names the class in lower case, as in logs.
func (c Class) String() string {
	return [...]string{"fatal", "retry", "unknown", "poison", "config", "halt"}[c]
}

// Error is a classified error. Code is stable (E_...) and documented; Hint is a sentence for the operator.
type Error struct {
	Class Class
	Code  string
	Hint  string
	text  string
	cause error
}

// New makes a classified error without a cause.
func New(class Class, code, hint, format string, args ...any) *Error {
	return &Error{Class: class, Code: code, Hint: hint, text: fmt.Sprintf(format, args...)}
}

// Wrap classifies err. The text reads "<format>: <err>".
func Wrap(err error, class Class, code, hint string, format string, args ...any) *Error { //nolint:revive // five, and what the format wants
	return &Error{Class: class, Code: code, Hint: hint, text: fmt.Sprintf(format, args...), cause: err}
}

// Error implements error; the hint is not part of the text, see Describe.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.text
	}
	return e.text + ": " + e.cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf is the class of the outermost classified error in err's chain, Fatal if there is none.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Fatal
}

// CodeOf is the code of the outermost classified error, "" if there is none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// HintOf is the first hint found from the outside in, "" if there is none.
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.cause
	}
	return ""
}

// Describe is the one line shown to people: text, code and hint.
func Describe(err error) string {
	s := err.Error()
	if code := CodeOf(err); code != "" {
		s += " [" + code + "]"
	}
	if hint := HintOf(err); hint != "" {
		s += " — " + hint
	}
	return s
}
