package checker

import (
	"fmt"
	"io"
	"slices"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// stateKey is the key of the positions in a snapshot's summary, as docs/FORMATS.md has it.
const stateKey = "ingestd.state"

// controlKey marks a snapshot by which an operator moved positions, back or over what is lost.
const controlKey = "ingestd.control"

// Table is what to look at.
type Table struct {
	// Metadata is where the metadata file is, Files how to read it and everything it leads to.
	Metadata string
	Files    iceio.IO
	// Topic is the topic of tables that have only one and so no column that says so.
	Topic string
}

// Expected is what the topics of a table held and hold.
type Expected struct {
	// May are all records that were ever committed, by id; a row that is none of them was made up.
	May map[int64]Record
	// Must are the ids that have to be there.
	Must map[int64]bool
}

// Report is what was found.
type Report struct {
	// Findings are what is wrong, in words; none means that the table is as it has to be.
	Findings []string
	Rows     int
	Files    int
	// Head are the positions of the newest snapshot that has some, nil without one.
	Head *Positions
}

func (r *Report) find(format string, args ...any) {
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

// Check reads the whole table and holds it against what is expected.
func Check(t Table, e Expected) (*Report, error) {
	meta, err := readMetadata(t)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	lineage := r.lineage(meta)
	r.history(t, meta)
	if len(lineage) > 0 {
		r.rows(t, lineage[0], e)
	}
	return r, nil
}

// Head reads only the newest positions and the number of rows the head claims.
func Head(t Table) (*Positions, error) {
	meta, err := readMetadata(t)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	r.lineage(meta)
	return r.Head, nil
}

func readMetadata(t Table) (table.Metadata, error) {
	f, err := t.Files.Open(t.Metadata)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return table.ParseMetadataBytes(b)
}

// lineage walks from the head to the oldest ancestor that is left: sequence numbers and times fall, positions never
// rise on the way down, and counters explain each step.
func (r *Report) lineage(meta table.Metadata) (out []*table.Snapshot) {
	var younger *table.Snapshot
	var above *Positions
	decided := false
	for s := meta.CurrentSnapshot(); s != nil; {
		out = append(out, s)
		if younger != nil && younger.SequenceNumber <= s.SequenceNumber {
			r.find("snapshot %d has sequence number %d, its parent %d has %d", younger.SnapshotID, younger.SequenceNumber, s.SnapshotID, s.SequenceNumber)
		}
		if s.SequenceNumber > meta.LastSequenceNumber() {
			r.find("snapshot %d has sequence number %d, the table only knows %d", s.SnapshotID, s.SequenceNumber, meta.LastSequenceNumber())
		}
		below := r.positions(s)
		if below != nil {
			if r.Head == nil {
				r.Head = below
			}
			if above != nil && !decided {
				r.step(s, above, below)
			}
			above = below
			decided = s.Summary.Properties[controlKey] != ""
		}
		younger = s
		if s.ParentSnapshotID == nil {
			return out
		}
		s = meta.SnapshotByID(*s.ParentSnapshotID)
	}
	return out
}

func (r *Report) positions(s *table.Snapshot) *Positions {
	if s.Summary == nil || s.Summary.Properties[stateKey] == "" {
		return nil
	}
	p, err := ParsePositions(s.Summary.Properties[stateKey])
	if err != nil {
		r.find("snapshot %d: %v", s.SnapshotID, err)
	}
	return p
}

// step compares the positions of a snapshot with those of the next one above that has some.
func (r *Report) step(s *table.Snapshot, above, below *Positions) {
	for place, from := range below.Offsets {
		to, ok := above.Offsets[place]
		if !ok {
			r.find("%s/%d is forgotten after snapshot %d", place.Topic, place.Partition, s.SnapshotID)
			continue
		}
		a, b := above.Totals[place], below.Totals[place]
		if to < from {
			r.find("%s/%d goes back from %d to %d after snapshot %d", place.Topic, place.Partition, from, to, s.SnapshotID)
			continue
		}
		counted := a.Written + a.Control + a.Unseen + a.Others - b.Written - b.Control - b.Unseen - b.Others
		if counted != to-from {
			r.find("%s/%d moves from %d to %d after snapshot %d and counts %d", place.Topic, place.Partition, from, to, s.SnapshotID, counted)
		}
	}
}

// history opens everything that any retained snapshot needs.
func (r *Report) history(t Table, meta table.Metadata) {
	seen := map[string]bool{}
	for _, s := range meta.Snapshots() {
		manifests, err := s.Manifests(t.Files)
		if err != nil {
			r.find("snapshot %d: %v", s.SnapshotID, err)
			continue
		}
		for _, m := range manifests {
			if seen[m.FilePath()] {
				continue
			}
			seen[m.FilePath()] = true
			f, err := t.Files.Open(m.FilePath())
			if err != nil {
				r.find("manifest of snapshot %d: %v", s.SnapshotID, err)
				continue
			}
			_ = f.Close()
		}
	}
}

// rows reads all data files of the head.
func (r *Report) rows(t Table, head *table.Snapshot, e Expected) {
	manifests, err := head.Manifests(t.Files)
	if err != nil {
		return // history has said so
	}
	paths := map[string]bool{}
	found := map[int64]int{}
	for _, m := range manifests {
		if m.ManifestContent() != iceberg.ManifestContentData {
			r.find("manifest %s holds deletes", m.FilePath())
			continue
		}
		for entry, err := range m.Entries(t.Files, true) {
			if err != nil {
				r.find("manifest %s: %v", m.FilePath(), err)
				break
			}
			f := entry.DataFile()
			if paths[f.FilePath()] {
				r.find("file %s is in the table twice", f.FilePath())
			}
			paths[f.FilePath()] = true
			if entry.SequenceNum() > head.SequenceNumber {
				r.find("file %s has sequence number %d, its snapshot %d", f.FilePath(), entry.SequenceNum(), head.SequenceNumber)
			}
			r.file(t, f, e, found)
		}
	}
	r.Files = len(paths)
	r.missing(e, found)
}

func (r *Report) file(t Table, f iceberg.DataFile, e Expected, found map[int64]int) {
	rows, size, err := readFile(t.Files, f.FilePath(), t.Topic)
	if err != nil {
		r.find("live file: %v", err)
		return
	}
	if size != f.FileSizeBytes() || int64(len(rows)) != f.Count() {
		r.find("file %s has %d rows in %d bytes, its manifest says %d in %d", f.FilePath(), len(rows), size, f.Count(), f.FileSizeBytes())
	}
	r.Rows += len(rows)
	for _, row := range rows {
		want, ok := e.May[row.ID]
		switch {
		case !ok:
			r.find("row %+v was never committed to the topic", row)
		case want != row:
			r.find("row %+v should be %+v", row, want)
		}
		if found[row.ID]++; found[row.ID] == 2 {
			r.find("row %+v is there twice", row)
		}
	}
}

func (r *Report) missing(e Expected, found map[int64]int) {
	var lost []int64
	for id := range e.Must {
		if found[id] == 0 {
			lost = append(lost, id)
		}
	}
	slices.Sort(lost)
	for i, id := range lost {
		if i == 10 {
			r.find("%d records are lost in all", len(lost))
			break
		}
		r.find("record %+v is lost", e.May[id])
	}
}
