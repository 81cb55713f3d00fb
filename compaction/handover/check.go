package handover

import (
	"strconv"
	"strings"

	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

// CodeRows is a rewrite after which the rows were not the same.
const CodeRows = "E_REWRITE_ROWS"

// Result is what happened to a table, read from its metadata. The names are those of Spark's procedure.
type Result struct {
	Snapshots          int   `json:"snapshots"`
	RewrittenDataFiles int64 `json:"rewritten_data_files_count"`
	AddedDataFiles     int64 `json:"added_data_files_count"`
	RewrittenBytes     int64 `json:"rewritten_bytes_count"`
	RemovedDeleteFiles int64 `json:"removed_delete_files_count"`
	AddedBytes         int64 `json:"added_bytes_count"`
	// Cut: the history in between is not there any more as a whole, so this is what the rest of it tells.
	Cut bool `json:"history_cut"`
	// IDs are those of the snapshots, the newest first.
	IDs []int64 `json:"-"`
}

// ours begins the properties that ingestd writes into its snapshots' summaries.
const ours = "ingestd."

// Check reads what was rewritten between two states of a table: every snapshot of another engine with the operation
// replace. Snapshots between that have expired are not missed. A replacement may leave out rows that were deleted before, and no others; the counts in its summary say so.
func Check(before, after table.Metadata, branch string) (Result, error) {
	var out Result
	from, to := before.SnapshotByName(branch), after.SnapshotByName(branch)
	if to == nil || from == nil {
		return out, failure.New(failure.Halt, CodeRows, "look at the table's history", "branch %s has no snapshot", branch)
	}
	for s := to; s.SnapshotID != from.SnapshotID; {
		if replaced(s) {
			if err := out.add(s); err != nil {
				return out, err
			}
		}
		gone := s.ParentSnapshotID == nil || after.SnapshotByID(*s.ParentSnapshotID) == nil
		if gone && s.ParentSnapshotID != nil && after.SnapshotByID(from.SnapshotID) == nil && s.SequenceNumber > from.SequenceNumber {
			// The rewrite took longer than snapshots are kept, or the catalog shows the newest only.
			out.Cut = true
			return out, nil
		}
		if gone {
			return out, failure.New(failure.Halt, CodeRows, "look at the table's history: it was rolled back or replaced meanwhile",
				"snapshot %d, which was rewritten, is not in the history of snapshot %d", from.SnapshotID, to.SnapshotID)
		}
		s = after.SnapshotByID(*s.ParentSnapshotID)
	}
	return out, nil
}

// replaced says whether another engine has rewritten files in a snapshot.
func replaced(s *table.Snapshot) bool {
	if s.Summary == nil || s.Summary.Operation != table.OpReplace {
		return false
	}
	for key := range s.Summary.Properties {
		if strings.HasPrefix(key, ours) {
			return false
		}
	}
	return true
}

func parent(s *table.Snapshot) string {
	if s.ParentSnapshotID == nil {
		return "nothing"
	}
	return strconv.FormatInt(*s.ParentSnapshotID, 10)
}

func (r *Result) add(s *table.Snapshot) error {
	count := func(key string) int64 {
		n, _ := strconv.ParseInt(s.Summary.Properties[key], 10, 64) // absent: none
		return n
	}
	added, deleted := count("added-records"), count("deleted-records")
	// A delete that hit no row is removed like any other, so that these are a bound and no more.
	least := deleted - count("removed-position-deletes")
	if count("removed-equality-deletes") > 0 {
		least = 0 // one such row deletes any number of others
	}
	if added > deleted || added < least {
		return failure.New(failure.Halt, CodeRows, "prove the table with ingestd verify --deep; roll it back to the snapshot before",
			"snapshot %d, made on %s, replaces %d rows by %d, %d positions deleted", s.SnapshotID, parent(s), deleted, added,
			count("removed-position-deletes"))
	}
	r.Snapshots++
	r.IDs = append(r.IDs, s.SnapshotID)
	r.RewrittenDataFiles += count("deleted-data-files")
	r.AddedDataFiles += count("added-data-files")
	r.RewrittenBytes += count("removed-files-size")
	r.AddedBytes += count("added-files-size")
	r.RemovedDeleteFiles += count("removed-delete-files")
	return nil
}
