package commit

import (
	"context"
	"time"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// Step moves one partition of a source from one position to the next and says what became of the range between.
type Step struct {
	Key state.Key
	// From must equal the stored position, "" when the table has not met the partition.
	From, To state.Position
	// Counts is what became of the offsets in [From, To).
	Counts outcome.Counts
	// Added and Removed are the table's rows that this range added and removed.
	Added, Removed int64
	// Closed: the partition has ended at To. From may equal To then.
	Closed bool
	// Drop forgets a closed partition; From and To are its last position. Its counters are kept in a sum. The
	// source vouches that the partition never appears again.
	Drop bool
	// Note is kept in the mirror property only, opaque (leader epoch, fingerprint of the last record).
	Note []byte
}

// SideFile is a file for another table that was written together with a batch (dead letters): room in the seam, not
// served yet; Commit refuses a FileSet that has some.
type SideFile struct {
	Table []string
	File  iceberg.DataFile
}

// FileSet is one batch: the files it wrote and the exact ranges they hold.
type FileSet struct {
	Files []iceberg.DataFile
	// Added is the number of rows in Files; it must agree with the files and with the steps.
	Added int64
	Steps []Step
	Side  []SideFile
	// SchemaID is the schema the files were written with: the table's current one or an earlier one.
	SchemaID int
	// Oldest is the timestamp of the oldest record in the batch and Flushed the time spent on its files; both are
	// only reported.
	Oldest  time.Time
	Flushed time.Duration
}

// Spec says which table to commit to, and as whom.
type Spec struct {
	// Identifier is namespace and name.
	Identifier []string
	// Pipeline is the identity of the offsets in the table; Branch the branch, "" = main.
	Pipeline, Branch string
	// Writer tells this Table from all others of the pipeline, in this process and elsewhere; "" = a new id.
	Writer string
	// MayCreate: a table that does not exist is no error of Open; Create brings it to life.
	MayCreate bool
	// ConfigHash is the fingerprint of what gives records their meaning; zero switches the config epoch off.
	ConfigHash state.Hash
	// AcceptConfig lets a configuration back in that a later one has superseded.
	AcceptConfig bool
	// Upkeep bounds history and manifests; the zero value means the defaults.
	Upkeep Upkeep
}

// Upkeep bounds what commits leave behind. It is done as part of the commits themselves.
type Upkeep struct {
	// Disabled leaves history and manifests alone.
	Disabled bool
	// Every is the number of own commits between two rounds; 0 = 20.
	Every int
	// KeepMin and KeepMax bound the number of snapshots; 0 = 100 and 2000. Between them age decides.
	KeepMin, KeepMax int
	// MaxAge is the age above which a snapshot beyond KeepMin goes; 0 = ten minutes.
	MaxAge time.Duration
	// Grace is how long a data file that no snapshot needs any more is kept for queries that are still reading it; 0 =
	// six hours.
	Grace time.Duration
	// Hourly and Daily are the numbers of tags of the main branch that keep longer time travel; 0 = 24 and 7,
	// negative = none.
	Hourly, Daily int
}

// PartitionField is one field of a partition spec. Name "" = the usual one (ts_day, user_id_bucket).
type PartitionField struct {
	Column    string
	Transform iceberg.Transform
	Name      string
}

// Creation describes a table that does not exist yet.
type Creation struct {
	Fields      []column.Field
	PartitionBy []PartitionField
	// SortBy is the order of the rows within data files; nil = none.
	SortBy []table.SortTerm
	// Properties go on top of the ones that every table of ours gets.
	Properties iceberg.Properties
	// FormatVersion 0 = 2.
	FormatVersion int
	// Location "" = the catalog's choice.
	Location string
	// Start are the positions at which reading starts (From "", To the start), so that the table is never without.
	Start []Step
}

// AddColumn is one new optional column. Path is where it hangs: the names of the structs above it, "element" and
// "value" through lists and maps, empty for a top-level column.
type AddColumn struct {
	Path  []string
	Field column.Field
}

// Outcome is how a commit ended.
type Outcome uint8

const (
	// Landed: the batch is in the table, once.
	Landed Outcome = iota
	// Fenced: a stored position differs from the batch's first one. The caller drops the whole batch and reads on
	// at the positions of Result.State.
	Fenced
	// Superseded: a rewrite no longer fits the table. The caller drops its files and plans anew.
	Superseded
)

// String names the outcome.
func (o Outcome) String() string { return [...]string{"landed", "fenced", "superseded"}[o] }

// Result tells how a commit ended.
type Result struct {
	Outcome Outcome
	// SnapshotID and CommitID are those of the snapshot that holds the batch (Landed). The snapshot of a rewrite is 0
	// when others have committed since and its own has expired.
	SnapshotID int64
	CommitID   string
	// State is the newest state of the table that was seen.
	State *state.State
	// Mismatch is the first position that differed (Fenced), By the commit that the head names.
	Mismatch *state.Mismatch
	By       string
	// Why is what a rewrite no longer fits (Superseded).
	Why string
	// FilesDead: no attempt of this call is in the table or can still get there, so the batch's files may be
	// deleted (Fenced, Superseded). False leaves them to orphan removal.
	FilesDead bool
	// Attempts counts the commit calls sent; Conflicts those that met a moved head, Unknowns those whose answer
	// was lost.
	Attempts, Conflicts, Unknowns int
	Took                          time.Duration
	// Removed are superseded manifests and manifest lists of attempts that can no longer land.
	Removed []string
}

// Env is what the loop needs from outside. Nil fields get working defaults.
type Env struct {
	// Now is the clock.
	Now func() time.Time
	// Wait sleeps or ends early with the context's error.
	Wait func(ctx context.Context, d time.Duration) error
	// NewID makes commit ids and file ids; random UUIDs.
	NewID func() string
	// Jitter gives a number in [0, 1).
	Jitter func() float64
	// Events receives what happens; nil = nobody.
	Events event.Sink
	// Delete removes a metadata file of ours; nil = through the table's own file access.
	Delete func(ctx context.Context, path string) error
}
