package main

import (
	"context"
	"strconv"
	"time"

	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/admin"
	"github.com/ingestd/ingestd/internal/failure"
)

// statusReport is the result of `status -o json`.
type statusReport struct {
	// Daemon is the address of the daemon that answered, "" when none did.
	Daemon string `json:"daemon"`
	// Budget says who holds how much of the daemon's memory, null when no daemon answered.
	Budget *admin.Budget `json:"budget"`
	Tables []tableStatus `json:"tables"`
	errs   []error
}

// tableStatus is one table: from itself, from the brokers, and from the daemon.
type tableStatus struct {
	Table string `json:"table"`
	// State is the daemon's word for it, or "unattended" when no daemon answers.
	State  string `json:"state"`
	Exists bool   `json:"exists"`
	// Why says in one sentence what is going on, and why nothing was committed where nothing was.
	Why  string `json:"why"`
	Code string `json:"code,omitempty"`
	Hint string `json:"hint,omitempty"`
	// Rows is how many rows the pipeline has added, Outcomes what became of every record it consumed.
	Rows             int64             `json:"rows"`
	Snapshots        *int64            `json:"snapshots"`
	Outcomes         map[string]int64  `json:"outcomes"`
	LagRecords       *int64            `json:"lag_records"`
	FreshnessSeconds *float64          `json:"freshness_seconds"`
	LastCommit       *commitStatus     `json:"last_commit"`
	Partitions       []partitionStatus `json:"partitions"`
	Problems         []problemPlan     `json:"problems"`
}

// commitStatus is the snapshot at the head of the branch.
type commitStatus struct {
	SnapshotID string    `json:"snapshot_id"`
	At         time.Time `json:"at"`
	Rows       int64     `json:"rows"`
}

// partitionStatus is how far the table is in one partition. Lag is null when the brokers did not say where it ends.
type partitionStatus struct {
	Topic     string `json:"topic"`
	Partition string `json:"partition"`
	Position  int64  `json:"position"`
	End       *int64 `json:"end"`
	Lag       *int64 `json:"lag"`
}

// unattended is the state of a table that no running daemon speaks for.
const unattended = "unattended"

// lookAtTables asks the tables, the brokers and the daemon once.
func lookAtTables(ctx context.Context, env *environment, tables []config.Table, live *adminClient) statusReport {
	r := statusReport{Tables: []tableStatus{}}
	var running map[string]admin.Table
	if live != nil {
		if list, err := live.tables(ctx); err == nil {
			r.Daemon, r.Budget, running = live.base, live.budget(ctx), list
		}
	}
	for _, t := range tables {
		s := tableStatus{Table: t.Name, State: unattended, Outcomes: map[string]int64{}, Partitions: []partitionStatus{}, Problems: []problemPlan{}}
		o := env.table(t.Name)
		loaded, err := env.load(ctx, o)
		r.errs = append(r.errs, s.note(err))
		if err == nil {
			s.fromTable(loaded, o)
		}
		r.errs = append(r.errs, s.note(s.fromBrokers(ctx, env, o, loaded)))
		if now, ok := running[t.Name]; ok {
			s.fromDaemon(now)
		}
		s.explain(env.config.Commit, time.Now())
		r.Tables = append(r.Tables, s)
	}
	return r
}

func (s *tableStatus) note(err error) error {
	if err != nil {
		s.Problems = append(s.Problems, problemPlan{Message: err.Error(), Code: failure.CodeOf(err), Hint: failure.HintOf(err)})
	}
	return err
}

// fromTable reads what the table carries.
func (s *tableStatus) fromTable(t *commit.Table, o ingest.TableOptions) {
	s.Exists = t.Exists()
	if !s.Exists {
		return
	}
	totals := t.State().Totals()
	s.Rows, s.Outcomes = totals.Added-totals.Removed, totals.Counts.Map()
	snapshots := int64(len(t.Metadata().Snapshots()))
	s.Snapshots = &snapshots
	if head := headOf(t.Metadata(), o.Branch); head != nil {
		s.LastCommit = &commitStatus{
			SnapshotID: strconv.FormatInt(head.SnapshotID, 10), At: time.UnixMilli(head.TimestampMs).UTC(), Rows: summaryNumber(head, "added-records"),
		}
	}
	for _, e := range t.State().Entries {
		at, err := kafka.DecodePosition(string(e.Position))
		if err == nil && e.Stream.Source == o.Source {
			s.Partitions = append(s.Partitions, partitionStatus{Topic: e.Stream.Topic, Partition: e.Partition, Position: at})
		}
	}
}

// headOf is the snapshot a branch points to.
func headOf(meta icetable.Metadata, branch string) *icetable.Snapshot {
	for name, ref := range meta.Refs() {
		if name == branch || branch == "" && name == icetable.MainBranch {
			return meta.SnapshotByID(ref.SnapshotID)
		}
	}
	return nil
}

// summaryNumber reads a counter of a snapshot's summary; one that is not there is 0.
func summaryNumber(s *icetable.Snapshot, key string) int64 {
	if s.Summary == nil {
		return 0
	}
	n, err := strconv.ParseInt(s.Summary.Properties[key], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// fromBrokers finds how much is left. A table that has not begun has everything left.
func (s *tableStatus) fromBrokers(ctx context.Context, env *environment, o ingest.TableOptions, loaded *commit.Table) error {
	topics, err := env.topics(ctx, o)
	if err != nil {
		return err
	}
	client, err := env.kafka(ctx, o.Source)
	if err != nil {
		return err
	}
	var lag int64
	for _, topic := range topics {
		ends, err := client.Offsets(ctx, topic.Name)
		if err != nil {
			return err
		}
		stored := positions(loaded, state.Stream{Source: o.Source, Cluster: client.Cluster(), Topic: topic.Name, ID: topic.ID})
		for i := range topic.Partitions {
			e := ends[kafka.Partition{Topic: topic.Name, Partition: i}]
			at, ok := stored[strconv.Itoa(int(i))]
			if !ok {
				at = e.Start
			}
			left := max(0, e.Stable-at)
			lag += left
			s.setEnd(topic.Name, strconv.Itoa(int(i)), at, e.Stable, left)
		}
	}
	s.LagRecords = &lag
	return nil
}

func (s *tableStatus) setEnd(topic, partition string, at, end, left int64) {
	for i := range s.Partitions {
		if p := &s.Partitions[i]; p.Topic == topic && p.Partition == partition {
			p.End, p.Lag = &end, &left
			return
		}
	}
	s.Partitions = append(s.Partitions, partitionStatus{Topic: topic, Partition: partition, Position: at, End: &end, Lag: &left})
}

// fromDaemon takes over what only a running daemon knows.
func (s *tableStatus) fromDaemon(t admin.Table) {
	s.State, s.Code, s.Hint, s.Why = string(t.State), t.Code, t.Hint, t.Reason
	s.FreshnessSeconds = t.FreshnessSeconds
	if s.LagRecords == nil {
		s.LagRecords = &t.LagRecords
	}
}

// err is the error to exit with.
func (r statusReport) err() error {
	var errs []error
	for _, err := range r.errs {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, t := range r.Tables {
		if t.State == "failed" {
			errs = append(errs, failure.New(failure.Halt, t.Code, t.Hint, "table %s has stopped: %s", t.Table, t.Why))
		}
	}
	if err := worst(errs); err != nil {
		return silentError{err}
	}
	return nil
}
