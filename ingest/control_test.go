package ingest

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync/atomic"
	"testing"
	"time"

	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

func (w *world) spec(table TableOptions) commit.Spec {
	return commit.Spec{Identifier: table.Identifier, Pipeline: "test", Branch: table.Branch}
}

// plan is an operator who looks at the table and says what is to be done: the dry run.
func (w *world) plan(table TableOptions, req ControlRequest) (*ControlPlan, error) {
	w.t.Helper()
	req.By, req.Reason = "somebody", "a test"
	on, done := w.target(table)
	defer done()
	return PlanControl(w.t.Context(), req, on)
}

// target is what a decision about a table is made from.
func (w *world) target(table TableOptions) (on ControlTarget, done func()) {
	w.t.Helper()
	s, err := commit.Examine(w.t.Context(), w.catalog, w.spec(table), commit.Env{})
	require.NoError(w.t, err)
	client, err := kafka.Connect(w.t.Context(), kafka.Options{Brokers: w.cluster.ListenAddrs()})
	require.NoError(w.t, err)
	topics, err := client.Topics(w.t.Context(), table.Topics...)
	require.NoError(w.t, err)
	return ControlTarget{Table: table, Situation: s, Topics: topics, Cluster: client.Cluster(), Broker: client}, client.Close
}

// decide plans and carries out.
func (w *world) decide(table TableOptions, req ControlRequest) *commit.Decision {
	w.t.Helper()
	p, err := w.plan(table, req)
	require.NoError(w.t, err)
	d, err := commit.Decide(w.t.Context(), w.catalog, w.spec(table), commit.Env{}, p.Control)
	require.NoError(w.t, err)
	return d
}

func (r *recorder) obeyed(table string, verb commit.Verb) {
	r.t.Helper()
	r.await(table+" obeys "+string(verb), func(e event.Event) bool {
		c, ok := e.(event.ControlObeyed)
		return ok && c.Table == "db."+table && c.Verb == string(verb)
	})
}

func (o Options) recorder() *recorder { return o.Events.(*recorder) }

// attentive looks at halted tables often.
func (w *world) attentive(tables ...TableOptions) Options {
	o := w.options(tables...)
	o.Recheck, o.Discovery = 20*time.Millisecond, 50*time.Millisecond
	return o
}

// rollback sets the branch back by one snapshot, as another engine does.
func (w *world) rollback(name string) {
	w.t.Helper()
	tbl := w.load(name)
	parent := tbl.CurrentSnapshot().ParentSnapshotID
	require.NotNil(w.t, parent)
	_, _, err := w.catalog.CommitTable(w.t.Context(), tbl.Identifier(), nil, []icetable.Update{
		icetable.NewSetSnapshotRefUpdate(icetable.MainBranch, *parent, icetable.BranchRef, -1, -1, -1),
	})
	require.NoError(w.t, err)
}

func (w *world) awaitRows(name, topic string, want []string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return slices.Equal(want, w.rows(name, topic)) }, 20*time.Second, 20*time.Millisecond, "rows of %s", name)
}

// doubled lists the oracle's rows of partition 0, those from an offset on twice.
func (w *world) doubled(topic string, from, to int64) []string {
	out := w.expected(topic)
	for at := from; at < to; at++ {
		out = append(out, row(topic, 0, at, at))
	}
	sort.Strings(out)
	return out
}

