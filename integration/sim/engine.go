package sim

import (
	"fmt"
	"sync"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/integration/checker"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// engine is another writer of the tables. Its rows have ids of their own and come from no topic.
type engine struct {
	mu   sync.Mutex
	last int64
	// rows are those of each table, by id: true as long as they have to be there.
	rows map[string]map[int64]bool
}

// foreignIDs is where its ids begin, beyond all those of records.
const foreignIDs = 1 << 40

func newEngine() *engine { return &engine{last: foreignIDs, rows: map[string]map[int64]bool{}} }

// doubt says that the rows of a table may be gone: somebody takes the table back, or drops it.
func (e *engine) doubt(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.rows[name] {
		e.rows[name][id] = false
	}
}

func (e *engine) next(n int) (ids []int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range n {
		e.last++
		ids = append(ids, e.last)
	}
	return ids
}

func (e *engine) wrote(name string, ids []int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rows[name] == nil {
		e.rows[name] = map[int64]bool{}
	}
	for _, id := range ids {
		e.rows[name][id] = true
	}
}

// expect adds the rows of a table to what is expected of it.
func (e *engine) expect(t tableShape, into checker.Expected) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, must := range e.rows[t.name] {
		rec := checker.Record{Partition: -1, Offset: -1, ID: id}
		if len(t.topics) == 1 {
			rec.Topic = t.topics[0]
		}
		into.May[id] = rec
		if must {
			into.Must[id] = true
		}
	}
}

// append commits rows as another engine does. It has to win against the processes, and tries a few times.
func (w *world) append(n int) bool {
	name, meta := w.pick(n)
	if meta == nil || meta.CurrentSnapshot() == nil {
		return false
	}
	ids := w.engine.next(1 + n%4)
	for range 5 {
		err := w.addRows(name, ids)
		if err == nil {
			w.engine.wrote(name, ids)
			return true
		}
		w.log("operator", "appending to %s: %v", name, err)
		w.wait(time.Second)
	}
	return false
}

func (w *world) addRows(name string, ids []int64) error {
	tbl, access, err := w.engineView(name)
	if err != nil {
		return err
	}
	fields, err := table.Fields(tbl.Schema())
	if err != nil {
		return err
	}
	layout, err := column.NewLayout(fields)
	if err != nil {
		return err
	}
	parts, err := rowsOf(layout, tbl, ids)
	if err != nil {
		return err
	}
	a, err := table.NewAssembler(table.AssemblerOptions{Layout: layout, Schema: tbl.Schema(), Spec: spec(tbl), Location: tbl.Location(),
		Properties: tbl.Properties(), Store: &storeView{access}})
	if err != nil {
		return err
	}
	written, err := a.Assemble(w.ctx, fmt.Sprintf("engine-%d", time.Since(w.began)), parts)
	if err != nil {
		return err
	}
	tx := tbl.NewTransaction()
	if err := tx.NewRowDelta(nil).AddRows(written.Data...).Commit(w.ctx); err != nil {
		return err
	}
	staged, err := tx.TableCommit()
	if err != nil {
		return err
	}
	_, _, err = w.lake.CommitTable(w.ctx, tbl.Identifier(), staged.Requirements, staged.Updates)
	return err
}

func rowsOf(layout *column.Layout, tbl *icetable.Table, ids []int64) ([]table.Part, error) {
	enc, err := parquet.NewEncoder(parquet.Options{})
	if err != nil {
		return nil, err
	}
	out, err := table.NewWriter(table.WriterOptions{Layout: layout, Spec: spec(tbl), Encoder: enc})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		for _, n := range layout.Nodes {
			if n.Field.Name != "id" {
				out.Set().AppendNulls(n)
				continue
			}
			c := out.Set().Columns[n.Leaf]
			if c.AppendInt64(id); c.Optional() {
				c.SetValid()
			}
		}
	}
	if err := out.Absorb(); err != nil {
		return nil, err
	}
	return out.Cut()
}

// spec is the partition spec of a table.
func spec(tbl *icetable.Table) *iceberg.PartitionSpec {
	s := tbl.Spec()
	return &s
}
