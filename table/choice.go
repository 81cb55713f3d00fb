package table

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/transform"
)

// Choice is what a table may contain, given who must be able to read it.
type Choice struct {
	readers []*Reader
	names   []string // as they were given
	format  int
}

// The format versions of tables. What version 3 adds has to be asked for.
const (
	DefaultFormat = 2
	newestFormat  = 3
)

// ReadersProperty is the table property that keeps the readers a table was created for.
const ReadersProperty = "ingestd.readers"

// Reason says which reader forces a setting; Reader is empty when nobody stands in the way.
type Reason struct {
	Setting string
	Value   string
	Reader  string
	Why     string
}

// Choose looks the readers up; none means every engine of the capability table in its oldest version.
func Choose(names []string) (Choice, error) {
	if len(names) == 0 {
		names = Readers()
	}
	c := Choice{names: slices.Clone(names)}
	for _, name := range names {
		r, err := findReader(name)
		if err != nil {
			return Choice{}, err
		}
		c.readers = append(c.readers, r)
	}
	return c, nil
}

// String is the value of ReadersProperty.
func (c Choice) String() string { return strings.Join(c.names, ",") }

// ParseChoice reads ReadersProperty back.
func ParseChoice(s string) (Choice, error) { return Choose(strings.Split(s, ",")) }

// Refuses names the first reader that is not known to read a feature, "" if all can.
func (c Choice) Refuses(f Feature) string {
	for i, r := range c.readers {
		if !r.Can[f].Yes() {
			if strings.Contains(c.names[i], "@") {
				return c.names[i]
			}
			return r.Name + " (held to " + r.String() + ")"
		}
	}
	return ""
}

// At is the same choice for a table of a format version, 0 for the default.
func (c Choice) At(version int) Choice {
	c.format = version
	return c
}

// FormatVersion is the table format version.
func (c Choice) FormatVersion() int { return max(DefaultFormat, c.format) }

// CheckFormat refuses a format version that some reader cannot read.
func (c Choice) CheckFormat() error {
	if c.FormatVersion() < newestFormat {
		return nil
	}
	return c.refusal(VersionThree, "choosing format_version 3", "leave format_version out, name a newer version of that reader, or take it out of readers")
}

// nanos says whether columns may hold nanoseconds.
func (c Choice) nanos() bool {
	return c.FormatVersion() >= newestFormat && c.Refuses(Nanoseconds) == ""
}

// CheckDeclared refuses columns that were asked for by type and would come out as another one: nanoseconds. What comes
// from a writer's schema is adapted (Fields), since nobody can choose there.
func (c Choice) CheckDeclared(fields []column.Field) error {
	names := paths(fields, "", nanosecond)
	if len(names) == 0 || c.nanos() {
		return nil
	}
	verb := "declaring " + names[0] + " with nanoseconds"
	if err := c.refusal(Nanoseconds, verb, "declare it as timestamp or timestamptz, or take that reader out of readers"); err != nil {
		return err
	}
	return failure.New(failure.Config, codeReaders, "set format_version: 3 of a new table, or declare it as timestamp or timestamptz",
		"%s: tables of format version %d have none", verb, c.FormatVersion())
}

func nanosecond(f column.Field) bool {
	return f.Type.Kind == column.TimestampNs || f.Type.Kind == column.TimestampTZNs
}

// Encoding is the best value encoding that all readers know.
func (c Choice) Encoding() parquet.Encoding {
	if c.Refuses(DeltaIntegers) == "" {
		return parquet.Delta
	}
	return parquet.Compat
}

// CheckEncoding refuses an encoding that some reader cannot read.
func (c Choice) CheckEncoding(e parquet.Encoding) error {
	if e != parquet.Delta {
		return nil
	}
	return c.refusal(DeltaIntegers, "choosing parquet.encoding delta", "set parquet.encoding to compat, or name a newer version of that reader")
}

// CheckCodec refuses a codec that some reader cannot read.
func (c Choice) CheckCodec(codec parquet.Codec) error {
	if codec != parquet.LZ4 {
		return nil
	}
	return c.refusal(LZ4Pages, "choosing parquet.compression lz4", "set parquet.compression to zstd or snappy, or take that reader out of readers")
}

