package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	icecat "github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/internal/rungroup"
	"github.com/ingestd/ingestd/table/column"
)

// question is one thing that is asked of every catalog.
type question struct {
	name, text string
	ask        func(*suite)
}

func questions() []question {
	return []question{
		{"birth", "a table is born with its start positions, format 2 and our properties", (*suite).birth},
		{"two creators", "of four creators at once one wins and the others go on with its table", (*suite).twoCreators},
		{"commits", "positions, counters and notes come back as they were committed", (*suite).commits},
		{"fence", "a batch whose positions were taken meanwhile is fenced, and its files are known to be dead", (*suite).fence},
		{"pins hold", "a commit on an older head, another table, schema or last field is refused", (*suite).pins},
		{"foreign snapshots", "between two of our commits another engine may commit", (*suite).foreign},
		{"many writers", "four writers at once: every batch lands once, writers on partitions of their own are never fenced", (*suite).manyWriters},
		{"schema changes", "two writers add the same column and each another one; nothing is lost", (*suite).schemaChanges},
		{"branches", "`branch:` keeps books of its own", (*suite).branches},
		{"upkeep", "history, manifests and metadata stay bounded by the commits themselves", (*suite).upkeep},
		{"large states", "a table of 2,000 partitions comes back unchanged", (*suite).largeStates},
		{"dropped and created again", "a table that was dropped, or dropped and created again, halts its writer", (*suite).recreated},
		{"what does not exist", "missing tables and namespaces are told from errors", (*suite).missing},
	}
}

// Run asks a catalog everything and reports what it answered. open gives a handle on it, a new one each time; its
// tables are left behind in namespaces of their own.
func Run(t *testing.T, open func(t *testing.T) catalog.Catalog) Report {
	probe := open(t)
	_, staged := probe.(commit.StagedCreator)
	r := Report{Can: probe.Capabilities(), Staged: staged, Answers: map[string]string{}}
	for _, q := range questions() {
		t.Run(q.name, func(t *testing.T) {
			r.Answers[q.name] = "no"
			s := &suite{t: t, open: func() catalog.Catalog { return open(t) }, can: r.Can, ident: table.Identifier{"ct_" + uuid.NewString()[:8], "t"}, answer: Yes}
			q.ask(s)
			r.Answers[q.name] = s.answer
		})
	}
	return r
}

// suite is one question with a table of its own.
type suite struct {
	t     *testing.T
	open  func() catalog.Catalog
	can   commit.Capabilities
	ident table.Identifier
	// answer is Yes unless a question says otherwise.
	answer string
}

func (s *suite) spec() commit.Spec {
	return commit.Spec{Identifier: s.ident, Pipeline: "conformance", MayCreate: true, Upkeep: commit.Upkeep{Disabled: true}}
}

func (s *suite) table(cat catalog.Catalog, change ...func(*commit.Spec)) *commit.Table {
	s.t.Helper()
	spec := s.spec()
	for _, f := range change {
		f(&spec)
	}
	t, err := commit.Open(s.t.Context(), cat, spec, commit.Env{})
	require.NoError(s.t, err)
	return t
}

func (s *suite) created(change ...func(*commit.Spec)) *commit.Table {
	s.t.Helper()
	t := s.table(s.open(), change...)
	require.NoError(s.t, t.Create(s.t.Context(), creation(2)))
	return t
}

func creation(partitions int) commit.Creation {
	c := commit.Creation{Fields: []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "at", Type: column.Type{Kind: column.TimestampTZ}, Doc: "when"},
	}}
	for p := range partitions {
		c.Start = append(c.Start, commit.Step{Key: key(p), To: pos(0)})
	}
	return c
}

func key(p int) state.Key {
	return state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "t", ID: [16]byte{1}}, Partition: strconv.Itoa(p)}
}

func pos(n int) state.Position { return state.Position(strconv.Itoa(n)) }

func step(p, from, to int) commit.Step {
	n := int64(to - from)
	return commit.Step{Key: key(p), From: pos(from), To: pos(to), Counts: outcome.Counts{outcome.Written: n}, Added: n, Note: []byte{1, 2}}
}

