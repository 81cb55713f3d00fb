package commit

import (
	"context"
	"errors"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

// Watch accompanies what a procedure does to a table, so that somebody else can clean up after it.
type Watch interface {
	// Leaving is told of files before they are written, and of those that a commit will leave to nobody before it is
	// sent: what is an orphan if the process ends now.
	Leaving(ctx context.Context, paths ...string) error
	// Allowed is asked after each look at the table, before the commit that is built on it is sent.
	Allowed(ctx context.Context) error
}

// Watched has all that follows watched, until it is called with nil.
func (t *Table) Watched(w Watch) { t.watch = w }

func (t *Table) allowed(ctx context.Context) error {
	if t.watch == nil {
		return nil
	}
	return t.watch.Allowed(ctx)
}

// leaving tells the watch of files that are about to be written.
func (t *Table) leaving(ctx context.Context) func(path string) error {
	if t.watch == nil {
		return nil
	}
	return func(path string) error { return t.watch.Leaving(ctx, path) }
}

// deliver makes the catalog call of an attempt, which a catalog that writes metadata files itself may ask about them.
func (t *Table) deliver(ctx context.Context, a *attempt) (table.Metadata, string, error) {
	if t.watch != nil {
		ctx = context.WithValue(ctx, watchKey{}, t.watch)
	}
	return t.cat.CommitTable(ctx, a.ident, a.requirements, a.updates)
}

type watchKey struct{}

// Leaving is for catalogs that write files in CommitTable: it tells the watch of the commit, if there is one.
func Leaving(ctx context.Context, paths ...string) error {
	if w, ok := ctx.Value(watchKey{}).(Watch); ok {
		return w.Leaving(ctx, paths...)
	}
	return nil
}

// Advance commits an empty snapshot that carries the state on. Once it has landed, no commit can land any more that was
// built before on whatever head: each asserts a head that is no longer the newest, and the sequence number of its snapshot
// is taken, which holds when the branch is set back too. Where that is not so (format version 1, catalogs that show no
// history) it commits nothing and says false.
func (t *Table) Advance(ctx context.Context, summary iceberg.Properties) (landed bool, err error) {
	if err := t.load(ctx); err != nil {
		return false, err
	}
	for n := 0; ; n++ {
		v := t.view
		if v.head == nil || v.meta.Version() < defaultFormat || t.caps.HeadsOnly {
			return false, nil
		}
		if landed, err = t.advance(ctx, v, summary); landed || failure.ClassOf(err) == failure.Halt {
			return landed, err
		}
		t.retrying(n, "advance", err)
		if n == upkeepTries {
			return false, t.catalogError(err, "advancing the head of")
		}
		if werr := t.env.Wait(ctx, t.env.backoff(n, conflictWaitMin, conflictWaitMax)); werr != nil {
			return false, canceled(ctx, "advancing the head of table "+t.spec.name(), true)
		}
		if err := t.load(ctx); err != nil {
			return false, err
		}
	}
}

// advance makes one attempt. Only an answer of the catalog that shows the snapshot as the head, or its place in the
// history, is a landing.
func (t *Table) advance(ctx context.Context, v *view, summary iceberg.Properties) (landed bool, err error) {
	a, err := t.build(ctx, v, v.state, v.notes, func(ctx context.Context, tx *table.Transaction, own iceberg.Properties) error {
		props := iceberg.Properties{}
		for _, m := range []iceberg.Properties{summary, own} {
			for k, val := range m {
				props[k] = val
			}
		}
		return addRows(nil)(ctx, tx, props)
	})
	if err != nil {
		return false, err
	}
	// No row changes, and no batch is in it: verify takes an append without a commit of its own for a damaged history.
	a.snapshot.Summary.Operation = table.OpReplace
	meta, location, err := t.deliver(ctx, a)
	if err == nil {
		err = t.look(table.New(a.ident, meta, location, v.tbl.FS, t.cat))
	}
	if err != nil {
		if lerr := t.load(ctx); lerr != nil {
			return false, errors.Join(err, lerr)
		}
	}
	there, absent := t.tended(a, true, tagging{}, nil)
	switch {
	case there:
		t.sweepMetadata(ctx, v.meta, t.view.meta)
		return true, nil
	case absent:
		t.remove(ctx, a.files)
	}
	if err == nil {
		err = errors.New("the catalog's answer does not show the snapshot")
	}
	return false, err
}
