package transform

import (
	"fmt"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// Kind is one of Iceberg's transforms.
type Kind uint8

// The transforms.
const (
	Identity Kind = iota
	Bucket
	Truncate
	Year
	Month
	Day
	Hour
	Void
	kinds int = iota
)

var kindNames = [kinds]string{"identity", "bucket", "truncate", "year", "month", "day", "hour", "void"}

// String is the transform's name in configurations and metadata.
func (k Kind) String() string {
	if int(k) >= kinds {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// sized says whether the transform has a width.
func (k Kind) sized() bool { return k == Bucket || k == Truncate }

// Term is one entry of partition_by: a transform of a column.
type Term struct {
	Kind   Kind
	Width  int // of Bucket and Truncate
	Column string
}

const codePartition = "E_PARTITION_BY"

// String is the notation of configurations: day(ts), bucket(16, id), name for an identity.
func (t Term) String() string {
	switch {
	case t.Kind.sized():
		return fmt.Sprintf("%s(%d, %s)", t.Kind, t.Width, t.Column)
	case t.Kind == Identity:
		return t.Column
	}
	return t.Kind.String() + "(" + t.Column + ")"
}

// Iceberg gives the transform as iceberg-go knows it.
func (t Term) Iceberg() iceberg.Transform {
	switch t.Kind {
	case Bucket:
		return iceberg.BucketTransform{NumBuckets: t.Width}
	case Truncate:
		return iceberg.TruncateTransform{Width: t.Width}
	case Year:
		return iceberg.YearTransform{}
	case Month:
		return iceberg.MonthTransform{}
	case Day:
		return iceberg.DayTransform{}
	case Hour:
		return iceberg.HourTransform{}
	case Void:
		return iceberg.VoidTransform{}
	default:
		return iceberg.IdentityTransform{}
	}
}

// fromIceberg is the opposite of Term.Iceberg.
func fromIceberg(t iceberg.Transform) (Term, bool) {
	switch t := t.(type) {
	case iceberg.IdentityTransform:
		return Term{Kind: Identity}, true
	case iceberg.BucketTransform:
		return Term{Kind: Bucket, Width: t.NumBuckets}, t.NumBuckets > 0
	case iceberg.TruncateTransform:
		return Term{Kind: Truncate, Width: t.Width}, t.Width > 0
	case iceberg.YearTransform:
		return Term{Kind: Year}, true
	case iceberg.MonthTransform:
		return Term{Kind: Month}, true
	case iceberg.DayTransform:
		return Term{Kind: Day}, true
	case iceberg.HourTransform:
		return Term{Kind: Hour}, true
	case iceberg.VoidTransform:
		return Term{Kind: Void}, true
	}
	return Term{}, false
}

// Name is the usual name of the partition field: ts_day, id_bucket_16, the column's own for an identity.
func (t Term) Name() string {
	switch t.Kind {
	case Identity:
		return t.Column
	case Bucket:
		return fmt.Sprintf("%s_bucket_%d", t.Column, t.Width)
	case Truncate:
		return fmt.Sprintf("%s_trunc_%d", t.Column, t.Width)
	case Void:
		return t.Column + "_null"
	default:
		return t.Column + "_" + t.Kind.String()
	}
}

// Check looks the term's column up and says whether the transform can take it.
func (t Term) Check(fields []column.Field) error {
	for i := range fields {
		if fields[i].Name == t.Column {
			return t.checkType(fields[i].Type)
		}
	}
	return failure.New(failure.Config, codePartition, "name a top-level column of the table; members of structs and lists cannot be partition sources here",
		"partitioning by %s: there is no column %q", t, t.Column)
}

// CheckAll checks the terms of one partition spec, alone and together.
func CheckAll(terms []Term, fields []column.Field) error {
	names := map[string]bool{}
	times := map[string]Term{} // by column
	decimals := 0
	for _, t := range terms {
		if err := t.Check(fields); err != nil {
			return err
		}
		if names[t.Name()] {
			return failure.New(failure.Config, codePartition, "leave one of them out", "partitioning by %s twice", t)
		}
		names[t.Name()] = true
		if t.Kind >= Year && t.Kind <= Hour {
			if other, ok := times[t.Column]; ok {
				return failure.New(failure.Config, codePartition, "keep the finer one: it implies the other",
					"partitioning by %s and by %s: one is enough", other, t)
			}
			times[t.Column] = t
		}
		for i := range fields {
			if fields[i].Name == t.Column && t.Kind.keepsDecimal(fields[i].Type) {
				decimals++
			}
		}
	}
	return checkDecimals(decimals)
}

// keepsDecimal says whether the partition values are decimals.
func (k Kind) keepsDecimal(src column.Type) bool {
	return src.Kind == column.Decimal && k != Bucket
}

// checkDecimals refuses what iceberg-go cannot write into a manifest: it gives the Avro types of all decimals one
// name.
func checkDecimals(n int) error {
	if n < 2 {
		return nil
	}
	return failure.New(failure.Config, codePartition, "keep one of them, or use bucket",
		"partitioning by %d decimals: manifests cannot be written for more than one", n)
}

func (t Term) checkType(typ column.Type) error {
	if typ.Kind.Nested() {
		return failure.New(failure.Config, codePartition, "partition by a top-level column of a primitive type",
			"partitioning by %s: column %q is a %s", t, t.Column, typ.Kind)
	}
	if !t.Kind.takes(typ.Kind) {
		return failure.New(failure.Config, codePartition, "a column of type "+typ.String()+" takes "+suitable(typ.Kind),
			"partitioning by %s: %s cannot take column %q of type %s", t, t.Kind, t.Column, typ)
	}
	return nil
}

// takes is the specification's table of source types.
func (k Kind) takes(src column.Kind) bool {
	switch k {
	case Identity, Void:
		return !src.Nested()
	case Bucket:
		switch src {
		case column.Boolean, column.Float, column.Double:
			return false
		default:
			return !src.Nested()
		}
	case Truncate:
		switch src {
		case column.Int, column.Long, column.Decimal, column.String, column.Binary:
			return true
		default:
			return false
		}
	case Hour:
		return timestamp(src)
	default: // Year, Month, Day
		return src == column.Date || timestamp(src)
	}
}

func timestamp(src column.Kind) bool {
	return src == column.Timestamp || src == column.TimestampTZ || nanos(src)
}

func nanos(src column.Kind) bool { return src == column.TimestampNs || src == column.TimestampTZNs }

func suitable(src column.Kind) string {
	s := ""
	for k := range Kind(kinds) {
		if k.takes(src) {
			if s != "" {
				s += ", "
			}
			s += k.String()
		}
	}
	return s
}
