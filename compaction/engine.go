package compaction

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"
)

// Engine rewrites the files of one group.
type Engine interface {
	// Rewrite writes what is left of the rows of the job's files. It gives the new files; whatever it created stands in
	// Created, also after an error.
	Rewrite(ctx context.Context, j Job) (Rewritten, error)
}

// Job is one group to rewrite.
type Job struct {
	// Table is the table as it was loaded for the plan.
	Table *icetable.Table
	Group Group
	// Tasks are the group's files with their deletes.
	Tasks []icetable.FileScanTask
	// Target is the size of an output.
	Target int64
	// Leaving is told of each file before it is written; nil = nobody is.
	Leaving func(ctx context.Context, paths ...string) error
}

func (j Job) leaving(ctx context.Context, path string) error {
	if j.Leaving == nil {
		return nil
	}
	return j.Leaving(ctx, path)
}

// Rewritten is what an engine made of a group.
type Rewritten struct {
	Files []iceberg.DataFile
	// Created are the paths of all files written, of those that became nothing as well.
	Created []string
}

// Library is the engine of the Iceberg library: it decodes every row into Arrow and encodes it again. It is slow and
// knows everything: other encodings, files of older schemas, equality deletes.
type Library struct{}

// The library reads a file per worker; these bound what it holds to some hundred megabytes.
const (
	libraryWorkers  = 1
	libraryBatch    = 8192
	libraryBuffer   = 4
	libraryGroupMax = 100_000
)

// Rewrite implements Engine.
func (Library) Rewrite(ctx context.Context, j Job) (Rewritten, error) {
	if spec := j.Table.Spec(); spec.ID() != j.Group.Spec {
		return Rewritten{}, fmt.Errorf("rewriting files of partition spec %d: %w", j.Group.Spec, errOldSpec)
	}
	rec := &recorder{before: func(path string) error { return j.leaving(ctx, path) }}
	tbl := icetable.New(j.Table.Identifier(), j.Table.Metadata(), j.Table.MetadataLocation(), rec.wrap(j.Table.FS), nil)
	res, err := icetable.ExecuteCompactionGroup(ctx, tbl, icetable.CompactionTaskGroup{
		PartitionKey: j.Group.Partition, Tasks: j.Tasks, TotalSizeBytes: j.Group.Bytes,
	}, icetable.WithCompactionTargetFileSize(j.Target), icetable.WithCompactionScanConcurrency(libraryWorkers),
		icetable.WithCompactionArrowBatchSize(libraryBatch), icetable.WithCompactionRecordBatchBufferSize(libraryBuffer),
		icetable.WithCompactionParquetRowGroupLimit(libraryGroupMax))
	return Rewritten{Files: res.NewDataFiles, Created: rec.files()}, err
}

// errOldSpec: the library writes files of the current spec only.
var errOldSpec = errors.New("the files are partitioned in an older way")

// recorder notes every file that is created, so that those of a rewrite that comes to nothing are known.
type recorder struct {
	// before is told of each file first.
	before func(path string) error
	mu     struct {
		sync.Mutex
		created map[string]bool
	}
}

func (r *recorder) wrap(open func(context.Context) (iceio.IO, error)) func(context.Context) (iceio.IO, error) {
	return func(ctx context.Context) (iceio.IO, error) {
		fs, err := open(ctx)
		if err != nil {
			return nil, err
		}
		w, ok := fs.(iceio.WriteFileIO)
		if !ok {
			return nil, fmt.Errorf("file access of type %T cannot write", fs)
		}
		return recordingIO{w, r}, nil
	}
}

func (r *recorder) files() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.mu.created))
}

func (r *recorder) add(name string) error {
	if err := r.before(name); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.created == nil {
		r.mu.created = map[string]bool{}
	}
	r.mu.created[name] = true
	return nil
}

type recordingIO struct {
	iceio.WriteFileIO
	r *recorder
}

func (f recordingIO) Create(name string) (iceio.FileWriter, error) {
	if err := f.r.add(name); err != nil {
		return nil, err
	}
	return f.WriteFileIO.Create(name)
}

func (f recordingIO) WriteFile(name string, p []byte) error {
	if err := f.r.add(name); err != nil {
		return err
	}
	return f.WriteFileIO.WriteFile(name, p)
}