// A rollback halts the table of a running daemon. Resumed, the daemon goes on by itself and reads again what the
// rollback took away; without the decision it does not.
func TestRolledBackTableIsResumed(t *testing.T) {
	w := newWorld(t, 2, "a")
	w.produce("a", 0, 10)
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	p, wait := w.start(o)
	o.recorder().landed("t", 10)
	w.produce("a", 1, 7)
	o.recorder().landed("t", 17)
	w.rollback("t")
	w.produce("a", 0, 5)
	o.recorder().failed("t", commit.CodeRolledBack)
	require.Contains(t, p.Status()[0].Hint, "ingestd tables resume db.t")
	plan, err := w.plan(table, ControlRequest{Verb: commit.Resume, Partition: -1})
	require.NoError(t, err)
	require.NotEmpty(t, plan.Warnings, "it says what is read again")
	require.Equal(t, event.Failed, p.Status()[0].State, "looking changes nothing")
	w.decide(table, ControlRequest{Verb: commit.Resume, Partition: -1})
	o.recorder().obeyed("t", commit.Resume)
	w.awaitRows("t", "a", w.expected("a"))
	require.Equal(t, event.Running, p.Status()[0].State)
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// A table halts while a schema is on its way. Resumed, it asks for the schema again: that nobody wanted it any more
// was no answer.
func TestHaltedTableForgetsItsSchemaRequest(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	v1 := r.schema("a-value", "name")
	table := w.avroTable("t", "a")
	o := w.avroOptions(r, table)
	o.Recheck, o.Discovery = 20*time.Millisecond, 50*time.Millisecond
	rec := o.recorder()
	p, wait := w.start(o)
	w.produceAvro("a", 0, v1, 5, "n")
	rec.landed("t", 5)
	w.produceAvro("a", 0, v1, 5, "n")
	rec.landed("t", 10)
	r.down.Store(true)
	w.produceAvro("a", 0, r.schema("a-value", "name", "city"), 5, "n", "c")
	rec.degraded("t")
	w.rollback("t")
	rec.failed("t", commit.CodeRolledBack)
	requests := p.byName["db.t"].schemas
	require.Eventually(t, func() bool {
		requests.mu.Lock()
		defer requests.mu.Unlock()
		return len(requests.waiting) == 0
	}, 20*time.Second, time.Millisecond)
	r.down.Store(false)
	w.decide(table, ControlRequest{Verb: commit.Resume, Partition: -1})
	rec.obeyed("t", commit.Resume)
	w.awaitRows("t", "a", w.expected("a"))
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// A schema arrives between an operator's decision and the new start of the table: nobody wants it then, and the table asks
// for it when it reads again.
func TestSchemaArrivesBeforeTheNewStart(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	table := w.avroTable("t", "a")
	o := w.avroOptions(r, table)
	o.Recheck, o.Discovery = 20*time.Millisecond, time.Hour // nothing else is asked of the owner
	rec := o.recorder()
	var p *Pipeline
	var arrived atomic.Bool
	o.Events = event.Func(func(e event.Event) {
		if _, ok := e.(event.ControlObeyed); ok {
			// This is the owner's goroutine: what it is asked to do now is done next.
			owner := p.byName["db.t"]
			before := owner.pending()
			r.down.Store(false)
			arrived.Store(assert.Eventually(t, func() bool { return owner.pending() > before }, 20*time.Second, time.Millisecond))
		}
		rec.Emit(e)
	})
	p, wait := w.start(o)
	w.produceAvro("a", 0, r.schema("a-value", "name"), 5, "n")
	rec.landed("t", 5)
	r.down.Store(true)
	w.produceAvro("a", 0, r.schema("a-value", "name", "city"), 5, "n", "c")
	rec.degraded("t")
	w.decide(table, ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: 0, To: "0", AllowDuplicates: true})
	rec.obeyed("t", commit.Rewind)
	require.True(t, arrived.Load())
	w.awaitRows("t", "a", w.doubled("a", 0, 5))
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// pending is how many orders wait.
func (o *owner) pending() int {
	o.orders.Lock()
	defer o.orders.Unlock()
	return len(o.orders.list)
}

// A halted table is rolled back once more: what it stands still for is another matter now, and it says so. The clock was
// set back meanwhile, which keeps it from looking no longer than always.
func TestHaltIsToldAnewWhenItsReasonChanges(t *testing.T) {
	w := newWorld(t, 1, "a")
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	var back atomic.Bool
	o.Now = func() time.Time {
		if back.Load() {
			return time.Now().Add(-time.Hour)
		}
		return time.Now()
	}
	rec := o.recorder()
	p, wait := w.start(o)
	for _, rows := range []int64{5, 10, 15} {
		w.produce("a", 0, 5)
		rec.landed("t", rows)
	}
	w.rollback("t")
	rec.failed("t", commit.CodeRolledBack)
	back.Store(true)
	w.rollback("t")
	require.Eventually(t, func() bool { return len(rec.halts("t")) == 2 }, 20*time.Second, 5*time.Millisecond)
	halts := rec.halts("t")
	require.Equal(t, commit.CodeRolledBack, halts[1].Code)
	require.NotEqual(t, halts[0].Reason, halts[1].Reason)
	require.Equal(t, event.Failed, halts[1].From)
	require.Contains(t, halts[1].Hint, "ingestd tables resume db.t")
	require.Equal(t, halts[1].Reason, p.Status()[0].Reason)
	w.decide(table, ControlRequest{Verb: commit.Resume, Partition: -1})
	rec.obeyed("t", commit.Resume)
	w.awaitRows("t", "a", w.expected("a"))
	require.Len(t, rec.halts("t"), 2, "once for each reason")
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// The rollback of a table with nothing to commit is seen as well.
func TestRollbackOfAnIdleTableIsSeen(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	o := w.attentive(w.jsonTable("t", "a"))
	_, _ = w.start(o)
	o.recorder().landed("t", 10)
	w.rollback("t")
	o.recorder().failed("t", commit.CodeRolledBack)
}

func (w *world) expire(topic string, before int64) {
	w.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, before, -1)
	_, err := w.admin().DeleteRecords(w.t.Context(), offsets)
	require.NoError(w.t, err)
	for key := range w.produced {
		for at := range before {
			if key == row(topic, 0, at, at) {
				delete(w.produced, key)
			}
		}
	}
}

// Offsets that retention removed are given up: without a daemon, and under one that has halted.
func TestExpiredOffsetsAreAccepted(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	have := w.expected("a")
	w.produce("a", 0, 10)
	w.expire("a", 12)
	left := w.expected("a")
	_, err := w.plan(table, ControlRequest{Verb: commit.AcceptLoss, Partition: 3})
	require.Equal(t, commit.CodeControlRefused, failure.CodeOf(err))
	o := w.attentive(table)
	p, wait := w.start(o)
	o.recorder().failed("t", codeExpired)
	d := w.decide(table, ControlRequest{Verb: commit.AcceptLoss, Partition: -1})
	require.EqualValues(t, 7, d.Record.Streams[0].Moves[0].Lost)
	o.recorder().obeyed("t", commit.AcceptLoss)
	want := slices.Concat(have, left)
	sort.Strings(want)
	w.awaitRows("t", "a", want)
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

func (w *world) recreate(topic string) {
	w.t.Helper()
	_, err := w.admin().DeleteTopics(w.t.Context(), topic)
	require.NoError(w.t, err)
	_, err = w.admin().CreateTopics(w.t.Context(), 1, 1, nil, topic)
	require.NoError(w.t, err)
	clear(w.next)
}

// A topic that was deleted and created again is taken over from its beginning; what was read before stays.
func TestRecreatedTopicIsAdopted(t *testing.T) {
	for name, running := range map[string]bool{"with no daemon": false, "with a running one": true, "with one in a group": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, "a")
			w.produce("a", 0, 5)
			table := w.jsonTable("t", "a")
			o := w.attentive(table)
			if name == "with one in a group" {
				o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
			}
			if !running {
				require.NoError(t, w.catchUp(w.options(table)))
			} else {
				_, _ = w.start(o)
				o.recorder().landed("t", 5)
			}
			old := w.expected("a")
			w.recreate("a")
			if running {
				o.recorder().failed("t", "E_TOPIC_RECREATED")
			}
			w.produce("a", 0, 3)
			w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1})
			want := slices.Concat(old, []string{row("a", 0, 0, 0), row("a", 0, 1, 1), row("a", 0, 2, 2)})
			sort.Strings(want)
			if running {
				o.recorder().obeyed("t", commit.Adopt)
			} else {
				require.NoError(t, w.catchUp(w.options(table)))
			}
			w.awaitRows("t", "a", want)
			w.proven("t")
		})
	}
}

