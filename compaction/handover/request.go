package handover

import (
	"context"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
)

// CodeEngine is an engine that does not answer or refuses.
const CodeEngine = "E_ENGINE"

// Request is what an engine is asked for.
type Request struct {
	// Table is the identifier, as the catalog that both share knows it.
	Table []string
	// Schema and Spec are the table's current ones. Partitions are tuples of Spec, by field id; none: the whole table.
	Schema     *iceberg.Schema
	Spec       iceberg.PartitionSpec
	Partitions []map[int]any
	// TargetBytes is the size files should have; those below SmallBytes are rewritten.
	TargetBytes, SmallBytes int64
	// MinFiles is how many files of a partition make a rewrite worth it; Trino has no such setting.
	MinFiles int
	// All rewrites every file.
	All bool
}

// name is the table's name in messages.
func (r Request) name() string { return strings.Join(r.Table, ".") }

// Engine rewrites the files of a table.
type Engine interface {
	// Name is that of the setting.
	Name() string
	// Run returns when the rewrite has ended.
	Run(ctx context.Context, r Request) error
	// Ping asks whether the engine answers and knows the catalog.
	Ping(ctx context.Context) error
}

// refused wraps the answer of an engine.
func refused(err error, engine, hint, doing string) error {
	if err == nil {
		return nil
	}
	return failure.Wrap(err, failure.Retry, CodeEngine, hint, "%s with %s", doing, engine)
}
