package config

import (
	"fmt"
	"strconv"
	"strings"
)

// PartitionField is one partition field of a new table, such as `bucket(16, user_id)`.
type PartitionField struct {
	// Transform is identity, bucket, truncate, year, month, day, hour or void.
	Transform string
	// Param is the number of buckets or the width.
	Param int
	// Column is the source column, a top-level one.
	Column string
}

const (
	transformIdentity = "identity"
	transformBucket   = "bucket"
	transformTruncate = "truncate"
)

func transformNames() []string {
	return []string{transformIdentity, transformBucket, transformTruncate, "year", "month", "day", "hour", "void"}
}

func hasParam(transform string) bool {
	return transform == transformBucket || transform == transformTruncate
}

// String writes the field as it stands in the file.
func (p PartitionField) String() string {
	switch {
	case p.Transform == transformIdentity:
		return p.Column
	case hasParam(p.Transform):
		return fmt.Sprintf("%s(%d, %s)", p.Transform, p.Param, p.Column)
	default:
		return p.Transform + "(" + p.Column + ")"
	}
}

func (p *PartitionField) parse(text string) error {
	name, _, call := strings.Cut(text, "(")
	if !call {
		*p = PartitionField{Transform: transformIdentity, Column: text}
		return columnName(text)
	}
	known := false
	for _, t := range transformNames() {
		known = known || t == name
	}
	if !known {
		return hinted{fmt.Sprintf("unknown transform %s", quoteShort(name)), suggest(name, transformNames())}
	}
	args, ok := arguments(text, name, '(', ')')
	if !ok {
		return hinted{"the brackets do not match", "write " + example(name)}
	}
	if !hasParam(name) {
		if len(args) != 1 {
			return hinted{"want one column", "write " + example(name)}
		}
		*p = PartitionField{Transform: name, Column: args[0]}
		return columnName(args[0])
	}
	if len(args) != 2 {
		return hinted{"want a number and a column", "write " + example(name)}
	}
	n, err := strconv.ParseInt(args[0], 10, 32)
	if err != nil || n < 1 {
		return hinted{"the first argument must be a whole number above 0", "write " + example(name)}
	}
	*p = PartitionField{Transform: name, Param: int(n), Column: args[1]}
	return columnName(args[1])
}

// example shows how a transform is written.
func example(transform string) string {
	switch transform {
	case transformIdentity:
		return "the column's name alone"
	case transformBucket:
		return `"bucket(16, user_id)"`
	case transformTruncate:
		return `"truncate(10, name)"`
	default:
		return transform + "(ts)"
	}
}

// columnName checks a column. Members of structs cannot be partitioned by.
func columnName(name string) error {
	if strings.Contains(name, ".") {
		return hinted{"members of structs cannot be partitioned by", "name a top-level column"}
	}
	if reason := badColumn(name); reason != "" {
		return fmt.Errorf("%s is no column name: %s", quoteShort(name), reason)
	}
	return nil
}