// batch has one file, which nobody reads.
func (s *suite) batch(t *commit.Table, steps ...commit.Step) commit.FileSet {
	fs := commit.FileSet{Steps: steps, SchemaID: t.Schema().ID}
	for _, st := range steps {
		fs.Added += st.Added
	}
	if fs.Added > 0 {
		path := fmt.Sprintf("%s/data/%s.parquet", t.Location(), uuid.NewString())
		b, err := iceberg.NewDataFileBuilder(t.PartitionSpec(), iceberg.EntryContentData, path, iceberg.ParquetFile, nil, nil, nil, fs.Added, 100)
		require.NoError(s.t, err)
		fs.Files = []iceberg.DataFile{b.Build()}
	}
	return fs
}

func (s *suite) commit(t *commit.Table, steps ...commit.Step) commit.Result {
	s.t.Helper()
	res, err := t.Commit(s.t.Context(), s.batch(t, steps...))
	require.NoError(s.t, err)
	require.Equal(s.t, commit.Landed, res.Outcome, "%v", res.Mismatch)
	return res
}

// standsAt checks a table through a new handle: positions, and the books.
func (s *suite) standsAt(want map[int]int) *commit.Table {
	s.t.Helper()
	t := s.table(s.open())
	rows := 0
	for p, n := range want {
		e, ok := t.State().Find(key(p))
		require.True(s.t, ok, "partition %d", p)
		require.Equal(s.t, pos(n), e.Position, "partition %d", p)
		rows += n
	}
	l, err := commit.VerifyLedger(s.t.Context(), t.Iceberg(), commit.LedgerOptions{Pipeline: "conformance"})
	require.NoError(s.t, err)
	require.Empty(s.t, l.Findings)
	require.EqualValues(s.t, rows, t.State().Totals().Added)
	return t
}

func (s *suite) birth() {
	t := s.created()
	require.True(s.t, t.Exists())
	require.NotNil(s.t, t.Iceberg().CurrentSnapshot(), "a table of ours is never without a snapshot")
	props := t.Properties()
	require.Equal(s.t, "10", props["commit.retry.num-retries"])
	require.Equal(s.t, "conformance/main", props[commit.CreatedByKey])
	f, ok := t.Schema().FindFieldByName("at")
	require.True(s.t, ok)
	require.Equal(s.t, "when", f.Doc)
	require.Equal(s.t, 2, t.Metadata().Version())
	require.NotEmpty(s.t, t.Location())
	s.standsAt(map[int]int{0: 0, 1: 0})
	require.NoError(s.t, t.Create(s.t.Context(), creation(3)), "creating what exists begins what is new")
	s.standsAt(map[int]int{0: 0, 1: 0, 2: 0})
}

func (s *suite) twoCreators() {
	const n = 4
	g := rungroup.New(s.t.Context())
	for range n {
		t := s.table(s.open())
		g.Go(func(ctx context.Context) error { return t.Create(ctx, creation(2)) })
	}
	require.NoError(s.t, g.Wait())
	t := s.standsAt(map[int]int{0: 0, 1: 0})
	s.commit(t, step(0, 0, 10))
	s.standsAt(map[int]int{0: 10, 1: 0})
}

func (s *suite) commits() {
	t := s.created()
	for i := range 5 {
		s.commit(t, step(0, i*10, i*10+10), step(1, i*5, i*5+5))
	}
	res, err := t.Progress(s.t.Context(), []commit.Step{{Key: key(1), From: pos(25), To: pos(99), Counts: outcome.Counts{outcome.Ignored: 74}}})
	require.NoError(s.t, err)
	require.Equal(s.t, commit.Landed, res.Outcome)
	again := s.table(s.open())
	require.Equal(s.t, t.State(), again.State())
	require.Equal(s.t, []byte{1, 2}, again.Notes()[key(0)])
	require.Equal(s.t, res.CommitID, again.State().CommitID())
}

func (s *suite) fence() {
	t, stale := s.created(), s.table(s.open())
	s.commit(t, step(0, 0, 10))
	res, err := stale.Commit(s.t.Context(), s.batch(t, step(0, 0, 7)))
	require.NoError(s.t, err)
	require.Equal(s.t, commit.Fenced, res.Outcome)
	require.True(s.t, res.FilesDead)
	require.Equal(s.t, pos(10), res.Mismatch.Stored)
	s.standsAt(map[int]int{0: 10, 1: 0})
}

