package verify

import (
	"context"
	"fmt"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table/rowread"
)

// The auditing columns by name, in the order in which rows are read.
const (
	columnPartition = "_kafka_partition"
	columnOffset    = "_kafka_offset"
	columnTopic     = "_kafka_topic"
)

// scan reads the auditing columns of all live data files into the partitions' sets.
type scan struct {
	report *Report
	ids    []int
	// byPlace finds a partition by topic and number; topic is the only one of a table without a topic column.
	byPlace map[string]map[int64]*partition
	topic   string
	// nameless are rows without a topic in a table of several, by partition: see settle.
	nameless map[int64]*roaring64.Bitmap
	again    []struct{ number, offset int64 } // those that are there more than once
	// foreign are rows without an offset: somebody else wrote them. strange are rows of partitions the books do not
	// know, or of offsets beyond their positions.
	foreign, strange int64
}

// checkRows reads every live row's place in the source: each at most once, and as many as the books say.
func checkRows(ctx context.Context, r *Report, tbl *table.Table, branch string, parts []*partition) error {
	s, err := newScan(r, tbl, parts)
	if err != nil {
		return err
	}
	fs, err := tbl.FS(ctx)
	if err != nil {
		return fmt.Errorf("opening the files of table %s: %w", r.Table, err)
	}
	if err := eachDataFile(tbl, fs, branch, func(f iceberg.DataFile) error { return s.file(ctx, fs, f.FilePath()) }); err != nil {
		return err
	}
	s.settle()
	if s.foreign > 0 {
		r.note("%d rows have no offset: another writer added them", s.foreign)
	}
	if s.strange > 0 {
		r.find(Unaccounted, nil, 0, 0, "%d rows are of offsets that the table's positions do not cover", s.strange)
	}
	for _, p := range parts {
		p.judgeRows(r)
	}
	return nil
}

func newScan(r *Report, tbl *table.Table, parts []*partition) (*scan, error) {
	s := &scan{report: r, byPlace: map[string]map[int64]*partition{}, nameless: map[int64]*roaring64.Bitmap{}}
	for _, name := range []string{columnPartition, columnOffset, columnTopic} {
		id := 0
		if f, ok := tbl.Schema().FindFieldByName(name); ok {
			id = f.ID
		} else if name != columnTopic {
			return nil, failure.New(failure.Config, "E_VERIFY_NO_AUDIT", "verify at level ledger, or write tables with audit_columns: true",
				"table %s has no column %s: its rows do not say where they came from", r.Table, name)
		}
		s.ids = append(s.ids, id)
	}
	for _, p := range parts {
		n, err := strconv.ParseInt(p.Partition.Partition, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading partition %q of topic %s: %w", p.Partition.Partition, p.Topic, err)
		}
		if s.byPlace[p.Topic] == nil {
			s.byPlace[p.Topic] = map[int64]*partition{}
		}
		if s.byPlace[p.Topic][n] != nil {
			return nil, failure.New(failure.Config, "E_VERIFY_AMBIGUOUS", "verify at level ledger",
				"table %s has rows of two topics named %s: its rows do not say of which", r.Table, p.Topic)
		}
		s.byPlace[p.Topic][n] = p
		s.topic = p.Topic
	}
	if s.ids[2] == 0 && len(s.byPlace) > 1 {
		return nil, failure.New(failure.Config, "E_VERIFY_AMBIGUOUS", "verify at level ledger",
			"table %s has rows of %d topics and no column %s", r.Table, len(s.byPlace), columnTopic)
	}
	return s, nil
}

// eachDataFile calls f for every data file of the branch's head. Delete files would make the count of rows meaningless.
func eachDataFile(tbl *table.Table, fs iceio.IO, branch string, f func(iceberg.DataFile) error) error {
	head := tbl.CurrentSnapshot()
	if branch != "" {
		head = tbl.SnapshotByName(branch)
	}
	if head == nil {
		return nil
	}
	manifests, err := head.Manifests(fs)
	if err != nil {
		return fmt.Errorf("reading the manifest list of snapshot %d: %w", head.SnapshotID, err)
	}
	for _, m := range manifests {
		if m.ManifestContent() != iceberg.ManifestContentData {
			return failure.New(failure.Config, "E_VERIFY_DELETES", "compact the table first, or verify at level ledger",
				"the table has delete files: rows cannot be counted by reading data files alone")
		}
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
			}
			if err := f(e.DataFile()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scan) file(ctx context.Context, fs iceio.IO, path string) error {
	f, err := rowread.Open(fs, path)
	if err != nil {
		return err
	}
	err = f.Read(ctx, s.ids, func(b *rowread.Batch) error {
		for i := range b.Rows {
			s.row(b, i)
		}
		return nil
	})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func (s *scan) row(b *rowread.Batch, i int) {
	number, offset, topic := b.Columns[0], b.Columns[1], b.Columns[2]
	if number.Null[i] || offset.Null[i] {
		s.foreign++
		return
	}
	switch {
	case s.ids[2] != 0 && !topic.Null[i]:
		s.place(string(topic.Bytes[i]), number.Ints[i], offset.Ints[i])
	case len(s.byPlace) == 1:
		s.place(s.topic, number.Ints[i], offset.Ints[i])
	default:
		s.hold(number.Ints[i], offset.Ints[i])
	}
}

// hold keeps a row without a topic for settle.
func (s *scan) hold(number, o int64) {
	if s.nameless[number] == nil {
		s.nameless[number] = roaring64.New()
	}
	if o < 0 || !s.nameless[number].CheckedAdd(uint64(o)) {
		s.again = append(s.again, struct{ number, offset int64 }{number, o})
	}
}

// place notes a row of a topic.
func (s *scan) place(topic string, number, o int64) {
	p := s.byPlace[topic][number]
	switch {
	case p != nil && o >= p.Start && o < p.Position:
		if !p.seen.CheckedAdd(uint64(o)) {
			p.repeated(o)
		}
	case p != nil && p.strays(o):
		p.strayed++
	default:
		s.strange++
	}
}

// settle gives rows without a topic to the topic the table had alone before it got another: the one whose rows fall
// short of the books most. If that is not so, the table has a fault anyhow.
func (s *scan) settle() {
	if len(s.nameless) == 0 {
		return
	}
	topic, most := "", int64(-1)
	for name, list := range s.byPlace {
		var short int64
		for _, p := range list {
			short += p.counts[outcome.Written] - int64(p.seen.GetCardinality())
		}
		if short > most || short == most && name < topic {
			topic, most = name, short
		}
	}
	for number, offsets := range s.nameless {
		for it := offsets.Iterator(); it.HasNext(); {
			s.place(topic, number, int64(it.Next()))
		}
	}
	for _, row := range s.again {
		s.place(topic, row.number, row.offset)
	}
}

// judgeRows holds what was found of a partition against the books.
func (p *partition) judgeRows(r *Report) {
	p.seen.RunOptimize()
	p.Rows = int64(p.seen.GetCardinality())
	p.judgeDecided(r)
	eachRange(p.doubled, func(from, to uint64) {
		r.find(Doubled, p, from, to, "%s/%s: offsets %d to %d are in the table more than once", p.Topic, p.Partition.Partition, from, to-1)
	})
	if want := p.counts[outcome.Written]; p.Rows != want && !p.decided() {
		r.find(Unaccounted, p, uint64(p.Start), uint64(p.Position), "%s/%s: the books say %d rows, the table has %d distinct offsets",
			p.Topic, p.Partition.Partition, want, p.Rows)
	}
}
