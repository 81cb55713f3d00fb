package handover

import (
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
)

// dialect is how an engine writes names and constants.
type dialect struct {
	// mark goes around a name, and twice for one within it.
	mark string
	// text quotes a string.
	text func(string) string
	// zoned and plain begin a constant of a timestamp with and without time zone; utc ends the former's text.
	zoned, plain, utc string
}

func trinoSQL() dialect {
	return dialect{mark: `"`, text: doubled, zoned: "TIMESTAMP", plain: "TIMESTAMP", utc: " UTC"}
}

func sparkSQL() dialect {
	return dialect{mark: "`", text: escaped, zoned: "TIMESTAMP_LTZ", plain: "TIMESTAMP_NTZ", utc: "Z"}
}

// doubled quotes a string as the SQL standard does.
func doubled(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// escaped quotes a string for Spark, in whose literals a backslash escapes (unless a session says otherwise, which ours
// does not).
func escaped(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func (d dialect) name(s string) string {
	return d.mark + strings.ReplaceAll(s, d.mark, d.mark+d.mark) + d.mark
}

func (d dialect) names(parts []string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = d.name(p)
	}
	return strings.Join(quoted, ".")
}

// Layouts of dates and times in constants.
const (
	dateLayout = "2006-01-02"
	timeLayout = "2006-01-02 15:04:05.000000"
)

// instant is a constant of a date or timestamp column. The years that SQL writes with four digits are the only ones.
func (d dialect) instant(t iceberg.Type, at time.Time) (string, bool) {
	if at.Year() < 1 || at.Year() > 9999 {
		return "", false
	}
	switch t.(type) {
	case iceberg.DateType:
		return "DATE '" + at.Format(dateLayout) + "'", true
	case iceberg.TimestampType:
		return d.plain + " '" + at.Format(timeLayout) + "'", true
	case iceberg.TimestampTzType:
		return d.zoned + " '" + at.Format(timeLayout) + d.utc + "'", true
	}
	return "", false
}

// constant is the value of a column that a partition is identical to.
func (d dialect) constant(t iceberg.Type, value any) (string, bool) {
	switch t.(type) {
	case iceberg.BooleanType:
		v, ok := value.(bool)
		return strconv.FormatBool(v), ok
	case iceberg.Int32Type, iceberg.Int64Type:
		v, ok := whole(value)
		return strconv.FormatInt(v, 10), ok
	case iceberg.StringType:
		v, ok := value.(string)
		return d.text(v), ok && !strings.ContainsRune(v, 0)
	case iceberg.DateType:
		v, ok := whole(value)
		at, valid := d.instant(t, time.Unix(v*86400, 0).UTC())
		return at, ok && valid
	case iceberg.TimestampType, iceberg.TimestampTzType:
		v, ok := whole(value)
		at, valid := d.instant(t, time.UnixMicro(v).UTC())
		return at, ok && valid
	}
	return "", false
}

// whole is a partition value that is a whole number, as the library has it.
func whole(value any) (int64, bool) {
	switch v := value.(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case iceberg.Date:
		return int64(v), true
	case iceberg.Timestamp:
		return int64(v), true
	}
	return 0, false
}
