package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/transform"
)

// Contents is what a table that exists holds, as far as readers differ about it.
type Contents struct {
	Name string
	// Readers is the value of ReadersProperty, "" in a table that something else created.
	Readers       string
	FormatVersion int
	Fields        []column.Field
	Spec          iceberg.PartitionSpec
	// Deletes says that other writers have put delete files into it.
	Deletes bool
}

// Wanted is what the configuration says of new files.
type Wanted struct {
	Encoding parquet.Encoding
	Codec    string
}

// Change is a line of the plan for a table whose readers are no longer those that it was created for.
type Change struct {
	Aspect string `json:"aspect"`
	Stored string `json:"stored"`
	Wanted string `json:"wanted"`
	Effect string `json:"effect"`
	// Reader is one that cannot read what is stored.
	Reader string `json:"reader,omitempty"`
	// Refused: it cannot be undone, so that run does not write the table.
	Refused bool `json:"refused"`
}

// Check refuses a table that holds what some reader cannot read and nothing can change any more.
func (c Choice) Check(x Contents) error {
	for _, ch := range []Change{c.planFormat(x), c.planTime(x), c.planNanos(x), c.planBuckets(x)} {
		if ch.Refused {
			return failure.New(failure.Config, codeReaders,
				"ingestd explain "+x.Name+" says what a change of readers means; take that reader out of readers, or write to a new table",
				"reading table %s for its readers: %s", x.Name, ch.Effect)
		}
	}
	return nil
}

// Plan says what becomes of a table under other readers than those stored with it. It is empty where the readers are
// the same, and where nobody stored any, unless some reader cannot read what is there.
func (c Choice) Plan(x Contents, w Wanted) []Change {
	stored := x.Readers
	if stored == "" {
		stored = "unknown: not created by ingestd"
	}
	plan := []Change{
		{Aspect: "readers", Stored: stored, Wanted: c.String(), Effect: "new files and columns follow the configuration, old ones stay"},
		c.planFormat(x),
		c.planEncoding(x, w),
		{Aspect: "codec", Stored: "each file names its own", Wanted: w.Codec, Effect: "new files use " + w.Codec + ", old files stay"},
		c.planTime(x), c.planNanos(x), c.planDeletes(x), c.planBuckets(x),
	}
	plan = slices.DeleteFunc(plan, func(ch Change) bool { return ch.Aspect == "" })
	other := x.Readers != "" && !slices.Equal(sorted(strings.Split(x.Readers, ",")), sorted(c.names))
	if !other && !slices.ContainsFunc(plan, func(ch Change) bool { return ch.Reader != "" }) {
		return nil
	}
	return plan
}

