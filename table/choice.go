package table

import (
	"slices"
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
}

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

// FormatVersion is the table format version: 2, since nothing written so far needs more.
func (c Choice) FormatVersion() int { return 2 }

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

// Fields adapts the columns proposed for a new table: where some reader cannot read the type time, it becomes the
// microseconds of the day as a long, and the column's doc says so.
func (c Choice) Fields(fields []column.Field) []column.Field {
	if c.Refuses(TimeType) == "" {
		return fields
	}
	out := slices.Clone(fields)
	for i := range out {
		if out[i].Type.Kind == column.Time {
			out[i].Type = column.Type{Kind: column.Long}
			out[i].Doc = strings.TrimSpace(out[i].Doc + " (microseconds of the day)")
		}
		out[i].Type.Fields = c.Fields(out[i].Type.Fields)
	}
	return out
}

// CheckTerm refuses an entry of partition_by by which some reader would look for rows in the wrong place.
func (c Choice) CheckTerm(term transform.Term, fields []column.Field) error {
	for i := range fields {
		if fields[i].Name == term.Column && fields[i].Type.Kind == column.UUID && term.Kind == transform.Bucket {
			return c.refusal(UUIDBuckets, "partitioning by "+term.String(), "take that reader out of readers, or partition by another column")
		}
	}
	return nil
}

// Explain lists each setting that depends on the readers, with the reader that forces it.
func (c Choice) Explain() []Reason {
	why := func(f Feature) (reader, text string) {
		if reader = c.Refuses(f); reader != "" {
			text = "cannot read " + f.String()
		}
		return reader, text
	}
	out := []Reason{{Setting: "format-version", Value: "2"}, {Setting: "parquet.encoding", Value: c.Encoding().String()},
		{Setting: "time", Value: "time"}, {Setting: "timestamp precision", Value: "microseconds"}}
	out[0].Reader, out[0].Why = why(DeletionVectors)
	out[1].Reader, out[1].Why = why(DeltaIntegers)
	out[2].Reader, out[2].Why = why(TimeType)
	out[3].Reader, out[3].Why = why(Nanoseconds)
	if out[2].Reader != "" {
		out[2].Value = "long, microseconds of the day"
	}
	return out
}
