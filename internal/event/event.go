// Package event holds what the rooms report: typed events, published to one Sink. Logs, metrics, the progress
// line and the status page subscribe; nothing on a record's way waits for them.
//
// Events are values: a subscriber may keep them. A Sink must not block and may be called from any goroutine.
package event

import (
	"time"

	"github.com/ingestd/ingestd/internal/outcome"
)

// Event is one of the types of this package.
type Event interface{ isEvent() }

// Sink receives events.
type Sink interface{ Emit(Event) }

// Discard is a Sink that drops everything.
type Discard struct{}

// Emit implements Sink.
func (Discard) Emit(Event) {}

// Func is a Sink made of a function.
type Func func(Event)

// Emit implements Sink.
func (f Func) Emit(e Event) { f(e) }

// Fanout publishes to several sinks in order.
type Fanout []Sink

// Emit implements Sink.
func (f Fanout) Emit(e Event) {
	for _, s := range f {
		s.Emit(e)
	}
}

// State is the state of a table, one word for people and alerts.
type State string

// The states of a table.
const (
	// Pending: not started, or waiting for what it needs (a topic, a schema, the catalog).
	Pending State = "pending"
	// Running: consuming and committing.
	Running State = "running"
	// Degraded: working with an obstacle, named by the reason.
	Degraded State = "degraded"
	// Stopped: drained on request.
	Stopped State = "stopped"
	// Failed: halted until an operator acts; the hint names the command.
	Failed State = "failed"
)

// States lists every state, for pre-created metric labels.
func States() []State { return []State{Pending, Running, Degraded, Stopped, Failed} }

// Verbs lists what operators decide about tables, for pre-created metric labels.
func Verbs() []string { return []string{"resume", "rewind", "accept-loss", "adopt"} }

// StateChanged reports a table's new state.
type StateChanged struct {
	Table        string
	From, To     State
	Code, Reason string
	Hint         string
	At           time.Time
}

// CommitResult is the outcome of one commit call.
type CommitResult string

// The results of a commit.
const (
	CommitLanded CommitResult = "ok"
	CommitFenced CommitResult = "fenced"
	CommitFailed CommitResult = "failed"
)

// CommitDone reports the end of a commit: a snapshot with rows or a progress snapshot (Files 0).
type CommitDone struct {
	Table      string
	Result     CommitResult
	SnapshotID int64
	CommitID   string
	Counts     outcome.Counts
	Rows       int64
	Files      int
	Bytes      int64
	// Conflicts counts attempts that met a moved head; Unknowns counts attempts whose answer was lost.
	Conflicts, Unknowns int
	Took                time.Duration
	// Flushed is how long cutting, assembling and uploading the files took before the commit.
	Flushed time.Duration
	// Oldest is the timestamp of the oldest record in the commit; zero when there was none.
	Oldest time.Time
	At     time.Time
}

// CommitRetried reports an attempt that did not settle the commit; it will be looked at again.
type CommitRetried struct {
	Table   string
	Attempt int
	Reason  string
	Err     error
	At      time.Time
}

// SchemaChanged reports an evolution that landed.
type SchemaChanged struct {
	Table string
	Added []string
	At    time.Time
}

// TableCreated reports the birth of a table.
type TableCreated struct {
	Table    string
	Location string
	At       time.Time
}

// LagObserved reports how far a table is behind a partition: offsets between its cursor and the stable end.
type LagObserved struct {
	Table     string
	Topic     string
	Partition int32
	Lag       int64
	At        time.Time
}

// GroupOffsets reports that what is published under the consumer group and what a table holds disagree.
type GroupOffsets struct {
	Table, Source, Group string
	// Ahead is the number of partitions whose group offset is above the table's, although the table once had it: an
	// alarm that lasts until an event says 0.
	Ahead int
	// Foreign is the number of partitions whose group offset somebody else has set below the table's: ignored.
	Foreign int
	// Topic and Partition are the first of them, Published its group offset and Stored the table's.
	Topic             string
	Partition         int32
	Published, Stored int64
	At                time.Time
}

// Backpressure reports that partitions of a source were paused or resumed, and what the budget holds.
type Backpressure struct {
	Source      string
	Paused      int
	BytesHeld   int64
	BytesLimit  int64
	LargestHeld string
	// Spent says that the budget refuses to take more; otherwise partitions wait for lanes that are behind.
	Spent bool
	At    time.Time
}

// Rewound reports that a table's cursors were set back to what the table says.
type Rewound struct {
	Table  string
	Reason string
	At     time.Time
}

// SourceTrouble reports an obstacle on the way to the source or the registry that is retried.
type SourceTrouble struct {
	Source string
	Reason string
	Err    error
	At     time.Time
}

// ControlObeyed reports that a table starts again because of an operator's decision.
type ControlObeyed struct {
	Table      string
	Verb       string
	By, Reason string
	At         time.Time
}

func (ControlObeyed) isEvent() {}
func (StateChanged) isEvent()  {}
func (CommitDone) isEvent()    {}
func (CommitRetried) isEvent() {}
func (SchemaChanged) isEvent() {}
func (TableCreated) isEvent()  {}
func (LagObserved) isEvent()   {}
func (GroupOffsets) isEvent()  {}
func (Backpressure) isEvent()  {}
func (Rewound) isEvent()       {}
func (SourceTrouble) isEvent() {}

// ConfigReloaded reports an attempt to take over a changed configuration.
type ConfigReloaded struct {
	OK bool
	At time.Time
}

func (ConfigReloaded) isEvent() {}

// MaintenanceResult is how a procedure ended.
type MaintenanceResult string

// The results of a procedure.
const (
	MaintenanceOK     MaintenanceResult = "ok"
	MaintenanceFailed MaintenanceResult = "failed"
)

// Procedures lists the procedures, for pre-created metric labels.
func Procedures() []string {
	return []string{"rewrite_data_files", "rewrite_manifests", "expire_snapshots", "remove_orphan_files"}
}

// MaintenanceDone reports a procedure that has ended.
type MaintenanceDone struct {
	Table     string
	Procedure string
	Result    MaintenanceResult
	// Files have become Added ones; Bytes is the size of Files.
	Files, Added int
	Bytes        int64
	Took         time.Duration
	Err          error
	At           time.Time
}

func (MaintenanceDone) isEvent() {}

// MaintenanceLooked reports what a look at a table's files has found.
type MaintenanceLooked struct {
	Table string
	// Files are the live data files, Candidates those of them that are too small, too large or full of deleted rows.
	Files, Candidates int
	Bytes             int64
	// Score is what a full scan pays for them, in bytes.
	Score int64
}

func (MaintenanceLooked) isEvent() {}
