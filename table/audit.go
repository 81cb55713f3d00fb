package table

import (
	"math"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// The auditing columns: where in the source a row came from. They are flat and optional, so that they hinder no
// vectorized reader and nobody else who writes to the table.
const (
	AuditPartition = "_kafka_partition"
	AuditOffset    = "_kafka_offset"
	AuditTimestamp = "_kafka_timestamp"
	AuditTopic     = "_kafka_topic"
)

// AuditFields gives the auditing columns of a new table; topic is for tables that several topics feed.
func AuditFields(topic bool) []column.Field {
	fields := []column.Field{
		{Name: AuditPartition, Doc: "Kafka partition the row was read from", Type: column.Type{Kind: column.Int}},
		{Name: AuditOffset, Doc: "Kafka offset of the record", Type: column.Type{Kind: column.Long}},
		{Name: AuditTimestamp, Doc: "Kafka timestamp of the record", Type: column.Type{Kind: column.TimestampTZ}},
	}
	if topic {
		fields = append(fields, column.Field{Name: AuditTopic, Doc: "Kafka topic the row was read from", Type: column.Type{Kind: column.String}})
	}
	return fields
}

// IsAudit says whether a column of this name is an auditing column.
func IsAudit(name string) bool {
	switch name {
	case AuditPartition, AuditOffset, AuditTimestamp, AuditTopic:
		return true
	}
	return false
}

// Audit fills the auditing columns a table has. The zero value fills none.
type Audit struct {
	partition, offset, timestamp, topic *column.Column
	nodes                               []*column.Node

	name string // of the last record's topic
	raw  []byte
}

// NewAudit finds the auditing columns in a set. A table may lack any of them; a column of that name with another
// type is refused.
func NewAudit(set *column.Set) (*Audit, error) {
	a := &Audit{}
	for i, f := range AuditFields(true) {
		n := set.Layout.Node(f.Name)
		if n == nil {
			continue
		}
		if !n.Field.Type.Equal(f.Type) {
			return nil, failure.New(failure.Config, codeSchema, "rename the column, or switch audit_columns off for this table",
				"looking for auditing columns: %s is a %s, not a %s", f.Name, n.Field.Type, f.Type)
		}
		*[]**column.Column{&a.partition, &a.offset, &a.timestamp, &a.topic}[i] = set.Columns[n.Leaf]
		a.nodes = append(a.nodes, n)
	}
	return a, nil
}

// Nodes are the columns Append fills; decode programs leave them alone.
func (a *Audit) Nodes() []*column.Node { return a.nodes }

// Append adds one row to the auditing columns. millis is the record's timestamp, negative for none.
func (a *Audit) Append(topic string, partition int32, offset, millis int64) {
	if c := a.partition; c != nil {
		c.AppendInt32(partition)
		valid(c)
	}
	if c := a.offset; c != nil {
		c.AppendInt64(offset)
		valid(c)
	}
	if c := a.timestamp; c != nil {
		if millis >= 0 || !c.Optional() {
			c.AppendInt64(min(max(millis, 0), math.MaxInt64/1000) * 1000)
			valid(c)
		} else {
			c.SetNull()
		}
	}
	if c := a.topic; c != nil {
		if topic != a.name {
			a.name, a.raw = topic, []byte(topic)
		}
		c.AppendBytes(a.raw)
		valid(c)
	}
}

func valid(c *column.Column) {
	if c.Optional() {
		c.SetValid()
	}
}