// pins asks for the promises beneath the loop, directly.
func (s *suite) pins() {
	ctx := s.t.Context()
	cat := s.open()
	t := s.created()
	before := t.Iceberg().CurrentSnapshot().SnapshotID
	s.commit(t, step(0, 0, 10))
	head := t.Iceberg().CurrentSnapshot().SnapshotID
	touch := []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"touched": "yes"})}
	refused := func(name string, r table.Requirement) {
		s.t.Helper()
		_, _, err := cat.CommitTable(ctx, s.ident, []table.Requirement{r}, touch)
		require.Error(s.t, err, name)
		again, err := cat.LoadTable(ctx, s.ident)
		require.NoError(s.t, err)
		require.NotContains(s.t, again.Properties(), "touched", name)
	}
	refused("an older head", table.AssertRefSnapshotID("main", &before))
	other := head + 1
	refused("a head that never was", table.AssertRefSnapshotID("main", &other))
	refused("another table", table.AssertTableUUID(uuid.New()))
	refused("another schema", table.AssertCurrentSchemaID(99))
	refused("another last field", table.AssertLastAssignedFieldID(1))
	refused("no table", table.AssertCreate())
	if cat.Capabilities().NullPin {
		refused("no branch", table.AssertRefSnapshotID("main", nil))
	}
	_, _, err := cat.CommitTable(ctx, s.ident, []table.Requirement{table.AssertRefSnapshotID("main", &head)}, touch)
	require.NoError(s.t, err)
}

// foreign commits as another engine would.
func (s *suite) foreign() {
	ctx := s.t.Context()
	t := s.created()
	cat := s.open()
	for i := range 3 {
		s.commit(t, step(0, i*10, i*10+10))
		tbl, err := cat.LoadTable(ctx, s.ident)
		require.NoError(s.t, err)
		tx := tbl.NewTransaction()
		b, err := iceberg.NewDataFileBuilder(tbl.Spec(), iceberg.EntryContentData, fmt.Sprintf("%s/data/foreign-%d.parquet", tbl.Location(), i), iceberg.ParquetFile, nil, nil, nil, 3, 30)
		require.NoError(s.t, err)
		require.NoError(s.t, tx.NewRowDelta(nil).AddRows(b.Build()).Commit(ctx))
		_, err = tx.Commit(ctx)
		require.NoError(s.t, err)
	}
	s.commit(t, step(0, 30, 40))
	s.standsAt(map[int]int{0: 40, 1: 0})
}

// manyWriters run at the same time, each on a partition of its own and two on the same one.
func (s *suite) manyWriters() {
	const writers, batches = 3, 6
	s.created()
	g := rungroup.New(s.t.Context())
	fenced := make([]int, writers+1)
	for i := range writers + 1 {
		t := s.table(s.open())
		p := min(i, writers-1)
		require.NoError(s.t, t.Begin(s.t.Context(), []commit.Step{{Key: key(p), To: pos(0)}}))
		g.Go(func(ctx context.Context) error {
			at := 0
			for at < batches*10 {
				res, err := t.Commit(ctx, s.batch(t, step(p, at, at+10)))
				if err != nil {
					return err
				}
				if at += 10; res.Outcome == commit.Fenced {
					fenced[i]++
					e, _ := res.State.Find(key(p))
					at, _ = strconv.Atoi(string(e.Position))
				}
			}
			return nil
		})
	}
	require.NoError(s.t, g.Wait())
	s.standsAt(map[int]int{0: batches * 10, 1: batches * 10, 2: batches * 10})
	require.Zero(s.t, fenced[0]+fenced[1], "writers on partitions of their own are never fenced")
}

func (s *suite) schemaChanges() {
	ctx := s.t.Context()
	t, other := s.created(), s.table(s.open())
	extra := func(name string) []commit.AddColumn {
		return []commit.AddColumn{{Field: column.Field{Name: name, Type: column.Type{Kind: column.String}}}}
	}
	require.NoError(s.t, t.Evolve(ctx, extra("a")))
	require.NoError(s.t, other.Evolve(ctx, extra("a")))
	require.NoError(s.t, other.Evolve(ctx, extra("b")))
	require.NoError(s.t, t.Evolve(ctx, extra("b")))
	require.True(s.t, t.Schema().Equals(other.Schema()))
	require.Len(s.t, t.Schema().Fields(), 4)
	s.commit(t, step(0, 0, 10))
	require.Equal(s.t, t.Schema().ID, *t.Iceberg().CurrentSnapshot().SchemaID)
	s.standsAt(map[int]int{0: 10, 1: 0})
}

