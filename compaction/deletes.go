package compaction

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/table/rowread"
)

// The columns of a position delete file (Iceberg spec, Reserved Field IDs).
const (
	deletePath = 2147483546
	deletePos  = 2147483545
)

// positions reads which rows of a task's file are deleted, in order.
func positions(ctx context.Context, fs iceio.IO, t icetable.FileScanTask) (out []int64, err error) {
	for _, d := range t.DeleteFiles {
		if out, err = readPositions(ctx, fs, d, t.File, out); err != nil {
			return nil, fmt.Errorf("reading position deletes %s: %w", d.FilePath(), err)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// readPositions appends the positions that a delete file has of a data file. A position that the file does not have
// deletes nothing.
func readPositions(ctx context.Context, fs iceio.IO, d, of iceberg.DataFile, out []int64) ([]int64, error) {
	f, err := rowread.Open(fs, d.FilePath())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !f.Has(deletePath) || !f.Has(deletePos) {
		return nil, fmt.Errorf("it lacks the columns of the field ids %d and %d", deletePath, deletePos)
	}
	err = f.Read(ctx, []int{deletePath, deletePos}, func(b *rowread.Batch) error {
		for i := range b.Rows {
			if b.Columns[0].Null[i] || b.Columns[1].Null[i] || string(b.Columns[0].Bytes[i]) != of.FilePath() {
				continue
			}
			if at := b.Columns[1].Ints[i]; at >= 0 && at < of.Count() {
				out = append(out, at)
			}
		}
		return nil
	})
	return out, err
}
