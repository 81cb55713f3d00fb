package verify

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/outcome"
)

// Options say what to verify and how far.
type Options struct {
	Pipeline, Branch string
	Level            Level
	// Sources leads to the topics, by source name; needed for level Source.
	Sources map[string]*kafka.Client
}

// partition is one partition under examination.
type partition struct {
	Partition
	key    state.Key
	counts outcome.Counts
	// seen are the offsets found in the table, doubled those found again.
	seen, doubled *roaring64.Bitmap
	// accepted are ranges that operators gave up, before the books of logs that this one replaced, overlap the number
	// of offsets that were read again. loose: rows may be there of which nothing is known.
	accepted []accepted
	before   []past
	overlap  int64
	loose    bool
	// again counts rows of offsets that are there already, strayed those outside of the open books, as far as decisions
	// explain them.
	again, strayed int64
}

// Run verifies one table. An error means that it could not be looked at; what does not hold is in the report.
func Run(ctx context.Context, tbl *table.Table, o Options) (*Report, error) {
	r := &Report{Table: name(tbl), Level: o.Level, Findings: []Finding{}}
	ledger, err := commit.VerifyLedger(ctx, tbl, commit.LedgerOptions{Pipeline: o.Pipeline, Branch: o.Branch, Distance: distance})
	if err != nil {
		return nil, err
	}
	r.Snapshots, r.Files, r.Rows = ledger.Snapshots, ledger.Files, ledger.Rows
	for _, f := range ledger.Findings {
		r.find(Books, nil, 0, 0, "%s", f)
	}
	parts, err := partitions(ledger.State)
	if err != nil {
		return nil, err
	}
	if err := decisions(r, ledger.Records, ledger.Forgotten, parts); err != nil {
		return nil, err
	}
	if o.Level != Ledger {
		if err := checkRows(ctx, r, tbl, o.Branch, parts); err != nil {
			return nil, err
		}
	}
	if o.Level == Source {
		if err := checkSource(ctx, r, parts, o.Sources); err != nil {
			return nil, err
		}
	}
	for _, p := range parts {
		r.Partitions = append(r.Partitions, p.Partition)
	}
	r.Verified = len(r.Findings) == 0
	return r, nil
}

func name(tbl *table.Table) string {
	s := ""
	for i, part := range tbl.Identifier() {
		if i > 0 {
			s += "."
		}
		s += part
	}
	return s
}

// distance counts the offsets between two positions.
func distance(_ state.Key, from, to state.Position) (int64, bool) {
	a, err := kafka.DecodePosition(string(from))
	if err != nil {
		return 0, false
	}
	b, err := kafka.DecodePosition(string(to))
	if err != nil {
		return 0, false
	}
	return b - a, true
}

// partitions reads where every partition began and where it stands.
func partitions(st *state.State) ([]*partition, error) {
	if st == nil {
		return nil, nil
	}
	var out []*partition
	for _, e := range st.Entries {
		at, err := kafka.DecodePosition(string(e.Position))
		if err != nil {
			return nil, err
		}
		out = append(out, &partition{
			Partition: Partition{
				Topic: e.Stream.Topic, Partition: e.Partition, Position: at, Start: at - e.Counts.Offsets(), Counts: e.Counts.Map(),
			},
			key: e.Key, counts: e.Counts, seen: roaring64.New(), doubled: roaring64.New(),
		})
	}
	slices.SortFunc(out, func(a, b *partition) int { return state.CompareKeys(a.key, b.key) })
	return out, nil
}