// What the cluster had answered before a topic was created again is not held against a table that was told to adopt the
// new one.
func TestOldAnswerAboutATopicIsOutdated(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	p, _ := w.start(o)
	o.recorder().landed("t", 5)
	tab, feed := p.byName["db.t"], p.feeds[0]
	ask := func() (list []kafka.Topic) {
		list, err := feed.client.Topics(t.Context(), "a")
		require.NoError(t, err)
		return list
	}
	before := ask()
	old := w.expected("a")
	w.recreate("a")
	o.recorder().failed("t", "E_TOPIC_RECREATED")
	w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1})
	o.recorder().obeyed("t", commit.Adopt)
	w.produce("a", 0, 3)
	o.recorder().landed("t", 8)
	feed.checkTopics(found{owner: tab, topics: before})
	done := make(chan struct{})
	tab.do(func(ctx context.Context) {
		stale := &partition{id: kafka.Partition{Topic: "a"}, topic: before[0], lane: tab.source.lanes[0], readers: map[*owner]bool{}}
		tab.assign(ctx, []*partition{stale})
		close(done)
	})
	<-done
	require.NotEqual(t, event.Failed, p.Status()[0].State)
	w.produce("a", 0, 2)
	want := old
	for at := range int64(5) {
		want = append(want, row("a", 0, at, at))
	}
	sort.Strings(want)
	w.awaitRows("t", "a", want)
	require.Equal(t, event.Running, p.Status()[0].State)
}

