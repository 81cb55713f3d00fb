package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// Broker is what planning a decision asks the cluster.
type Broker interface {
	Offsets(ctx context.Context, topics ...string) (map[kafka.Partition]kafka.Ends, error)
	OffsetsAt(ctx context.Context, at time.Time, topics ...string) (map[kafka.Partition]int64, error)
	BatchEnd(ctx context.Context, t kafka.Topic, partition int32, offset int64) (int64, error)
	Recognize(ctx context.Context, list []kafka.Memory) (*kafka.Divergence, error)
}

// ControlRequest is what an operator asks for, in words of Kafka.
type ControlRequest struct {
	Verb commit.Verb
	// Topic and Partition choose; "" and negative stand for all.
	Topic     string
	Partition int32
	// To is where reading goes on: earliest, latest, an offset, a time, "topic/partition=offset,...", and to adopt
	// also stored (the same offsets) or start (as the configuration says). "" is what the situation asks for.
	To string
	// Batch passes the batch at the position, whatever is in it.
	Batch bool
	// AllowDuplicates: rows that are read again may be there twice.
	AllowDuplicates bool
	By, Reason      string
}

// ControlPlan is a decision ready to be committed, and what it does in words.
type ControlPlan struct {
	Situation *commit.Situation
	Control   commit.Control
	Moves     []PlannedMove
	Warnings  []string
}

