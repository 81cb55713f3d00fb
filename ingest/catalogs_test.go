package ingest

import (
	"context"
	"errors"
	"sync"

	"github.com/apache/iceberg-go/catalog"
	icetable "github.com/apache/iceberg-go/table"
)

// gatedCatalog holds calls for some tables back, or spoils them, while a test says so.
type gatedCatalog struct {
	catalog.Catalog
	mu     sync.Mutex
	closed map[string]chan struct{}
	// before is asked before every commit, after sees its answer and may replace the error.
	before func(ctx context.Context, table string) error
	after  func(table string, err error) error
	// load is asked before every load.
	load func(table string) error
	// held counts calls that were held back.
	held int
}

// block holds calls for a table back until open.
func (g *gatedCatalog) block(table string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = map[string]chan struct{}{}
	}
	g.closed[table] = make(chan struct{})
}

func (g *gatedCatalog) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.closed {
		close(c)
	}
	g.closed = nil
}

func (g *gatedCatalog) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held
}

func (g *gatedCatalog) pass(ctx context.Context, table string) error {
	g.mu.Lock()
	gate := g.closed[table]
	if gate != nil {
		g.held++
	}
	g.mu.Unlock()
	if gate == nil {
		return nil
	}
	select {
	case <-gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LoadTable implements catalog.Catalog.
func (g *gatedCatalog) LoadTable(ctx context.Context, id icetable.Identifier) (*icetable.Table, error) {
	name := id[len(id)-1]
	if err := g.pass(ctx, name); err != nil {
		return nil, err
	}
	g.mu.Lock()
	load := g.load
	g.mu.Unlock()
	if load != nil {
		if err := load(name); err != nil {
			return nil, err
		}
	}
	return g.Catalog.LoadTable(ctx, id)
}

// CommitTable implements catalog.Catalog.
func (g *gatedCatalog) CommitTable(ctx context.Context, id icetable.Identifier, r []icetable.Requirement, u []icetable.Update) (icetable.Metadata, string, error) {
	name := id[len(id)-1]
	if err := g.pass(ctx, name); err != nil {
		return nil, "", err
	}
	g.mu.Lock()
	before, after := g.before, g.after
	g.mu.Unlock()
	if before != nil {
		if err := before(ctx, name); err != nil {
			return nil, "", err
		}
	}
	meta, location, err := g.Catalog.CommitTable(ctx, id, r, u)
	if after != nil {
		err = after(name, err)
	}
	return meta, location, err
}

func (g *gatedCatalog) set(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

var errAway = errors.New("the catalog is away")
