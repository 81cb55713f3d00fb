package handover

import (
	"strings"
	"time"

	"github.com/apache/iceberg-go"
)

// MostPartitions is how many partitions a request can name: it bounds the length of a statement.
const MostPartitions = 100

// Bounded says whether the request names its partitions; otherwise it is about the whole table.
func (r Request) Bounded() bool { return sparkSQL().where(r) != "" }

// where says which partitions are meant, "" for the whole table. Engines prune by conditions on columns, so a partition
// is written as the range of values that it holds. Where one cannot be (buckets, truncated strings, constants of rarer
// types) the whole table is the answer: an engine finds small files by itself.
func (d dialect) where(r Request) string {
	if len(r.Partitions) == 0 || len(r.Partitions) > MostPartitions || r.Spec.NumFields() == 0 {
		return ""
	}
	var all []string
	for _, tuple := range r.Partitions {
		one, ok := d.tuple(r, tuple)
		if !ok {
			return ""
		}
		all = append(all, "("+one+")")
	}
	return strings.Join(all, " OR ")
}

// tuple is the condition of one partition.
func (d dialect) tuple(r Request, tuple map[int]any) (string, bool) {
	var parts []string
	for _, f := range r.Spec.Fields() {
		if _, void := f.Transform.(iceberg.VoidTransform); void {
			continue
		}
		column, ok := r.Schema.FindFieldByID(f.SourceID())
		if !ok {
			return "", false
		}
		value, known := tuple[f.FieldID]
		if !known {
			return "", false
		}
		name, _ := r.Schema.FindColumnName(column.ID)
		if name != column.Name {
			return "", false // a member of a struct
		}
		one, ok := d.field(d.name(column.Name), column.Type, f.Transform, value)
		if !ok {
			return "", false
		}
		parts = append(parts, one)
	}
	return strings.Join(parts, " AND "), len(parts) > 0
}

// field is the condition of one partition field.
func (d dialect) field(name string, t iceberg.Type, by iceberg.Transform, value any) (string, bool) {
	if value == nil {
		return name + " IS NULL", true
	}
	if _, identity := by.(iceberg.IdentityTransform); identity {
		constant, ok := d.constant(t, value)
		return name + " = " + constant, ok
	}
	n, ok := whole(value)
	if !ok {
		return "", false
	}
	from, to, ok := span(by, int(n))
	if !ok {
		return "", false
	}
	low, ok := d.instant(t, from)
	high, fits := d.instant(t, to)
	return name + " >= " + low + " AND " + name + " < " + high, ok && fits
}

// span is the time that a partition holds: from the nth year, month, day or hour since 1970 to the next (Iceberg spec,
// Partition Transforms).
func span(by iceberg.Transform, n int) (from, to time.Time, ok bool) {
	year := func(n int) time.Time { return time.Date(1970+n, 1, 1, 0, 0, 0, 0, time.UTC) }
	switch by.(type) {
	case iceberg.YearTransform:
		return year(n), year(n + 1), true
	case iceberg.MonthTransform:
		return year(0).AddDate(0, n, 0), year(0).AddDate(0, n+1, 0), true
	case iceberg.DayTransform:
		return year(0).AddDate(0, 0, n), year(0).AddDate(0, 0, n+1), true
	case iceberg.HourTransform:
		return time.Unix(int64(n)*3600, 0).UTC(), time.Unix(int64(n+1)*3600, 0).UTC(), true
	}
	return from, to, false
}