func (s *suite) branches() {
	t := s.created()
	s.commit(t, step(0, 0, 10))
	if !s.can.Refs {
		spec := s.spec()
		spec.Branch = "audit"
		_, err := commit.Open(s.t.Context(), s.open(), spec, commit.Env{})
		require.Equal(s.t, commit.CodeBranch, failure.CodeOf(err), "%v", err)
		s.answer = "refused, " + commit.CodeBranch
		return
	}
	audit := s.table(s.open(), func(sp *commit.Spec) { sp.Branch = "audit" })
	require.NoError(s.t, audit.Begin(s.t.Context(), []commit.Step{{Key: key(0), To: pos(10)}}))
	s.commit(audit, step(0, 10, 30))
	s.commit(t, step(0, 10, 20))
	s.standsAt(map[int]int{0: 20, 1: 0})
	again := s.table(s.open(), func(sp *commit.Spec) { sp.Branch = "audit" })
	e, _ := again.State().Find(key(0))
	require.Equal(s.t, pos(30), e.Position)
}

func (s *suite) upkeep() {
	t := s.created(func(sp *commit.Spec) {
		sp.Upkeep = commit.Upkeep{Every: 5, KeepMin: 6, KeepMax: 12, MaxAge: time.Nanosecond}
	})
	for i := range 24 {
		s.commit(t, step(0, i*10, i*10+10))
	}
	got := s.standsAt(map[int]int{0: 240, 1: 0})
	require.LessOrEqual(s.t, len(got.Metadata().Snapshots()), 12)
	fs, err := got.Iceberg().FS(s.t.Context())
	require.NoError(s.t, err)
	manifests, err := got.Iceberg().CurrentSnapshot().Manifests(fs)
	require.NoError(s.t, err)
	require.LessOrEqual(s.t, len(manifests), 8)
}

// largeStates pass through a summary and a property unchanged.
func (s *suite) largeStates() {
	t := s.created()
	var steps []commit.Step
	for p := 2; p < 2000; p++ {
		steps = append(steps, commit.Step{Key: key(p), To: pos(1 << 40), Note: []byte("0123456789")})
	}
	require.NoError(s.t, t.Begin(s.t.Context(), steps))
	again := s.table(s.open())
	require.Equal(s.t, t.State(), again.State())
	require.Equal(s.t, t.Notes(), again.Notes())
	require.Len(s.t, again.State().Entries, 2000)
}

func (s *suite) recreated() {
	t := s.created()
	s.commit(t, step(0, 0, 10))
	require.NoError(s.t, s.open().DropTable(s.t.Context(), s.ident))
	require.Equal(s.t, commit.CodeDropped, failure.CodeOf(t.Refresh(s.t.Context())))
	s.created()
	_, err := t.Commit(s.t.Context(), s.batch(t, step(0, 10, 20)))
	require.Equal(s.t, commit.CodeRecreated, failure.CodeOf(err), "%v", err)
	s.standsAt(map[int]int{0: 0, 1: 0})
}

func (s *suite) missing() {
	ctx := s.t.Context()
	cat := s.open()
	_, err := cat.LoadTable(ctx, s.ident)
	require.True(s.t, errors.Is(err, icecat.ErrNoSuchTable) || errors.Is(err, icecat.ErrNoSuchNamespace), "%v", err)
	spec := s.spec()
	spec.MayCreate = false
	_, err = commit.Open(ctx, cat, spec, commit.Env{})
	require.Equal(s.t, commit.CodeMissing, failure.CodeOf(err))
	require.NoError(s.t, cat.CreateNamespace(ctx, s.ident[:1], nil))
	require.ErrorIs(s.t, cat.CreateNamespace(ctx, s.ident[:1], nil), icecat.ErrNamespaceAlreadyExists)
	ok, err := cat.CheckNamespaceExists(ctx, s.ident[:1])
	require.NoError(s.t, err)
	require.True(s.t, ok)
	_, err = cat.LoadTable(ctx, s.ident)
	require.ErrorIs(s.t, err, icecat.ErrNoSuchTable)
	_, _, err = cat.CommitTable(ctx, s.ident, []table.Requirement{table.AssertTableUUID(uuid.New())}, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"a": "b"})})
	require.Error(s.t, err)
	ok, err = cat.CheckTableExists(ctx, s.ident)
	require.NoError(s.t, err)
	require.False(s.t, ok)
}