func sorted(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

func (c Choice) planFormat(x Contents) Change {
	ch := Change{Aspect: "format version", Stored: fmt.Sprint(x.FormatVersion), Wanted: fmt.Sprint(c.FormatVersion()), Effect: "stays"}
	switch {
	case x.FormatVersion > c.FormatVersion():
		ch.Effect = "stays: a table's format version is never lowered"
	case x.FormatVersion < c.FormatVersion():
		ch.Effect = "stays: ingestd writes on in the format that the table has; other engines can raise it"
	}
	if reader := c.Refuses(VersionThree); x.FormatVersion >= newestFormat && reader != "" {
		ch.Reader, ch.Refused = reader, true
		ch.Effect = fmt.Sprintf("%s cannot read tables of %s, and a table's format version is never lowered", reader, VersionThree)
	}
	return ch
}

// planEncoding goes by what the stored readers allowed: no metadata says which encodings are in the files. Files can be
// written anew, so that none of it is final.
func (c Choice) planEncoding(x Contents, w Wanted) Change {
	ch := Change{Aspect: "encoding", Stored: "unknown", Wanted: w.Encoding.String(), Effect: "new files use " + w.Encoding.String() + ", old files stay"}
	before, err := ParseChoice(x.Readers)
	if x.Readers == "" || err != nil {
		return ch
	}
	ch.Stored = parquet.Compat.String()
	if before.Encoding() == parquet.Delta {
		ch.Stored = "compat or delta"
		if ch.Reader = c.Refuses(DeltaIntegers); ch.Reader != "" {
			ch.Effect += "; those in delta " + ch.Reader + " cannot read until an engine has rewritten them"
		}
	}
	return ch
}

func (c Choice) planTime(x Contents) Change {
	ch := Change{Aspect: "time", Stored: "no column", Wanted: "time", Effect: "new columns become time, old ones stay"}
	reader := c.Refuses(TimeType)
	if reader != "" {
		ch.Wanted = "long, microseconds of the day"
		ch.Effect = "new columns become long"
	}
	names := paths(x.Fields, "", func(f column.Field) bool { return f.Type.Kind == column.Time })
	if len(names) == 0 {
		return ch
	}
	ch.Stored = "time: " + strings.Join(names, ", ")
	if reader != "" {
		ch.Reader, ch.Refused = reader, true
		ch.Effect = fmt.Sprintf("%s cannot read %s (%s), and a column of type time never becomes a long", reader, TimeType, strings.Join(names, ", "))
	}
	return ch
}

// planNanos is about columns that hold nanoseconds for good.
func (c Choice) planNanos(x Contents) Change {
	names := paths(x.Fields, "", nanosecond)
	if len(names) == 0 {
		return Change{}
	}
	ch := Change{Aspect: "nanoseconds", Stored: strings.Join(names, ", "), Wanted: "nanoseconds", Effect: "stay"}
	if reader := c.Refuses(Nanoseconds); reader != "" {
		ch.Wanted, ch.Reader, ch.Refused = "microseconds", reader, true
		ch.Effect = fmt.Sprintf("%s cannot read %s (%s), and such a column never becomes a coarser one", reader, Nanoseconds, strings.Join(names, ", "))
	}
	return ch
}

func (c Choice) planDeletes(x Contents) Change {
	kind := PositionDeletes
	if x.FormatVersion > 2 {
		kind = DeletionVectors
	}
	ch := Change{Aspect: "delete files", Stored: "none", Wanted: "none", Effect: "ingestd writes none"}
	if !x.Deletes {
		return ch
	}
	ch.Stored = kind.String()
	if ch.Reader = c.Refuses(kind); ch.Reader != "" {
		ch.Effect = ch.Reader + " cannot read " + kind.String() + ", which other writers left, until an engine has compacted them away"
	}
	return ch
}

// planBuckets is about partitions in which some reader would look for rows in the wrong place.
func (c Choice) planBuckets(x Contents) Change {
	var terms []string
	for _, f := range x.Spec.Fields() {
		if b, ok := f.Transform.(iceberg.BucketTransform); ok {
			for _, name := range paths(x.Fields, "", func(c column.Field) bool { return c.ID == f.SourceIDs[0] && c.Type.Kind == column.UUID }) {
				terms = append(terms, transform.Term{Kind: transform.Bucket, Width: b.NumBuckets, Column: name}.String())
			}
		}
	}
	if len(terms) == 0 {
		return Change{}
	}
	ch := Change{Aspect: "partitions", Stored: strings.Join(terms, ", "), Wanted: "as they are", Effect: "stay"}
	if reader := c.Refuses(UUIDBuckets); reader != "" {
		ch.Reader, ch.Refused = reader, true
		ch.Effect = fmt.Sprintf("%s cannot read %s (%s), and misses rows of the files that are there", reader, UUIDBuckets, ch.Stored)
	}
	return ch
}

// paths names the fields for which yes holds, those below others with dots.
func paths(fields []column.Field, above string, yes func(column.Field) bool) (out []string) {
	for _, f := range fields {
		name := above + f.Name
		if yes(f) {
			out = append(out, name)
		}
		out = append(out, paths(f.Type.Fields, name+".", yes)...)
	}
	return out
}
