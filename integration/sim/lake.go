package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/failure"
)

// lake is the catalog as it is, past all faults.
type lake struct {
	*committest.Catalog
	warehouse *warehouse
	// newest gives the id that the next record will get.
	newest func() int64

	mu sync.Mutex
	// born has that id of when each table, or its last successor of that name, got its first snapshot.
	born map[string]int64
}

func newLake(w *warehouse) *lake {
	return &lake{Catalog: committest.New(), warehouse: w, born: map[string]int64{}}
}

// CommitTable implements catalog.Catalog and notes births.
func (l *lake) CommitTable(ctx context.Context, id icetable.Identifier, reqs []icetable.Requirement, ups []icetable.Update) (icetable.Metadata, string, error) {
	before := l.Table(id...)
	meta, at, err := l.Catalog.CommitTable(ctx, id, reqs, ups)
	if err == nil && (before == nil || before.CurrentSnapshot() == nil) && meta.CurrentSnapshot() != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.born[id[len(id)-1]] = l.newest()
	}
	return meta, at, err
}

// bornAt is the first record that a table must have that begins at the end of its topics: those that were on their way
// when it was born may be in it.
func (l *lake) bornAt(name string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.born[name]
}

func ident(name string) icetable.Identifier { return icetable.Identifier{namespace, name} }

// metadata is a table's metadata, nil when there is no such table.
func (l *lake) metadata(name string) icetable.Metadata { return l.Table(ident(name)...) }

// publish writes the metadata file of a table and says where it is. A catalog that shows processes the head only holds
// the whole history all the same.
func (l *lake) publish(name string) (string, error) {
	tbl, err := l.LoadTable(context.Background(), ident(name))
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(l.metadata(name))
	if err != nil {
		return "", err
	}
	l.warehouse.put(tbl.MetadataLocation(), b)
	return tbl.MetadataLocation(), nil
}

// lakeView is the catalog as one process sees it.
type lakeView struct {
	catalog.Catalog
	lake  *lake
	files *files
}

// staging is a lakeView that can prepare a table, as REST catalogs do.
type staging struct{ *lakeView }

func (l *lake) view(g *gate, staged bool) catalog.Catalog {
	v := &lakeView{Catalog: l.Catalog, lake: l, files: &files{warehouse: l.warehouse, gate: g}}
	if staged {
		return staging{v}
	}
	return v
}

// commitErrors are what a commit may answer when something goes wrong: each of them may mean anything. A conflict is
// what a proxy brings back that sent the request twice.
func commitErrors() []error {
	return []error{
		failure.New(failure.Unknown, "E_CATALOG_UNKNOWN", "", "HTTP 503 Service Unavailable"),
		fmt.Errorf("%w: HTTP 409", icetable.ErrCommitFailed),
		failure.Wrap(context.DeadlineExceeded, failure.Retry, "E_CATALOG_UNREACHABLE", "", "committing"),
		fmt.Errorf("read tcp: %w", syscall.ECONNRESET),
		failure.New(failure.Unknown, "E_CATALOG_UNKNOWN", "", "HTTP 500 Internal Server Error"),
	}
}

func loadErrors() []error {
	return []error{
		failure.New(failure.Retry, "E_CATALOG_UNREACHABLE", "", "HTTP 503 Service Unavailable"),
		failure.Wrap(context.DeadlineExceeded, failure.Retry, "E_CATALOG_UNREACHABLE", "", "loading"),
		fmt.Errorf("read tcp: %w", syscall.ECONNRESET),
	}
}

func called[T any](v *lakeView, table, op string, may []Fate, errs []error, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 2)
	err := v.files.gate.call(table+"/catalog."+op, may, errs, func() error {
		value, err := do()
		answers <- answer{value, err}
		return err
	})
	var last answer
	for {
		select {
		case a := <-answers:
			if last = a; err == nil {
				continue
			}
		default:
		}
		break
	}
	if err != nil {
		var none T
		return none, err
	}
	return last.value, nil
}

// own makes a table whose files are read through the process's gate.
func (v *lakeView) own(t *icetable.Table, cat icetable.CatalogIO) *icetable.Table {
	return icetable.New(t.Identifier(), t.Metadata(), t.MetadataLocation(), func(context.Context) (iceio.IO, error) { return v.files, nil }, cat)
}

// LoadTable implements catalog.Catalog.
func (v *lakeView) LoadTable(ctx context.Context, id icetable.Identifier) (*icetable.Table, error) {
	t, err := called(v, id[len(id)-1], "load", reads(), loadErrors(), func() (*icetable.Table, error) { return v.lake.LoadTable(ctx, id) })
	if err != nil {
		return nil, err
	}
	return v.own(t, v), nil
}

// CreateTable implements catalog.Catalog.
func (v *lakeView) CreateTable(ctx context.Context, id icetable.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*icetable.Table, error) {
	t, err := called(v, id[len(id)-1], "create", writes(), commitErrors(), func() (*icetable.Table, error) {
		return v.lake.CreateTable(context.WithoutCancel(ctx), id, sc, opts...)
	})
	if err != nil {
		return nil, err
	}
	return v.own(t, v), nil
}

// StageTable implements commit.StagedCreator.
func (s staging) StageTable(ctx context.Context, id icetable.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*icetable.Table, error) {
	t, err := called(s.lakeView, id[len(id)-1], "stage", reads(), loadErrors(), func() (*icetable.Table, error) {
		return committest.Staging{Catalog: s.lake.Catalog}.StageTable(ctx, id, sc, opts...)
	})
	if err != nil {
		return nil, err
	}
	return s.own(t, s), nil
}

type committed struct {
	meta     icetable.Metadata
	location string
}

// CommitTable implements catalog.Catalog.
func (v *lakeView) CommitTable(ctx context.Context, id icetable.Identifier, reqs []icetable.Requirement, ups []icetable.Update) (icetable.Metadata, string, error) {
	a, err := called(v, id[len(id)-1], "commit", writes(), commitErrors(), func() (c committed, err error) {
		c.meta, c.location, err = v.lake.CommitTable(context.WithoutCancel(ctx), id, reqs, ups)
		return c, err
	})
	return a.meta, a.location, err
}

// CreateNamespace implements catalog.Catalog.
func (v *lakeView) CreateNamespace(ctx context.Context, ns icetable.Identifier, p iceberg.Properties) error {
	_, err := called(v, "", "namespace", writes(), commitErrors(), func() (struct{}, error) {
		return struct{}{}, v.lake.CreateNamespace(ctx, ns, p)
	})
	return err
}

// CheckNamespaceExists implements catalog.Catalog.
func (v *lakeView) CheckNamespaceExists(ctx context.Context, ns icetable.Identifier) (bool, error) {
	return called(v, "", "namespace_exists", reads(), loadErrors(), func() (bool, error) { return v.lake.CheckNamespaceExists(ctx, ns) })
}

// DropTable implements catalog.Catalog; nothing of ours drops tables.
func (v *lakeView) DropTable(context.Context, icetable.Identifier) error {
	return errors.New("processes drop no tables")
}
