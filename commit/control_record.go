package commit

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

// ControlKey is the summary key of a snapshot that carries out an operator's decision.
const ControlKey = "ingestd.control"

// controlVersion is the format of Record and of the list of records.
const controlVersion = 1

// The bounds of the list of records in the table's properties. The newest one is always kept.
const (
	maxRecords     = 64
	maxRecordBytes = 64 << 10
)

// ControlListKey is the property that keeps the latest records of a pipeline in a branch.
func ControlListKey(pipeline, branch string) string {
	return ControlKey + "." + strings.TrimPrefix(state.MirrorKey(pipeline, branch), state.MirrorPrefix)
}

// Record is an operator's decision as it stands in the table: who decided what, when and why.
type Record struct {
	Version int `json:"version"`
	// ID is the commit id of the snapshot that carried it out.
	ID     string    `json:"id"`
	Verb   Verb      `json:"verb"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	// Text says in words what was decided.
	Text string `json:"text,omitempty"`
	// Code is the halt that it resolved, "" when the table's history was in order.
	Code string `json:"code,omitempty"`
	// Head is the snapshot on which it was decided, 0 for none.
	Head int64 `json:"head,string"`
	// Sequence is the sequence number of its snapshot, Carrier that of the snapshot whose state it started from, 0 for
	// none: a rollback takes back the decisions between the two.
	Sequence int64 `json:"sequence"`
	Carrier  int64 `json:"carrier,omitempty"`
	Base     Base  `json:"base"`
	// Fresh: the counters of the base were not taken over.
	Fresh   bool           `json:"fresh,omitempty"`
	Streams []RecordStream `json:"streams,omitempty"`
}

// RecordStream are the moves in one stream.
type RecordStream struct {
	Source  string       `json:"source"`
	Cluster string       `json:"cluster"`
	Topic   string       `json:"topic"`
	ID      string       `json:"id,omitempty"`
	Moves   []RecordMove `json:"moves"`
}

// RecordMove is one move; positions are in hexadecimal, since only their source can read them.
type RecordMove struct {
	Partition string `json:"partition"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Lost      int64  `json:"lost,omitempty"`
	Anew      bool   `json:"anew,omitempty"`
	// Counted is what the partition had counted when its books were closed, by outcome.
	Counted map[string]int64 `json:"counted,omitempty"`
}

// recordList is the property.
type recordList struct {
	Version int `json:"version"`
	// Forgotten is the number of older records that are no longer kept.
	Forgotten int      `json:"forgotten,omitempty"`
	Records   []Record `json:"records"`
}

// add puts a record behind the others and drops the oldest beyond the bounds.
func (l *recordList) add(r Record) (string, error) {
	l.Version = controlVersion
	l.Records = append(l.Records, r)
	for {
		text, err := json.Marshal(l)
		if err != nil {
			return "", fmt.Errorf("writing the list of control records: %w", err)
		}
		if len(l.Records) == 1 || len(l.Records) <= maxRecords && len(text) <= maxRecordBytes {
			return string(text), nil
		}
		l.Records = l.Records[1:]
		l.Forgotten++
	}
}

// records reads the list of a pipeline's latest control records, oldest first.
func (s *Spec) records(meta table.Metadata) (recordList, error) {
	var l recordList
	text, ok := meta.Properties()[ControlListKey(s.Pipeline, s.Branch)]
	if !ok {
		return l, nil
	}
	err := json.Unmarshal([]byte(text), &l)
	if err == nil && l.Version != controlVersion {
		return l, failure.New(failure.Halt, CodeStateVersion, "use the newer release of ingestd that wrote it",
			"table %s: its control records have version %d", s.name(), l.Version)
	}
	if err != nil {
		return l, failure.Wrap(err, failure.Halt, CodeStateUnreadable, "it was changed by hand; remove the property, the records are an audit only",
			"table %s: reading property %s", s.name(), ControlListKey(s.Pipeline, s.Branch))
	}
	return l, nil
}

// recordOf reads the control record of a snapshot, nil for none.
func recordOf(sn *table.Snapshot) (*Record, error) {
	if sn.Summary == nil || sn.Summary.Properties[ControlKey] == "" {
		return nil, nil
	}
	r := &Record{}
	if err := json.Unmarshal([]byte(sn.Summary.Properties[ControlKey]), r); err != nil {
		return nil, fmt.Errorf("reading the control record: %w", err)
	}
	return r, nil
}

// record writes a decision down. base is the state it starts from.
func (c *Control) record(base *state.State) []RecordStream {
	var out []RecordStream
	var last state.Stream
	for _, m := range c.Moves {
		if len(out) == 0 || m.Key.Stream != last {
			last = m.Key.Stream
			s := RecordStream{Source: last.Source, Cluster: last.Cluster, Topic: last.Topic}
			if last.ID != ([16]byte{}) {
				s.ID = hex.EncodeToString(last.ID[:])
			}
			out = append(out, s)
		}
		r := RecordMove{Partition: m.Key.Partition, From: hex.EncodeToString([]byte(m.From)), To: hex.EncodeToString([]byte(m.To)), Lost: m.Lost, Anew: m.Anew}
		if e, ok := base.Find(m.Key); ok && m.Leaves() {
			r.Counted = e.Counts.Map()
		}
		s := &out[len(out)-1]
		s.Moves = append(s.Moves, r)
	}
	return out
}

// Moves reads the moves of a record.
func (r *Record) Moves() ([]state.Move, error) {
	var out []state.Move
	for _, s := range r.Streams {
		stream := state.Stream{Source: s.Source, Cluster: s.Cluster, Topic: s.Topic}
		if id, err := hex.DecodeString(s.ID); err == nil && len(id) == len(stream.ID) {
			stream.ID = [16]byte(id)
		} else if s.ID != "" {
			return nil, fmt.Errorf("reading a control record: %q is no id of a stream", s.ID)
		}
		for _, m := range s.Moves {
			from, err := hex.DecodeString(m.From)
			if err != nil {
				return nil, fmt.Errorf("reading a control record: %w", err)
			}
			to, err := hex.DecodeString(m.To)
			if err != nil {
				return nil, fmt.Errorf("reading a control record: %w", err)
			}
			out = append(out, state.Move{Key: state.Key{Stream: stream, Partition: m.Partition},
				From: state.Position(from), To: state.Position(to), Lost: m.Lost, Anew: m.Anew})
		}
	}
	return out, nil
}

// Counts is what the partition had counted when its books were closed.
func (m *RecordMove) Counts() (c outcome.Counts) {
	for _, o := range outcome.All() {
		c[o] = m.Counted[o.String()]
	}
	return c
}
