package compaction

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
)

// CodeOption is the code of an option that has no such name or value.
const CodeOption = "E_MAINTENANCE_OPTION"

// Order is the order in which groups are rewritten.
type Order string

// The orders have Spark's names; by default those come first that save a scan most for a rewritten byte.
const (
	ByWorth   Order = "none"
	BytesAsc  Order = "bytes-asc"
	BytesDesc Order = "bytes-desc"
	FilesAsc  Order = "files-asc"
	FilesDesc Order = "files-desc"
)

const (
	keyTargetSize = "write.target-file-size-bytes"
	keyOpenCost   = "read.split.open-file-cost"

	defaultTarget   = 512 << 20
	defaultOpenCost = 4 << 20
	defaultInput    = 5
	defaultRatio    = 0.3
	// busier is how many times as many files a partition that is still being written must offer.
	busier = 4
)

// Options say what is worth rewriting. OptionsFor makes them; the zero value is not valid.
type Options struct {
	// Target is the size of a file as it should be. One below Least or above Most is a candidate.
	Target, Least, Most int64
	// MinInput is the number of candidates that are worth a rewrite, whatever their size.
	MinInput int
	// BusyMinInput is that number in a partition that got rows within Busy.
	BusyMinInput int
	Busy         time.Duration
	// MinAge is the age below which a file is left alone.
	MinAge time.Duration
	// DeleteFiles and DeleteRatio make a file a candidate by its deletes: the number of delete files that apply to it, 0
	// = never, and the part of its rows that they delete.
	DeleteFiles int
	DeleteRatio float64
	// OpenCost is what opening a file costs a scan, in bytes.
	OpenCost int64
	// All rewrites every file.
	All bool
	// Where, when set, says which files are looked at: whole partitions.
	Where func(File) bool
	// Order of the groups; MaxBytes, MaxFiles and MaxGroup bound what is rewritten, 0 = no bound.
	Order                        Order
	MaxBytes, MaxFiles, MaxGroup int64
}

// OptionsFor gives the options of a table: defaults, then its properties, then what was asked for by Spark's names.
func OptionsFor(props iceberg.Properties, asked map[string]string) (Options, error) {
	o := Options{
		Target: positive(props[keyTargetSize], defaultTarget), OpenCost: positive(props[keyOpenCost], defaultOpenCost),
		MinInput: defaultInput, DeleteRatio: defaultRatio, Busy: 10 * time.Minute, Order: ByWorth,
	}
	setters := o.setters()
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		set, ok := setters[name]
		if !ok {
			return o, failure.New(failure.Config, CodeOption, "known are: "+strings.Join(slices.Sorted(maps.Keys(setters)), ", "), "there is no option %q", name)
		}
		if err := set(strings.TrimSpace(asked[name])); err != nil {
			return o, failure.Wrap(err, failure.Config, CodeOption, "see docs/MAINTENANCE.md", "option %s", name)
		}
	}
	if o.Least == 0 {
		o.Least = o.Target / 4 * 3
	}
	if o.Most == 0 {
		o.Most = o.Target / 5 * 9
	}
	if o.BusyMinInput == 0 {
		o.BusyMinInput = busier * o.MinInput
	}
	if o.Least < 0 || o.Least >= o.Target || o.Most <= o.Target || o.MinInput < 1 {
		return o, failure.New(failure.Config, CodeOption, "min-file-size-bytes < target-file-size-bytes < max-file-size-bytes, and min-input-files at least 1",
			"the sizes %d, %d and %d with %d files do not go together", o.Least, o.Target, o.Most, o.MinInput)
	}
	return o, nil
}

// setters are the options by their names.
func (o *Options) setters() map[string]func(string) error {
	return map[string]func(string) error{
		"target-file-size-bytes":       number(&o.Target),
		"min-file-size-bytes":          number(&o.Least),
		"max-file-size-bytes":          number(&o.Most),
		"min-input-files":              number(&o.MinInput),
		"busy-min-input-files":         number(&o.BusyMinInput),
		"busy-partition-age":           duration(&o.Busy),
		"min-file-age":                 duration(&o.MinAge),
		"delete-file-threshold":        number(&o.DeleteFiles),
		"delete-ratio-threshold":       ratio(&o.DeleteRatio),
		"max-file-group-size-bytes":    number(&o.MaxGroup),
		"max-bytes-to-rewrite":         number(&o.MaxBytes),
		"max-files-to-rewrite":         number(&o.MaxFiles),
		"rewrite-all":                  boolean(&o.All),
		"rewrite-job-order":            order(&o.Order),
		"use-starting-sequence-number": only("true"),
		"strategy":                     only("binpack"),
	}
}

func number[T int | int64](to *T) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err == nil && n < 1 {
			err = fmt.Errorf("%d is not above 0", n)
		}
		*to = T(n)
		return err
	}
}

func duration(to *time.Duration) func(string) error {
	return func(s string) error {
		d, err := time.ParseDuration(s)
		if err == nil && d < 0 {
			err = fmt.Errorf("%s is below 0", d)
		}
		*to = d
		return err
	}
}

func ratio(to *float64) func(string) error {
	return func(s string) error {
		f, err := strconv.ParseFloat(s, 64)
		if err == nil && !(f > 0 && f <= 1) {
			err = fmt.Errorf("%v is not above 0 and at most 1", f)
		}
		*to = f
		return err
	}
}

func boolean(to *bool) func(string) error {
	return func(s string) (err error) {
		*to, err = strconv.ParseBool(s)
		return err
	}
}

func order(to *Order) func(string) error {
	return func(s string) error {
		if !slices.Contains([]Order{ByWorth, BytesAsc, BytesDesc, FilesAsc, FilesDesc}, Order(s)) {
			return fmt.Errorf("there is no order %q", s)
		}
		*to = Order(s)
		return nil
	}
}

// only is an option of Spark's that has one value here.
func only(value string) func(string) error {
	return func(s string) error {
		if s != value {
			return fmt.Errorf("it can only be %s", value)
		}
		return nil
	}
}

// positive reads a table property; what is no positive number is as if it were not there, as it is for Spark's readers.
func positive(text string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return n
	}
	return otherwise
}
