package admin

import (
	"time"

	"github.com/ingestd/ingestd/internal/event"
)

// Status is what the listener shows. It is asked for every request, from any goroutine.
type Status interface {
	// Tables lists the tables in the order of the configuration.
	Tables() []Table
	// Budget says who holds how much memory.
	Budget() Budget
}

// Budget is the JSON of /debug/budget.
type Budget struct {
	// LimitBytes is memory.limit; BuffersBytes is what is left of it for tables after the reserves.
	LimitBytes   int64 `json:"limit_bytes"`
	BuffersBytes int64 `json:"buffers_bytes"`
	// HeldBytes is what the tables hold, and others beyond their reserves.
	HeldBytes int64 `json:"held_bytes"`
	// Refusing says that some partition waits for room.
	Refusing bool `json:"refusing"`
	// HeapBytes and RuntimeBytes are what Go's runtime counts: live and dead objects, and everything it has from the system.
	HeapBytes    int64 `json:"heap_bytes"`
	RuntimeBytes int64 `json:"runtime_bytes"`
	// Tables are sorted by what they hold; what is reserved for a table nobody can take from it.
	Tables []Holding `json:"tables"`
	// Reserves are held by nobody in particular.
	Reserves []Holding `json:"reserves"`
}

// Holding is what one of them holds.
type Holding struct {
	Name          string `json:"name"`
	HeldBytes     int64  `json:"held_bytes"`
	ReservedBytes int64  `json:"reserved_bytes"`
}

// Tables is the JSON of /api/v1/tables.
type Tables struct {
	Tables []Table `json:"tables"`
}

// Table is the state of one table: the JSON of /api/v1/tables/{name}.
type Table struct {
	Name string `json:"name"`
	// State in one word, and why.
	State  event.State `json:"state"`
	Code   string      `json:"code,omitempty"`
	Reason string      `json:"reason,omitempty"`
	// Hint is what to do about it.
	Hint string `json:"hint,omitempty"`
	// LagRecords is how many offsets are not committed yet, over all partitions read here.
	LagRecords int64 `json:"lag_records"`
	// FreshnessSeconds is how old data can be that the table does not show; null while that is not known.
	FreshnessSeconds *float64 `json:"freshness_seconds"`
	// Since this process started.
	Commits  int64            `json:"commits"`
	Rows     int64            `json:"rows"`
	Outcomes map[string]int64 `json:"outcomes"`
	// LastCommit is null before the first one.
	LastCommit *Commit `json:"last_commit"`
	// Partitions are left out of the list of all tables.
	Partitions []Partition `json:"partitions,omitempty"`
}

// Commit is a commit that landed.
type Commit struct {
	// SnapshotID is a string: JSON readers round numbers of this size.
	SnapshotID string    `json:"snapshot_id"`
	CommitID   string    `json:"commit_id"`
	At         time.Time `json:"at"`
	Rows       int64     `json:"rows"`
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"`
	Seconds    float64   `json:"seconds"`
}

// Partition is one partition a table reads.
type Partition struct {
	Topic      string `json:"topic"`
	Partition  int32  `json:"partition"`
	LagRecords int64  `json:"lag_records"`
}

// working says whether a table does its job, perhaps with an obstacle.
func working(t Table) bool { return t.State == event.Running || t.State == event.Degraded }

// Version is the JSON of /version.
type Version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}
