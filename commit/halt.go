package commit

import (
	"context"
	"fmt"
	"strings"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// Codes of the failures that commit reports. They are stable and documented.
const (
	CodeRolledBack       = "E_TABLE_ROLLED_BACK"
	CodeReplaced         = "E_TABLE_REPLACED"
	CodeRecreated        = "E_TABLE_RECREATED"
	CodeDropped          = "E_TABLE_DROPPED"
	CodeMissing          = "E_TABLE_MISSING"
	CodeMetadataMissing  = "E_METADATA_MISSING"
	CodeEmpty            = "E_TABLE_EMPTY"
	CodeFormatVersion    = "E_FORMAT_VERSION"
	CodeBranch           = "E_BRANCH"
	CodeStateAmbiguous   = "E_STATE_AMBIGUOUS"
	CodeStateUnreadable  = "E_STATE_UNREADABLE"
	CodeStateLost        = "E_STATE_LOST"
	CodeStateSize        = "E_STATE_SIZE"
	CodeStateVersion     = "E_STATE_VERSION"
	CodeConfigSuperseded = "E_CONFIG_SUPERSEDED"
	CodeConfigEpoch      = "E_CONFIG_EPOCH"
	CodeSchemaConflict   = "E_SCHEMA_CONFLICT"
	CodeCommitRefused    = "E_COMMIT_REFUSED"
	CodeCommitUnknown    = "E_COMMIT_UNKNOWN"
	CodeCatalog          = "E_CATALOG"
	CodeFileSet          = "E_FILE_SET"
)

// name is the table as people write it.
func (s *Spec) name() string { return strings.Join(s.Identifier, ".") }

func (s *Spec) halt(code, hint, format string, args ...any) error {
	return failure.New(failure.Halt, code, hint, "table %s: %s", s.name(), fmt.Sprintf(format, args...))
}

// command is the one by which an operator decides about the table.
func (s *Spec) command(v Verb) string { return fmt.Sprintf("ingestd tables %s %s", v, s.name()) }

func (s *Spec) rolledBack(m *state.Mirror, stands int64) error {
	return s.halt(CodeRolledBack,
		"to read again what the rollback took away: "+s.command(Resume)+"; to leave it out: "+s.command(AcceptLoss)+"; otherwise roll the table forward",
		"branch %s was rolled back: its state is that of snapshot %d, but ingestd committed snapshot %d after it", s.Branch, stands, m.SnapshotID)
}

func (s *Spec) replaced(m *state.Mirror, head int64) error {
	return s.halt(CodeReplaced, "say where to go on: "+s.command(Adopt)+" --from stored (or earliest, latest, an offset, a time)",
		"branch %s no longer descends from snapshot %d that ingestd committed: the table was replaced", s.Branch, m.SnapshotID)
}

func (s *Spec) ambiguous(m *state.Mirror) error {
	return s.halt(CodeStateAmbiguous, "if it does: "+s.command(Adopt)+" --from stored; otherwise set the branch to a snapshot that does",
		"snapshot %d that ingestd committed still exists, but expired snapshots hide whether branch %s descends from it", m.SnapshotID, s.Branch)
}

func (s *Spec) recreated() error {
	return s.halt(CodeRecreated, "say where to go on in the new table: "+s.command(Adopt)+" --from earliest (or latest, an offset, a time)",
		"the table was dropped and created again: its uuid has changed")
}

func (s *Spec) dropped(err error) error {
	return failure.Wrap(err, failure.Halt, CodeDropped, "restore the table: ingestd goes on by itself; or restart ingestd to create it anew",
		"table %s no longer exists", s.name())
}

func (s *Spec) gone(err error) error {
	return failure.Wrap(err, failure.Halt, CodeMetadataMissing,
		"restore that file (a versioned bucket still has it), or point the catalog back to an earlier metadata file of the table, or drop the table; no data is read or written until then",
		"table %s: the metadata file that the catalog names is not there", s.name())
}

// canceled reports that the context ended before the outcome was known; unknown says that something was sent.
func canceled(ctx context.Context, what string, unknown bool) error {
	if unknown {
		return failure.Wrap(context.Cause(ctx), failure.Unknown, CodeCommitUnknown,
			"nothing to do: the next start reads the outcome from the table", "%s: outcome is not known yet", what)
	}
	return fmt.Errorf("%s: %w", what, context.Cause(ctx))
}
