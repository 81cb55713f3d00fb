package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	icetable "github.com/apache/iceberg-go/table"
)

// outside carries work out beyond the bubble of a run. The libraries that read and write Parquet keep things for the whole
// process, which must not belong to one bubble; waiting for the work lets no virtual time pass.
type outside struct {
	ask  chan func()
	done chan struct{}
}

// newOutside has to be called outside of the bubble; stop ends it.
func newOutside() (o *outside, stop func()) {
	o = &outside{ask: make(chan func()), done: make(chan struct{})}
	go func() {
		for f := range o.ask {
			f()
			o.done <- struct{}{}
		}
	}()
	return o, func() { close(o.ask) }
}

func (o *outside) do(f func()) {
	o.ask <- f
	<-o.done
}

// compactFiles rewrites some live files of a table into one, as another engine's compaction does: the same rows, read and
// written with iceberg-go. What the processes commit meanwhile does not disturb it, as long as its files are still there.
func (w *world) compactFiles(n int) bool {
	name, meta := w.pick(n)
	if meta == nil || meta.CurrentSnapshot() == nil || w.outside == nil {
		return false
	}
	tbl, _, err := w.engineView(name)
	var group icetable.CompactionGroupResult
	if err == nil {
		w.outside.do(func() { group, err = rewritten(tbl, n) })
	}
	if err != nil {
		w.fail("rewriting files of %s: %v", name, err)
		return false
	}
	if len(group.OldDataFiles) == 0 {
		return false
	}
	for range 5 {
		if !w.wait(time.Duration(n%3000) * time.Millisecond) {
			return false
		}
		if err = w.replaceFiles(name, group); err == nil {
			w.log("operator", "%d files of %s are rewritten as %d", len(group.OldDataFiles), name, len(group.NewDataFiles))
			return true
		}
		w.log("operator", "rewriting files of %s: %v", name, err)
	}
	for _, f := range group.NewDataFiles {
		_ = w.warehouse.remove(f.FilePath(), "an engine that gave up")
	}
	return false
}

// engineView is a table as another engine sees it.
func (w *world) engineView(name string) (*icetable.Table, *files, error) {
	g := newGate(w, "engine", func() {})
	g.calm = true
	tbl, err := w.lake.view(g, w.shape.staged).LoadTable(w.ctx, ident(name))
	return tbl, &files{warehouse: w.warehouse, gate: g}, err
}

// rewritten writes the rows of some files of one partition into others.
func rewritten(tbl *icetable.Table, n int) (none icetable.CompactionGroupResult, err error) {
	tasks, err := tbl.Scan().PlanFiles(context.Background())
	if err != nil {
		return none, err
	}
	places := map[string][]icetable.FileScanTask{}
	for _, t := range tasks {
		at := fmt.Sprint(t.File.SpecID(), t.File.Partition())
		places[at] = append(places[at], t)
	}
	for _, at := range slices.Sorted(maps.Keys(places)) {
		list := places[at]
		if len(list) < 2 {
			continue
		}
		slices.SortFunc(list, func(a, b icetable.FileScanTask) int { return strings.Compare(a.File.FilePath(), b.File.FilePath()) })
		from := n % (len(list) - 1)
		list = list[from:min(len(list), from+2+n%5)]
		return icetable.ExecuteCompactionGroup(context.Background(), tbl, icetable.CompactionTaskGroup{PartitionKey: at, Tasks: list})
	}
	return none, nil
}

// replaceFiles commits a rewrite on the head as it is now.
func (w *world) replaceFiles(name string, group icetable.CompactionGroupResult) error {
	tbl, _, err := w.engineView(name)
	if err != nil {
		return err
	}
	tx := tbl.NewTransaction()
	if err := tx.NewRewrite(nil).ApplyResult(group).Commit(w.ctx); err != nil {
		return err
	}
	staged, err := tx.TableCommit()
	if err != nil {
		return err
	}
	_, _, err = w.lake.CommitTable(w.ctx, tbl.Identifier(), staged.Requirements, staged.Updates)
	return err
}
