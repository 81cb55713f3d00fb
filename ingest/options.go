package ingest

import (
	"regexp"
	"time"

	"github.com/apache/iceberg-go/catalog"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

// Options are everything a pipeline needs; nothing is read from files or the environment below this point.
type Options struct {
	// Pipeline is the identity under which offsets are stored in the tables.
	Pipeline string
	// Writer names this process in the tables' state; it is new for every start.
	Writer string
	Lanes  int
	// Memory is the byte budget for buffers, reserves already taken off.
	Memory int64
	// Reserves are what has been taken off.
	Reserves Reserves
	Sources  []SourceOptions
	Tables   []TableOptions
	Catalog  catalog.Catalog
	Stores   *store.Stores
	Trigger  Trigger
	// UntilLatest ends the run when every table has reached the offsets that were the ends at its start.
	UntilLatest bool
	// Discovery is how often new topics and partitions are looked for; 0 = DefaultDiscovery.
	Discovery time.Duration
	// Recheck is how often a table that has halted or is idle is looked at; 0 = DefaultRecheck.
	Recheck time.Duration
	Events  event.Sink
	Now     func() time.Time
}

// SourceOptions describe one named source.
type SourceOptions struct {
	Name  string
	Kafka kafka.Options
	Fetch kafka.Fetch
	// Group is nil when one process assigns its partitions itself.
	Group *GroupOptions
	// GroupID is where offsets are published after commits, for lag tools; "" publishes nothing.
	GroupID  string
	Registry schemareg.Registry
}

// GroupOptions make several processes share the partitions.
type GroupOptions struct {
	InstanceID     string
	SessionTimeout time.Duration
}

// Trigger says when a table is flushed: whichever comes first. Age stretches to a multiple of the catalog's commit
// latency when that is slow, to a minute at most.
type Trigger struct {
	Interval         time.Duration
	MaxRows          int64
	MaxBytes         int64
	ProgressInterval time.Duration
}

// Start says where a table begins in a topic it meets for the first time.
type Start uint8

// The places to start.
const (
	Earliest Start = iota
	Latest
)

// TableOptions describe one table.
type TableOptions struct {
	// Identifier is namespace and name.
	Identifier []string
	Source     string
	Topics     []string
	// Pattern selects topics by their whole name, instead of Topics.
	Pattern *regexp.Regexp
	Value   ValueOptions
	Key     KeyOptions
	Start   Start
	Create  CreateOptions
	Branch  string
	// AddColumns lets new optional fields of a newer writer schema become columns.
	AddColumns bool
	// Upkeep bounds the history of a table that ingestd has created.
	Upkeep commit.Upkeep
	// Audit appends the auditing columns.
	Audit   bool
	Errors  Policies
	Parquet parquet.Options
	// SortBy is the order of the rows in each data file; nil leaves them in the order of their offsets.
	SortBy []table.SortTerm
	// Meaning is a hash over the settings that change what a row means (routing, formats, policies).
	Meaning string
	// AcceptMeaning lets a superseded Meaning write again.
	AcceptMeaning bool
}

// Name is the dotted name of the table, used in events.
func (t TableOptions) Name() string {
	s := t.Identifier[0]
	for _, part := range t.Identifier[1:] {
		s += "." + part
	}
	return s
}

// Format is how bytes become columns.
type Format uint8

// The formats of values and keys.
const (
	FormatOff Format = iota
	FormatAvro
	FormatJSON
	FormatRaw
)

// ValueOptions say how a value becomes columns.
type ValueOptions struct {
	Format Format
	// Schema is the declared schema of JSON values.
	Schema *jsonrec.Schema
	// NullRows makes a row of nulls of a null value instead of ignoring it.
	NullRows bool
}

// KeyOptions say how a key becomes columns.
type KeyOptions struct {
	Format Format
	Schema *jsonrec.Schema
	// Prefix is put before the names of a record key's fields; Column names the column of any other key.
	Prefix, Column string
}

// CreateOptions describe a table that does not exist yet.
type CreateOptions struct {
	// Auto permits the creation.
	Auto        bool
	PartitionBy []string
	Properties  map[string]string
	// Readers decide format version and types; the choice is stored with the table.
	Readers table.Choice
}

// On is the same for a table that exists in a format version: whatever the configuration says, it keeps that.
func (t TableOptions) On(format int) TableOptions {
	t.Create.Readers = t.Create.Readers.At(format)
	return t
}

// Policy says what happens to a record a stage refuses.
type Policy uint8

// The policies.
const (
	Fail Policy = iota
	Skip
)

// Policies holds one policy per stage.
type Policies struct {
	Frame, Registry, Decode, Convert Policy
}
