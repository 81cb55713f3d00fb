package compaction

import (
	"fmt"
	"io"
	"strings"
)

// shownGroups is the number of groups that Explain tells one by one.
const shownGroups = 20

// Explain writes a plan for people.
func (p *Plan) Explain(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "snapshot %d: %d data files, %s\n", p.Snapshot, p.Files, size(p.Bytes))
	if len(p.Groups) == 0 {
		b.WriteString("nothing is worth a rewrite\n")
	} else {
		fmt.Fprintf(b, "to rewrite: %d files, %s, into %d; a full scan saves %s\n", p.Rewrite, size(p.RewriteBytes), p.Outputs, size(p.Saved))
	}
	for i, g := range p.Groups {
		if i == shownGroups {
			fmt.Fprintf(b, "  and %d groups more\n", len(p.Groups)-i)
			break
		}
		fmt.Fprintf(b, "  %s: %d files, %s, %d rows -> %d of about %s (%s)\n", named(g.Partition), len(g.Files), size(g.Bytes), g.Rows, g.Outputs, size(g.Live), g.Why)
	}
	for i, l := range p.Left {
		if i == shownGroups {
			fmt.Fprintf(b, "  and %d more left alone\n", len(p.Left)-i)
			break
		}
		fmt.Fprintf(b, "  %s: %d files, %s left alone: %s\n", named(l.Partition), l.Files, size(l.Bytes), l.Why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Explain writes a result for people.
func (r *RewriteResult) Explain(w io.Writer) error {
	if r.DryRun {
		return r.Plan.Explain(w)
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "rewritten: %d files, %s, into %d files, %s", r.Rewritten, size(r.RewrittenBytes), r.Added, size(r.AddedBytes))
	if r.RemovedDeletes > 0 {
		fmt.Fprintf(b, "; %d delete files removed", r.RemovedDeletes)
	}
	b.WriteByte('\n')
	for _, s := range r.Snapshots {
		fmt.Fprintf(b, "snapshot %s\n", s)
	}
	if r.Failed > 0 {
		fmt.Fprintf(b, "failed: %d files are left as they are\n", r.Failed)
	}
	if r.Superseded > 0 {
		fmt.Fprintf(b, "given up: rewrites of %d files that others changed meanwhile\n", r.Superseded)
	}
	if r.Left {
		b.WriteString("there is more to do: others were faster, or came first\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func named(partition string) string {
	if partition == "" {
		return "all"
	}
	return partition
}

// size writes a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	f, i := float64(n), 0
	for f >= unit && i < 4 {
		f /= unit
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGT"[i-1])
}