// PlannedMove is one move in offsets; -1 stands for none.
type PlannedMove struct {
	Topic     string `json:"topic"`
	Partition string `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	// Lost offsets are never read, Again are read once more.
	Lost  int64 `json:"lost"`
	Again int64 `json:"again"`
}

func (m PlannedMove) text() string {
	where := m.Topic + "/" + m.Partition
	switch {
	case m.From < 0:
		return fmt.Sprintf("%s: begins at %d", where, m.To)
	case m.To < 0:
		return fmt.Sprintf("%s: ends at %d", where, m.From)
	case m.Lost > 0:
		return fmt.Sprintf("%s: from %d to %d, %d offsets given up", where, m.From, m.To, m.Lost)
	}
	return fmt.Sprintf("%s: from %d back to %d", where, m.From, m.To)
}

// planner makes one plan.
type planner struct {
	req   ControlRequest
	table TableOptions
	s     *commit.Situation
	// on has topics and broker.
	on   ControlTarget
	ends map[kafka.Partition]kafka.Ends
	plan *ControlPlan
}

// ControlTarget is the table that a decision is about.
type ControlTarget struct {
	Table     TableOptions
	Situation *commit.Situation
	// Topics are those the table reads as the cluster of that id knows them, and Broker leads there; resume needs none
	// of these.
	Topics  []kafka.Topic
	Cluster string
	Broker  Broker
}

// PlanControl works out what a request means in the situation that the table is in.
func PlanControl(ctx context.Context, req ControlRequest, on ControlTarget) (*ControlPlan, error) {
	s := *on.Situation
	p := &planner{req: req, table: on.Table, s: &s, on: on, plan: &ControlPlan{Situation: on.Situation}}
	p.plan.Control = commit.Control{Verb: req.Verb, Base: commit.BaseLineage, By: req.By, Reason: req.Reason}
	var err error
	if req.Verb != commit.Resume {
		if p.ends, err = on.Broker.Offsets(ctx, topicNamesOf(on.Topics)...); err != nil {
			return nil, err
		}
	}
	switch req.Verb {
	case commit.Resume:
		err = p.resume()
	case commit.Rewind:
		err = p.rewind(ctx)
	case commit.AcceptLoss:
		err = p.acceptLoss(ctx)
	case commit.Adopt:
		err = p.adopt(ctx)
	default:
		err = p.refuse("use resume, rewind, accept-loss or adopt", "there is no decision %q", req.Verb)
	}
	if err != nil {
		return nil, err
	}
	p.plan.Control.Text = p.text()
	p.plan.Control.Seen = on.Situation.Token(p.plan.Control)
	return p.plan, nil
}

func topicNamesOf(topics []kafka.Topic) []string {
	var names []string
	for _, t := range topics {
		names = append(names, t.Name)
	}
	return names
}

func (p *planner) refuse(hint, format string, args ...any) error {
	return failure.New(failure.Fatal, commit.CodeControlRefused, hint, "table %s: %s", p.s.Table, fmt.Sprintf(format, args...))
}

func (p *planner) warn(format string, args ...any) {
	p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf(format, args...))
}

// mostMoves is how many moves the text of a decision names.
const mostMoves = 8

// text says what the decision does.
func (p *planner) text() string {
	var parts []string
	if b := p.plan.Control.Base; b == commit.BaseMirror {
		parts = append(parts, "positions of the mirror")
	} else if b == commit.BaseNothing {
		parts = append(parts, "no positions taken over")
	}
	for i, m := range p.plan.Moves {
		if i == mostMoves {
			parts = append(parts, fmt.Sprintf("and %d more", len(p.plan.Moves)-i))
			break
		}
		parts = append(parts, m.text())
	}
	if len(parts) == 0 {
		return "go on with the table as it is"
	}
	return strings.Join(parts, "; ")
}

// stream is the identity of a topic's positions, as a daemon takes it.
func (p *planner) stream(t kafka.Topic) state.Stream {
	return knownAs(state.Stream{Source: p.table.Source, Cluster: p.on.Cluster, Topic: t.Name, ID: t.ID}, p.s.State)
}

// chosen says whether the request is about a partition.
func (p *planner) chosen(k state.Key) bool {
	return k.Stream.Source == p.table.Source && (p.req.Topic == "" || p.req.Topic == k.Stream.Topic) &&
		(p.req.Partition < 0 || strconv.Itoa(int(p.req.Partition)) == k.Partition)
}

// entry is a position of the table with where the topic begins and ends.
type entry struct {
	state.Entry
	id    kafka.Partition
	topic kafka.Topic
	at    int64
	ends  kafka.Ends
	// cut says that the log is not the one that was read: it was cut off, and grew again.
	cut *kafka.Divergence
}

// entries lists the chosen positions in the topics as they are now.
func (p *planner) entries() ([]entry, error) {
	var out []entry
	for _, e := range p.s.State.Entries {
		i := slices.IndexFunc(p.on.Topics, func(t kafka.Topic) bool { return p.stream(t) == e.Stream })
		if i < 0 || e.Closed || !p.chosen(e.Key) {
			continue
		}
		x, err := p.entry(e, p.on.Topics[i])
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, p.refuse("ingestd status names the partitions", "it reads no such partition (topic %q, partition %d)", p.req.Topic, p.req.Partition)
	}
	return out, nil
}

func (p *planner) entry(e state.Entry, t kafka.Topic) (entry, error) {
	at, err := kafka.DecodePosition(string(e.Position))
	if err != nil {
		return entry{}, fmt.Errorf("table %s: %w", p.s.Table, err)
	}
	n, err := strconv.ParseInt(e.Partition, 10, 32)
	if err != nil {
		return entry{}, fmt.Errorf("table %s: reading partition %q: %w", p.s.Table, e.Partition, err)
	}
	id := kafka.Partition{Topic: t.Name, Partition: int32(n)}
	return entry{Entry: e, id: id, topic: t, at: at, ends: p.ends[id]}, nil
}

// target gives the offset that the request names for each partition; ok is false for one that it does not name.
func (p *planner) target(ctx context.Context) (func(id kafka.Partition) (at int64, ok bool), error) {
	to := p.req.To
	switch {
	case to == "earliest":
		return func(id kafka.Partition) (int64, bool) { e, ok := p.ends[id]; return e.Start, ok }, nil
	case to == "latest":
		return func(id kafka.Partition) (int64, bool) { e, ok := p.ends[id]; return e.Stable, ok }, nil
	case strings.Contains(to, "="):
		return p.named(to)
	}
	if n, err := strconv.ParseInt(to, 10, 64); err == nil && n >= 0 {
		return func(kafka.Partition) (int64, bool) { return n, true }, nil
	}
	at, err := time.Parse(time.RFC3339, to)
	if err != nil {
		return nil, p.refuse("use earliest, latest, an offset, a time as 2026-01-31T12:00:00Z, or topic/partition=offset,...", "%q is no place in a topic", to)
	}
	offsets, err := p.on.Broker.OffsetsAt(ctx, at, topicNamesOf(p.on.Topics)...)
	return func(id kafka.Partition) (int64, bool) { n, ok := offsets[id]; return n, ok }, err
}

// named reads "topic/partition=offset,...".
func (p *planner) named(list string) (func(id kafka.Partition) (int64, bool), error) {
	offsets := map[kafka.Partition]int64{}
	for _, item := range strings.Split(list, ",") {
		where, offset, _ := strings.Cut(item, "=")
		i := strings.LastIndex(where, "/")
		n, err := strconv.ParseInt(offset, 10, 64)
		part, perr := strconv.ParseInt(where[i+1:], 10, 32)
		if i < 0 || err != nil || perr != nil || n < 0 {
			return nil, p.refuse("write topic/partition=offset, with commas between", "%q is no position", item)
		}
		offsets[kafka.Partition{Topic: where[:i], Partition: int32(part)}] = n
	}
	return func(id kafka.Partition) (int64, bool) { n, ok := offsets[id]; return n, ok }, nil
}

// move adds one move to the plan.
func (p *planner) move(m state.Move) {
	from, to := int64(-1), int64(-1)
	if n, err := kafka.DecodePosition(string(m.From)); m.From != "" && err == nil {
		from = n
	}
	if n, err := kafka.DecodePosition(string(m.To)); m.To != "" && err == nil {
		to = n
	}
	x := PlannedMove{Topic: m.Key.Stream.Topic, Partition: m.Key.Partition, From: from, To: to, Lost: m.Lost}
	if m.Anew {
		x.Again = from - to
	}
	p.plan.Control.Moves = append(p.plan.Control.Moves, m)
	p.plan.Moves = append(p.plan.Moves, x)
}

func position(offset int64) state.Position { return state.Position(kafka.EncodePosition(offset)) }

// sortMoves puts moves in the order of the state, so that the same decision has the same token.
func sortMoves(moves []state.Move) []state.Move {
	slices.SortFunc(moves, func(a, b state.Move) int { return cmp.Or(state.CompareKeys(a.Key, b.Key), cmp.Compare(a.To, b.To)) })
	return moves
}