// A topic without an id that was created again is taken over by the command that the halt names, whether the new topic
// is longer than what was read or not; without a place to begin at, adopt cannot see that it is another one.
func TestTopicWithoutIDIsAdopted(t *testing.T) {
	for name, n := range map[string]int{"longer": 12, "shorter": 3} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, "unused")
			w.otherCluster(1, "a", oldBrokers())
			w.produce("a", 0, 5)
			table := w.jsonTable("t", "a")
			require.NoError(t, w.catchUp(w.options(table)))
			have := w.expected("a")
			w.again("a", 1)
			w.produceEach("a", 0, n, func(at int64) *kgo.Record {
				return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"name":"new"}`, at)}
			})
			const command = "ingestd tables adopt db.t --from earliest"
			require.Contains(t, failure.HintOf(w.catchUp(w.options(table))), command)
			on, done := w.target(table)
			defer done()
			require.Contains(t, failure.HintOf(Diagnose(t.Context(), on)), command)
			_, err := w.plan(table, ControlRequest{Verb: commit.Adopt, Partition: -1})
			require.Equal(t, commit.CodeControlRefused, failure.CodeOf(err))
			w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1, To: "earliest"})
			require.NoError(t, w.catchUp(w.options(table)))
			require.Len(t, w.rows("t", "a"), len(have)+n)
			w.proven("t")
		})
	}
}

// A running daemon is set back, whether it has something to commit or not. Rows are there twice, as the operator was
// told.
func TestRewindUnderARunningDaemon(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 20)
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	p, wait := w.start(o)
	o.recorder().landed("t", 20)
	req := ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: 0, To: "15"}
	_, err := w.plan(table, req)
	require.ErrorContains(t, err, "twice")
	require.Contains(t, failure.HintOf(err), "--allow-duplicates")
	req.AllowDuplicates = true
	w.decide(table, req)
	o.recorder().obeyed("t", commit.Rewind)
	w.awaitRows("t", "a", w.doubled("a", 15, 20))
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// Decisions meet a daemon under load: none of its commits lands across one.
func TestRewindRacesWithCommits(t *testing.T) {
	w := newWorld(t, 1, "a")
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	o.Trigger.Interval = time.Millisecond
	w.produce("a", 0, 100)
	p, wait := w.start(o)
	o.recorder().landed("t", 100)
	again := 0
	var want []string
	for i := range 5 {
		w.produce("a", 0, 50)
		for {
			plan, err := w.plan(table, ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: 0, To: "90", AllowDuplicates: true})
			if failure.CodeOf(err) == commit.CodeControlRefused {
				continue // the daemon is not past it yet
			}
			require.NoError(t, err)
			if _, err = commit.Decide(t.Context(), w.catalog, w.spec(table), commit.Env{}, plan.Control); err == nil {
				for at := plan.Moves[0].To; at < plan.Moves[0].From; at++ {
					want = append(want, row("a", 0, at, at))
				}
				break
			}
			require.Equal(t, commit.CodeControlStale, failure.CodeOf(err), "%v", err)
			again++
		}
		_ = i
	}
	want = append(want, w.expected("a")...)
	sort.Strings(want)
	w.awaitRows("t", "a", want)
	p.Drain()
	require.NoError(t, wait())
	t.Logf("%d decisions met a commit", again)
	w.proven("t")
}

// What was decided about another situation is refused.
func TestStaleDecisionIsRefused(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 20)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	p, err := w.plan(table, ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: -1, To: "earliest", AllowDuplicates: true})
	require.NoError(t, err)
	w.produce("a", 0, 5)
	require.NoError(t, w.catchUp(w.options(table)))
	_, err = commit.Decide(t.Context(), w.catalog, w.spec(table), commit.Env{}, p.Control)
	require.Equal(t, commit.CodeControlStale, failure.CodeOf(err))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// Two processes of a group halt; one decision starts both.
func TestTwoDaemonsObey(t *testing.T) {
	w := newWorld(t, 4, "a")
	for p := range int32(4) {
		w.produce("a", p, 10)
	}
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	for p := range int32(4) {
		w.produce("a", p, 1)
	}
	grouped := func() Options {
		o := w.attentive(table)
		o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
		return o
	}
	one, two := grouped(), grouped()
	two.Writer += "b"
	p1, wait1 := w.start(one)
	p2, wait2 := w.start(two)
	w.awaitRows("t", "a", w.expected("a"))
	w.rollback("t")
	for p := range int32(4) {
		w.produce("a", p, 10)
	}
	one.recorder().failed("t", commit.CodeRolledBack)
	two.recorder().failed("t", commit.CodeRolledBack)
	w.decide(table, ControlRequest{Verb: commit.Resume, Partition: -1})
	one.recorder().obeyed("t", commit.Resume)
	two.recorder().obeyed("t", commit.Resume)
	w.awaitRows("t", "a", w.expected("a"))
	p1.Drain()
	p2.Drain()
	require.NoError(t, wait1())
	require.NoError(t, wait2())
	w.proven("t")
}

// A table that was dropped and created again is not filled before somebody says where to begin.
func TestRecreatedTableIsAdopted(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	p, wait := w.start(o)
	o.recorder().landed("t", 10)
	old := w.load("t")
	require.NoError(t, w.catalog.DropTable(t.Context(), table.Identifier))
	_, err := w.catalog.CreateTable(t.Context(), table.Identifier, old.Schema())
	require.NoError(t, err)
	o.recorder().failed("t", commit.CodeRecreated)
	require.Contains(t, p.Status()[0].Hint, "ingestd tables adopt db.t")
	w.produce("a", 0, 5)
	_, err = w.plan(table, ControlRequest{Verb: commit.Adopt, Partition: -1})
	require.Equal(t, commit.CodeControlRefused, failure.CodeOf(err), "%v", err)
	w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1, To: "a/0=8"})
	var want []string
	for at := int64(8); at < 15; at++ {
		want = append(want, row("a", 0, at, at))
	}
	sort.Strings(want)
	w.awaitRows("t", "a", want)
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// A table that was dropped is taken up again when it is restored, but not when another one has its name: that one
// takes a decision.
func TestDroppedTableWaitsForADecision(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	p, wait := w.start(o)
	o.recorder().landed("t", 10)
	old := w.load("t")
	require.NoError(t, w.catalog.DropTable(t.Context(), table.Identifier))
	w.produce("a", 0, 5)
	o.recorder().failed("t", commit.CodeDropped)
	_, err := w.catalog.CreateTable(t.Context(), table.Identifier, old.Schema())
	require.NoError(t, err)
	require.Never(t, func() bool { return p.Status()[0].State != event.Failed }, 300*time.Millisecond, 10*time.Millisecond)
	w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1, To: "start"})
	w.awaitRows("t", "a", w.expected("a"))
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// That an idle table was dropped is noticed as well.
func TestDropOfAnIdleTableIsSeen(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	table := w.jsonTable("t", "a")
	o := w.attentive(table)
	_, _ = w.start(o)
	o.recorder().landed("t", 10)
	require.NoError(t, w.catalog.DropTable(t.Context(), table.Identifier))
	o.recorder().failed("t", commit.CodeDropped)
}

// Positions can be named by time.
func TestRewindToATime(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	p, err := w.plan(table, ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: -1, To: "2020-01-01T00:00:00Z", AllowDuplicates: true})
	require.NoError(t, err)
	require.Equal(t, []PlannedMove{{Topic: "a", Partition: "0", From: 5, To: 0, Again: 5}}, p.Moves)
	_, err = w.plan(table, ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: -1, To: "yesterday"})
	require.ErrorContains(t, err, "no place in a topic")
}

// A log that lost its end, and one that was cut off and grew again, go on with what the broker has.
func TestTruncatedLogIsAccepted(t *testing.T) {
	for name, grown := range map[string]int{"shorter": 3, "grown again": 8} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, "a")
			w.produce("a", 0, 5)
			table := w.jsonTable("t", "a")
			require.NoError(t, w.catchUp(w.options(table)))
			// The broker comes back with another log under the same name.
			s, err := commit.Examine(t.Context(), w.catalog, w.spec(table), commit.Env{})
			require.NoError(t, err)
			b := &cutBroker{ends: kafka.Ends{High: int64(grown), Stable: int64(grown)}, epochEnd: 3}
			e := s.State.Entries[0]
			on := ControlTarget{Table: table, Situation: s, Cluster: e.Stream.Cluster, Broker: b, Topics: []kafka.Topic{{Name: "a", ID: e.Stream.ID, Partitions: 1}}}
			require.Equal(t, codeTruncated, failure.CodeOf(Diagnose(t.Context(), on)))
			p, err := PlanControl(t.Context(), ControlRequest{Verb: commit.AcceptLoss, Partition: -1}, on)
			require.NoError(t, err)
			require.Equal(t, []PlannedMove{{Topic: "a", Partition: "0", From: 5, To: 3, Again: 2}}, p.Moves)
			_, err = commit.Decide(t.Context(), w.catalog, w.spec(table), commit.Env{}, p.Control)
			require.NoError(t, err)
		})
	}
}

// cutBroker knows one partition, whose log is not the one that was read.
type cutBroker struct {
	Broker
	ends     kafka.Ends
	epochEnd int64
}

func (b *cutBroker) Offsets(context.Context, ...string) (map[kafka.Partition]kafka.Ends, error) {
	return map[kafka.Partition]kafka.Ends{keyA(): b.ends}, nil
}

func (b *cutBroker) Recognize(_ context.Context, list []kafka.Memory) (*kafka.Divergence, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return &kafka.Divergence{Memory: list[0], EpochEnd: b.epochEnd}, nil
}

// The same records under the ids of another cluster: reading goes on at the stored offsets.
func TestClusterIsAdopted(t *testing.T) {
	w := newWorld(t, 2, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	s, err := commit.Examine(t.Context(), w.catalog, w.spec(table), commit.Env{})
	require.NoError(t, err)
	on := ControlTarget{Table: table, Situation: s, Cluster: "another", Topics: []kafka.Topic{{Name: "a", ID: [16]byte{7}, Partitions: 2}},
		Broker: &cutBroker{ends: kafka.Ends{High: 9, Stable: 9}}}
	require.Equal(t, codeCluster, failure.CodeOf(Diagnose(t.Context(), on)))
	_, err = PlanControl(t.Context(), ControlRequest{Verb: commit.Adopt, Partition: -1}, on)
	require.ErrorContains(t, err, "another cluster")
	on.Broker.(*cutBroker).ends.High = 3
	_, err = PlanControl(t.Context(), ControlRequest{Verb: commit.Adopt, Partition: -1, To: "stored"}, on)
	require.ErrorContains(t, err, "is to go on at 5", "it does not hold the same records")
	on.Broker = &twoPartitions{cutBroker{ends: kafka.Ends{High: 9, Stable: 9}}}
	p, err := PlanControl(t.Context(), ControlRequest{Verb: commit.Adopt, Partition: -1, To: "stored"}, on)
	require.NoError(t, err)
	d, err := commit.Decide(t.Context(), w.catalog, w.spec(table), commit.Env{}, p.Control)
	require.NoError(t, err)
	require.Len(t, d.State.Entries, 2)
	require.Equal(t, "another", d.State.Entries[0].Stream.Cluster)
	at, err := kafka.DecodePosition(string(d.State.Entries[0].Position))
	require.NoError(t, err)
	require.EqualValues(t, 5, at)
}

type twoPartitions struct{ cutBroker }

func (b *twoPartitions) Offsets(context.Context, ...string) (map[kafka.Partition]kafka.Ends, error) {
	return map[kafka.Partition]kafka.Ends{keyA(): b.ends, {Topic: "a", Partition: 1}: b.ends}, nil
}

// A batch that cannot be unpacked is passed whole, and nothing else.
func TestBatchIsGivenUp(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	w.sendUncounted("a", &kgo.Record{Value: make([]byte, 1000)}, &kgo.Record{Value: make([]byte, 1000)})
	w.produce("a", 0, 3)
	w.decide(table, ControlRequest{Verb: commit.AcceptLoss, Topic: "a", Partition: 0, Batch: true})
	require.NoError(t, w.catchUp(w.options(table)))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}
