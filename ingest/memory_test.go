package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/rungroup"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
)

// bounded lets a pipeline catch up and looks at its budget all the while: it never holds more than its limit and a
// small batch for each lane.
func (w *world) bounded(o Options) {
	w.t.Helper()
	o.UntilLatest = true
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	p := New(o)
	group := rungroup.New(ctx)
	var most int64
	group.Go(func(ctx context.Context) error {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, p.Budget().Held)
			case <-ctx.Done():
				return nil
			}
		}
	})
	err := p.Run(ctx)
	group.Stop()
	require.NoError(w.t, group.Wait())
	require.NoError(w.t, err)
	require.LessOrEqual(w.t, most, o.Memory+int64(o.Lanes)*(stepBytes+maxTestRecord)*4)
	for _, r := range p.Budget().Reserves {
		if r.Name == accountQueues || r.Name == accountCommits {
			require.Zero(w.t, r.Held, "%s are given back", r.Name)
		}
	}
}

const maxTestRecord = 1 << 20

func (w *world) becomes(rec *recorder, table, code string, to event.State) {
	w.t.Helper()
	rec.await(table+" is "+string(to), func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.Table == "db."+table && s.To == to && s.Code == code
	})
}

// TestFanOutBeyondTheBudget: a partition column with thousands of values makes small files and says so; nothing is lost
// and the budget holds.
func TestFanOutBeyondTheBudget(t *testing.T) {
	values := 1500
	w := newWorld(t, 1, "a")
	w.produceEach("a", 0, 4*values, func(at int64) *kgo.Record {
		return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"place":"place %d"}`, at, at%int64(values))}
	})
	table := w.placedTable("t", "a")
	table.Create.PartitionBy = []string{"place"}
	o := w.options(table)
	o.Memory, o.Trigger.Interval = 16<<20, time.Minute
	rec := &recorder{t: t}
	o.Events = rec
	w.bounded(o)
	w.becomes(rec, "t", "E_FRAGMENTED", event.Degraded)
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.produceEach("a", 0, 10, func(at int64) *kgo.Record {
		return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"place":"one"}`, at)}
	})
	o = w.options(table)
	rec = &recorder{t: t}
	o.Events = rec
	w.bounded(o)
	for _, e := range rec.list {
		s, ok := e.(event.StateChanged)
		require.False(t, ok && s.To == event.Degraded, "one partition is no fan-out")
	}
}

// TestManyColumns: a table of 2,000 columns stays within a small budget.
func TestManyColumns(t *testing.T) {
	const columns = 1990 // and the auditing columns
	fields := []column.Field{{Name: "id", Required: true, Type: column.Type{Kind: column.Long}}}
	for i := range columns - 1 {
		fields = append(fields, column.Field{Name: fmt.Sprintf("c%d", i), Type: column.Type{Kind: column.String}})
	}
	schema, err := jsonrec.NewSchema(jsonrec.Config{Unknown: jsonrec.Refuse, Fields: fields})
	require.NoError(t, err)
	w := newWorld(t, 2, "a")
	for p := range int32(2) {
		w.produceEach("a", p, 300, func(at int64) *kgo.Record {
			var b strings.Builder
			fmt.Fprintf(&b, `{"id":%d`, at)
			for i := at % 3; i < columns-1; i += 3 {
				fmt.Fprintf(&b, `,"c%d":"value %d"`, i, at*i)
			}
			return &kgo.Record{Value: []byte(b.String() + "}")}
		})
	}
	table := w.jsonTable("t", "a")
	table.Value.Schema = schema
	o := w.options(table)
	o.Memory = 32 << 20
	w.bounded(o)
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestLargeRecords: records near a megabyte, some beyond what a table may hold at once, pass through a small budget.
func TestLargeRecords(t *testing.T) {
	w := newWorld(t, 2, "a")
	text := strings.Repeat("0123456789abcdef", 900<<10/16)
	for p := range int32(2) {
		w.produceEach("a", p, 40, func(at int64) *kgo.Record {
			return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"name":"%d%s"}`, at, at, text)}
		})
	}
	o := w.options(w.jsonTable("t", "a"))
	o.Memory = 16 << 20
	o.Sources[0].Fetch = kafka.Fetch{MaxBytes: 1 << 20, MaxBatchBytes: 4 << 20}
	o.Reserves = Reserves{Queues: 4 << 20, Lanes: 16 << 20, Commits: 8 << 20}
	w.bounded(o)
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

func TestSmallBatchesEndByBytes(t *testing.T) {
	records := make([]*kgo.Record, 2000)
	for i := range records {
		records[i] = &kgo.Record{Value: make([]byte, 10)}
	}
	require.Equal(t, stepRecords, stepEnd(records, 0))
	require.Equal(t, 2000, stepEnd(records, 1900))
	records[5].Value = make([]byte, 2*stepBytes)
	require.Equal(t, 6, stepEnd(records, 0), "the large one ends it")
	require.Equal(t, 6, stepEnd(records, 5), "and comes alone if it must")
}

func TestAccountsBeyondTheirReserveAreShared(t *testing.T) {
	b := newBudget(1000)
	b.enter("a")
	b.enter("b")
	Reserves{Queues: 100}.announce(b)
	b.use(accountQueues, 100)
	held, _, _ := b.total()
	require.Zero(t, held, "that is what the reserve is for")
	b.use(accountQueues, 500)
	held, _, _ = b.total()
	require.EqualValues(t, 500, held)
	b.charge("a", 250)
	woken := 0
	ok, _ := b.admit("a", func() { woken++ })
	require.False(t, ok, "the shared half is spent")
	require.True(t, b.refusing())
	ok, _ = b.admit("b", func() {})
	require.True(t, ok, "a floor is a floor")
	b.use(accountQueues, -400)
	require.Equal(t, 1, woken)
	ok, _ = b.admit("a", func() {})
	require.True(t, ok)
	b.use("no such account", 1)
	v := b.view()
	require.Equal(t, Holding{Name: "a", Held: 250, Reserved: 250}, v.Tables[0])
	require.Contains(t, v.Reserves, Holding{Name: accountQueues, Held: 200, Reserved: 100})
	require.EqualValues(t, 350, v.Held)
}
