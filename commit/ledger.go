package commit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
)

// LedgerOptions say whose ledger is verified.
type LedgerOptions struct {
	Pipeline, Branch string
	// Distance gives the number of offsets in [from, to) where the source can tell; nil = it cannot.
	Distance func(k state.Key, from, to state.Position) (int64, bool)
}

// Finding is one disagreement in a ledger.
type Finding struct {
	// Snapshot is where it shows, 0 for the table as a whole.
	Snapshot int64
	Text     string
}

// String is the finding as a line.
func (f Finding) String() string {
	if f.Snapshot == 0 {
		return f.Text
	}
	return fmt.Sprintf("snapshot %d: %s", f.Snapshot, f.Text)
}

// Ledger is what VerifyLedger read.
type Ledger struct {
	// Snapshots counts the retained lineage, Ours those with rows or positions of ours, Carried our maintenance,
	// Foreign the others.
	Snapshots, Ours, Carried, Foreign int
	// Controls counts those of Ours that carry out an operator's decision.
	Controls int
	// Records are the latest of these decisions, retained or not; Forgotten the number of those before them.
	Records   []Record
	Forgotten int
	// Complete: the lineage reaches down to the birth of the table, none of it has expired.
	Complete bool
	State    *state.State
	// Files and Rows are what the head holds; deleted rows are not taken off.
	Files, Rows int64
	// DeleteFiles of any kind in the head.
	DeleteFiles int64
	Findings    []Finding
}

// Proven says that nothing disagrees.
func (l *Ledger) Proven() bool { return len(l.Findings) == 0 }

func (l *Ledger) find(snapshot int64, format string, args ...any) {
	l.Findings = append(l.Findings, Finding{snapshot, fmt.Sprintf(format, args...)})
}

// VerifyLedger checks a table's own books: along the retained lineage every snapshot of ours counts exactly what it
// moved, counters and rows never fall, the head holds the rows that the totals carry, and no file is live twice. It
// reads metadata only, and says nothing about the source.
func VerifyLedger(ctx context.Context, tbl *table.Table, opts LedgerOptions) (*Ledger, error) {
	opts.Branch = cmp.Or(opts.Branch, table.MainBranch)
	spec := Spec{Identifier: tbl.Identifier(), Pipeline: opts.Pipeline, Branch: opts.Branch}
	v, err := spec.inspect(tbl)
	if err != nil {
		return nil, err
	}
	l := &Ledger{State: v.state}
	list, err := spec.records(v.meta)
	if err != nil {
		return nil, err
	}
	l.Records, l.Forgotten = list.Records, list.Forgotten
	if v.head == nil {
		l.Complete = true
		return l, nil
	}
	books, err := l.read(&spec, v)
	if err != nil {
		return nil, err
	}
	for i := len(books) - 1; i > 0; i-- {
		l.compare(books[i], books[i-1], &opts)
	}
	if l.Complete && len(books) > 0 {
		l.opening(books[len(books)-1])
	}
	fs, err := tbl.FS(ctx)
	if err != nil {
		return nil, fmt.Errorf("verifying ledger: %w", err)
	}
	if err := l.head(v.head, fs); err != nil {
		return nil, fmt.Errorf("verifying ledger: %w", err)
	}
	l.totals(v)
	return l, nil
}

// book is one snapshot of ours with its state.
type book struct {
	sn    *table.Snapshot
	state *state.State
}

// read walks the lineage, head first, and takes out the snapshots that carry our state.
func (l *Ledger) read(spec *Spec, v *view) ([]book, error) {
	var books []book
	var failed error
	gap := ancestors(v.meta, v.head, func(sn *table.Snapshot) bool {
		l.Snapshots++
		ours, err := spec.carries(sn)
		if err == nil && ours {
			var st *state.State
			if st, err = state.Decode(sn.Summary.Properties[state.SummaryKey]); err == nil {
				books = append(books, book{sn, st})
			}
		}
		if !ours {
			l.Foreign++
		}
		if err != nil {
			failed = spec.unreadable(err, fmt.Sprintf("the state in snapshot %d", sn.SnapshotID))
		}
		return failed == nil
	})
	l.Complete = !gap
	return books, failed
}

// compare checks what the later of two successive books of ours says it did.
func (l *Ledger) compare(old, cur book, opts *LedgerOptions) {
	id := cur.sn.SnapshotID
	if old.state.CommitID() == cur.state.CommitID() {
		l.Carried++
		if a, b := mustEncode(old.state), mustEncode(cur.state); a != b {
			l.find(id, "carries a state on and changes it")
		}
		if cur.sn.Summary.Operation != table.OpReplace {
			l.find(id, "operation %s without a commit of its own", cur.sn.Summary.Operation)
		}
		return
	}
	l.Ours++
	if cur.sn.SequenceNumber <= old.sn.SequenceNumber {
		l.find(id, "sequence number %d does not follow %d", cur.sn.SequenceNumber, old.sn.SequenceNumber)
	}
	rec, err := recordOf(cur.sn)
	if err != nil {
		l.find(id, "%v", err)
	}
	if rec != nil {
		l.compareControl(old, cur, rec)
		return
	}
	delta := cur.state.Totals().Sub(old.state.Totals())
	if n := summaryCount(cur.sn, "added-records"); n != delta.Added {
		l.find(id, "adds %d rows, its counters %d", n, delta.Added)
	}
	for _, e := range old.state.Entries {
		l.compareEntry(id, e, cur.state, opts)
	}
	for _, e := range cur.state.Entries {
		if _, met := old.state.Find(e.Key); !met && e.Totals != (state.Totals{}) {
			l.find(id, "partition %s of %s begins with counters", e.Partition, e.Stream.Topic)
		}
	}
	if d := cur.state.Dropped.Sub(old.state.Dropped); negative(d) {
		l.find(id, "counters of dropped partitions fall")
	}
}

