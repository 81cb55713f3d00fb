package ingest

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/verify"
)

// These tests show that `verify` has teeth: a true table is proven at every level, and each kind of damage is found at
// the level that claims to see it, with its exact range.

func (w *world) load(name string) *icetable.Table {
	w.t.Helper()
	tbl, err := w.catalog.LoadTable(w.t.Context(), icetable.Identifier{"db", name})
	require.NoError(w.t, err)
	return tbl
}

func (w *world) verify(name string, level verify.Level) *verify.Report {
	w.t.Helper()
	client, err := kafka.Connect(w.t.Context(), kafka.Options{Brokers: w.cluster.ListenAddrs()})
	require.NoError(w.t, err)
	defer client.Close()
	r, err := verify.Run(w.t.Context(), w.load(name), verify.Options{Pipeline: "test", Level: level, Sources: map[string]*kafka.Client{"main": client}})
	require.NoError(w.t, err)
	require.Equal(w.t, level, r.Level)
	require.Equal(w.t, r.Verified, r.Err() == nil)
	return r
}

func (w *world) proven(name string) {
	w.t.Helper()
	for _, level := range []verify.Level{verify.Ledger, verify.Rows, verify.Source} {
		r := w.verify(name, level)
		require.True(w.t, r.Verified, "%s: %+v", level, r.Findings)
	}
}

func TestTrueTablesAreProven(t *testing.T) {
	w := newWorld(t, 2, "a", "b")
	w.produce("a", 0, 100)
	w.send(&kgo.Record{Topic: "a", Key: []byte("tombstone")}, &kgo.Record{Topic: "a", Value: []byte("rubbish")})
	w.next[keyA()] += 2
	w.produce("a", 0, 10)
	w.produce("b", 1, 30)
	both := w.jsonTable("both", "a", "b")
	both.Errors = Policies{Decode: Skip}
	require.NoError(t, w.catchUp(w.options(both)))
	w.proven("both")
	w.produce("a", 1, 10)
	require.NoError(t, w.catchUp(w.options(both)))
	w.proven("both")
	r := w.verify("both", verify.Source)
	require.EqualValues(t, 150, r.Rows)
	require.EqualValues(t, map[string]int64{"written": 110, "ignored": 1, "skipped": 1}, r.Partitions[0].Counts)
}

func TestTransactionalTopicIsProven(t *testing.T) {
	w := newWorld(t, 1, "a")
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("a"))
	require.NoError(t, err)
	defer cl.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		require.NoError(t, cl.BeginTransaction())
		for range i + 3 {
			require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord(`{"id":1}`)).FirstErr())
		}
		require.NoError(t, cl.EndTransaction(t.Context(), end))
	}
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	w.proven("t")
}

func TestMissingRowsAreFound(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 50)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	tx := w.load("t").NewTransaction()
	filter := iceberg.NewAnd(iceberg.GreaterThanEqual(iceberg.Reference("id"), int64(20)), iceberg.LessThan(iceberg.Reference("id"), int64(25)))
	require.NoError(t, tx.Delete(t.Context(), filter, nil))
	_, err := tx.Commit(t.Context())
	require.NoError(t, err)
	require.Contains(t, kindsOf(w.verify("t", verify.Rows)), verify.Unaccounted)
	r := w.verify("t", verify.Source)
	require.False(t, r.Verified)
	require.Contains(t, ranges(r, verify.Missing), [2]uint64{20, 25})
}

func TestDoubledRowsAreFound(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 50)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	tbl := w.load("t")
	tasks, err := tbl.Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	path := strings.TrimPrefix(tasks[0].File.FilePath(), "file://")
	copied := strings.Replace(path, ".parquet", "-again.parquet", 1)
	copyFile(t, path, copied)
	tx := tbl.NewTransaction()
	require.NoError(t, tx.AddFiles(t.Context(), []string{"file://" + copied}, nil, true))
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
	r := w.verify("t", verify.Rows)
	require.False(t, r.Verified)
	require.Equal(t, [][2]uint64{{0, 50}}, ranges(r, verify.Doubled))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.Create(to)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

func kindsOf(r *verify.Report) []verify.Kind {
	var out []verify.Kind
	for _, f := range r.Findings {
		out = append(out, f.Kind)
	}
	return out
}

func ranges(r *verify.Report, k verify.Kind) [][2]uint64 {
	var out [][2]uint64
	for _, f := range r.Findings {
		if f.Kind == k {
			out = append(out, [2]uint64{f.From, f.To})
		}
	}
	return out
}
