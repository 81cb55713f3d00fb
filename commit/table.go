package commit

import (
	"context"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
)

// Table is one branch of one table, as its writer sees it. One goroutine at a time may use it.
type Table struct {
	cat  catalog.Catalog
	spec Spec
	env  Env
	tbl  *icetable.Table
	st   *state.State
}

// Open loads the table and checks that its history agrees with its state.
func Open(ctx context.Context, cat catalog.Catalog, spec Spec, env Env) (*Table, error) {
	return &Table{cat: cat, spec: spec, env: env}, nil
}

// Exists says whether the table has been created.
func (t *Table) Exists() bool { return t.tbl != nil }

// State is the newest state seen. It is shared: do not change it.
func (t *Table) State() *state.State { return t.st }

// Schema is the current schema.
func (t *Table) Schema() *iceberg.Schema { return t.tbl.Schema() }

// PartitionSpec is the default partition spec.
func (t *Table) PartitionSpec() iceberg.PartitionSpec { return t.tbl.Spec() }

// Location is the root of the table's files.
func (t *Table) Location() string { return t.tbl.Location() }

// Properties are the table's properties.
func (t *Table) Properties() iceberg.Properties { return t.tbl.Properties() }

// Iceberg is the library's view of the table as last loaded.
func (t *Table) Iceberg() *icetable.Table { return t.tbl }

// Notes are the mirror's notes, by partition.
func (t *Table) Notes() map[state.Key][]byte { return nil }

// Create brings the table to life with its start positions.
func (t *Table) Create(ctx context.Context, c Creation) error { return nil }

// Commit makes one snapshot of the batch.
func (t *Table) Commit(ctx context.Context, fs FileSet) (Result, error) { return Result{}, nil }

// Begin registers the start positions of partitions that the table has not met.
func (t *Table) Begin(ctx context.Context, steps []Step) error { return nil }

// Progress commits positions without rows.
func (t *Table) Progress(ctx context.Context, steps []Step) (Result, error) { return Result{}, nil }

// Evolve adds optional columns.
func (t *Table) Evolve(ctx context.Context, add []AddColumn) error { return nil }

// Refresh loads the table again.
func (t *Table) Refresh(ctx context.Context) error { return nil }