func (c Choice) refusal(f Feature, verb, hint string) error {
	r := c.Refuses(f)
	if r == "" {
		return nil
	}
	return failure.New(failure.Config, codeReaders, hint, "%s: %s cannot read %s", verb, r, f)
}

// Fields adapts the columns proposed for a new table. Where some reader cannot read the type time, it becomes the
// microseconds of the day as a long, and the column's doc says so. Where the table's format or some reader has no
// nanoseconds, they become microseconds.
func (c Choice) Fields(fields []column.Field) []column.Field {
	return adapted(fields, c.Refuses(TimeType) == "", c.nanos())
}

func adapted(fields []column.Field, times, nanos bool) []column.Field {
	if times && nanos {
		return fields
	}
	out := slices.Clone(fields)
	for i := range out {
		t := &out[i].Type
		switch {
		case t.Kind == column.Time && !times:
			*t = column.Type{Kind: column.Long}
			out[i].Doc = strings.TrimSpace(out[i].Doc + " (microseconds of the day)")
		case t.Kind == column.TimestampNs && !nanos:
			t.Kind = column.Timestamp
		case t.Kind == column.TimestampTZNs && !nanos:
			t.Kind = column.TimestampTZ
		}
		t.Fields = adapted(t.Fields, times, nanos)
	}
	return out
}

// CheckTerm refuses an entry of partition_by by which some reader would look for rows in the wrong place.
func (c Choice) CheckTerm(term transform.Term, fields []column.Field) error {
	for i := range fields {
		if fields[i].Name != term.Column {
			continue
		}
		switch {
		case fields[i].Type.Kind == column.UUID && term.Kind == transform.Bucket:
			return c.refusal(UUIDBuckets, "partitioning by "+term.String(), "take that reader out of readers, or partition by another column")
		case fields[i].Type.Kind == column.Decimal && term.Kind == transform.Truncate:
			return c.refusal(TruncatedDecimals, "partitioning by "+term.String(), "take that reader out of readers, or partition by another column")
		case nanosecond(fields[i]) && term.Kind == transform.Identity:
			return c.refusal(NanoPartitions, "partitioning by "+term.String(), "partition by day("+term.Column+") or hour("+term.Column+")")
		}
	}
	return nil
}

// whyFormat is about a format version that every reader can read.
func (c Choice) whyFormat() string {
	possible := c.FormatVersion() < newestFormat
	reader := c.Refuses(DeletionVectors)
	switch {
	case possible && reader == "":
		return "3 is possible: every reader knows it"
	case possible:
		return "3 is possible, as long as no other engine deletes rows: " + reader + " cannot read " + DeletionVectors.String()
	case reader != "":
		return "no other engine may delete rows: " + reader + " cannot read " + DeletionVectors.String()
	}
	return ""
}

// Explain lists each setting that depends on the readers, with the reader that forces it.
func (c Choice) Explain() []Reason {
	why := func(f Feature) (reader, text string) {
		if reader = c.Refuses(f); reader != "" {
			text = "cannot read " + f.String()
		}
		return reader, text
	}
	out := []Reason{{Setting: "format_version", Value: strconv.Itoa(c.FormatVersion())}, {Setting: "parquet.encoding", Value: c.Encoding().String()},
		{Setting: "time", Value: "time"}, {Setting: "timestamp precision", Value: "microseconds"}}
	out[0].Reader, out[0].Why = why(VersionThree)
	if out[0].Reader == "" {
		out[0].Why = c.whyFormat()
	}
	out[1].Reader, out[1].Why = why(DeltaIntegers)
	out[2].Reader, out[2].Why = why(TimeType)
	out[3].Reader, out[3].Why = why(Nanoseconds)
	if out[2].Reader != "" {
		out[2].Value = "long, microseconds of the day"
	}
	switch {
	case c.nanos():
		out[3].Value = "nanoseconds"
	case out[3].Reader == "":
		out[3].Why = "nanoseconds need format_version: 3"
	}
	return out
}