// compareControl checks that a decision did what its record says, and nothing else. Where it took positions from
// elsewhere than the lineage, there is nothing to compare with.
func (l *Ledger) compareControl(old, cur book, rec *Record) {
	id := cur.sn.SnapshotID
	l.Controls++
	if n := summaryCount(cur.sn, "added-records"); n != 0 {
		l.find(id, "a control record adds %d rows", n)
	}
	if rec.Base != BaseLineage {
		return
	}
	base := old.state
	if rec.Fresh {
		base = base.Uncounted()
	}
	moves, err := rec.Moves()
	var want *state.State
	var miss *state.Mismatch
	if err == nil {
		want, miss, err = base.Decide(moves)
	}
	if err != nil || miss != nil {
		l.find(id, "its control record does not fit the state before: %v%v", err, miss)
		return
	}
	want.Writers = cur.state.Writers
	if mustEncode(want) != mustEncode(cur.state) {
		l.find(id, "its state is not what its control record says")
	}
}

// compareEntry checks one partition over one commit.
func (l *Ledger) compareEntry(id int64, e state.Entry, cur *state.State, opts *LedgerOptions) {
	now, ok := cur.Find(e.Key)
	if !ok {
		if !e.Closed {
			l.find(id, "partition %s of %s disappears before it is closed", e.Partition, e.Stream.Topic)
		}
		return
	}
	d := now.Totals.Sub(e.Totals)
	switch {
	case negative(d):
		l.find(id, "counters of partition %s of %s fall", e.Partition, e.Stream.Topic)
	case now.Position == e.Position && d != state.Totals{}:
		l.find(id, "partition %s of %s counts %d offsets without moving", e.Partition, e.Stream.Topic, d.Counts.Offsets())
	case e.Closed && (now.Position != e.Position || !now.Closed):
		l.find(id, "partition %s of %s moves after it was closed", e.Partition, e.Stream.Topic)
	}
	if opts.Distance == nil {
		return
	}
	if n, ok := opts.Distance(e.Key, e.Position, now.Position); ok && n != d.Counts.Offsets() {
		l.find(id, "partition %s of %s moves by %d offsets and accounts for %d", e.Partition, e.Stream.Topic, n, d.Counts.Offsets())
	}
}

// opening checks the first book of a complete lineage: it begins with nothing but what it added itself.
func (l *Ledger) opening(first book) {
	l.Ours++
	if n := summaryCount(first.sn, "added-records"); n != first.state.Totals().Added {
		l.find(first.sn.SnapshotID, "the first of our snapshots adds %d rows and counts %d", n, first.state.Totals().Added)
	}
}

// head reads the live files of the head.
func (l *Ledger) head(head *table.Snapshot, fs iceio.IO) error {
	manifests, err := head.Manifests(fs)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range manifests {
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return err
			}
			f := e.DataFile()
			if f.ContentType() != iceberg.EntryContentData {
				l.DeleteFiles++
				continue
			}
			if seen[f.FilePath()] {
				l.find(0, "file %s is live twice", f.FilePath())
			}
			seen[f.FilePath()] = true
			l.Files++
			l.Rows += f.Count()
		}
	}
	return nil
}

// totals compares the head with the totals. When others have written as well, or deleted, only they know how many
// rows there should be.
func (l *Ledger) totals(v *view) {
	if n := summaryCount(v.head, "total-records"); n != l.Rows {
		l.find(v.head.SnapshotID, "its summary says %d rows in total, its files hold %d", n, l.Rows)
	}
	t := v.state.Totals()
	if t.Removed > t.Added {
		l.find(0, "more rows removed (%d) than added (%d)", t.Removed, t.Added)
	}
	if l.Complete && l.Foreign == 0 && l.DeleteFiles == 0 && l.Rows != t.Added-t.Removed {
		l.find(0, "the files hold %d rows, the totals carry %d", l.Rows, t.Added-t.Removed)
	}
	if w := t.Counts[outcome.Written]; l.Foreign == 0 && t.Added > w {
		l.find(0, "more rows added (%d) than records written (%d)", t.Added, w)
	}
}

func negative(t state.Totals) bool {
	return t.Added < 0 || t.Removed < 0 || slices.ContainsFunc(t.Counts[:], func(n int64) bool { return n < 0 })
}

// summaryCount reads a number of a summary; one that is missing is zero.
func summaryCount(sn *table.Snapshot, key string) int64 {
	if sn.Summary == nil {
		return 0
	}
	n, _ := strconv.ParseInt(sn.Summary.Properties[key], 10, 64)
	return n
}
