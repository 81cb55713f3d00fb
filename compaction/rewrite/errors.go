package rewrite

import (
	"errors"
	"fmt"
)

// ErrUnsupported says that a file is sound but holds something that this package does not read. Another reader may.
type ErrUnsupported struct{ Path, Why string }

func (e ErrUnsupported) Error() string {
	return fmt.Sprintf("rewriting %s is not supported: %s", e.Path, e.Why)
}

// Damaged says that a file is not what it should be. Nothing may be made of it.
type Damaged struct {
	Path   string
	Column string // empty for the footer
	Offset int64  // of the page in the file
	Err    error
}

func (e *Damaged) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s is damaged: column %s, page at %d: %v", e.Path, e.Column, e.Offset, e.Err)
}

func (e *Damaged) Unwrap() error { return e.Err }

// What is wrong with a page or footer.
var (
	errCRC     = errors.New("the checksum does not match")
	errShort   = errors.New("it ends too early")
	errHeader  = errors.New("the header makes no sense")
	errLevels  = errors.New("the levels make no sense")
	errValues  = errors.New("the values do not fit their number")
	errIndex   = errors.New("a reference points behind the dictionary")
	errRows    = errors.New("rows are missing or too many")
	errFooter  = errors.New("the footer makes no sense")
	errNoMagic = errors.New("it does not end as a Parquet file does")
	errChanged = errors.New("it is not the file that it was a moment ago")
)

// guard turns a panic over damaged input into an error. What is read has no checksum everywhere (footers have none), and
// the decoders that we call are not ours.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoding failed: %v", r)
		}
	}()
	return f()
}
