package commit

import (
	"context"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
	ours "github.com/ingestd/ingestd/table"
)

// Sort makes the order given the table's default order, in a commit of its own, unless it is that already. Whatever
// order was the default before stays in the table's list: files go on naming it.
func (t *Table) Sort(ctx context.Context, by []ours.SortTerm) error {
	if t.sortedBy(by) {
		return nil
	}
	return t.change(ctx, "sort", "ordering", func() (func(context.Context) error, error) {
		if t.sortedBy(by) {
			return nil, nil
		}
		order, err := sortOrder(by, t.Schema())
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return t.trySort(ctx, order) }, nil
	})
}

// SortOrderID is the table's name for an order, 0 when it has none.
func (t *Table) SortOrderID(by []ours.SortTerm) int {
	want, err := sortOrder(by, t.Schema())
	if err != nil {
		return 0
	}
	for _, o := range t.view.meta.SortOrders() {
		if o.Len() > 0 && sameOrder(o, want) {
			return o.OrderID()
		}
	}
	return 0
}

func (t *Table) sortedBy(by []ours.SortTerm) bool {
	id := t.SortOrderID(by)
	return id != 0 && id == t.view.meta.DefaultSortOrder()
}

// trySort makes one attempt on the schema and the order last seen.
func (t *Table) trySort(ctx context.Context, order table.SortOrder) error {
	meta := t.view.meta
	var updates []table.Update
	next := table.InitialSortOrderID
	for _, o := range meta.SortOrders() {
		if o.Len() > 0 && sameOrder(o, order) {
			updates = []table.Update{table.NewSetDefaultSortOrderUpdate(o.OrderID())}
		}
		next = max(next, o.OrderID()+1)
	}
	if updates == nil {
		order, err := table.NewSortOrder(next, fieldsOf(order))
		if err != nil {
			return failure.Wrap(err, failure.Fatal, CodeFileSet, "please report this", "table %s: naming a sort order", t.spec.name())
		}
		updates = []table.Update{table.NewAddSortOrderUpdate(&order), table.NewSetDefaultSortOrderUpdate(-1)}
	}
	requirements := []table.Requirement{
		table.AssertTableUUID(meta.TableUUID()),
		table.AssertCurrentSchemaID(meta.CurrentSchema().ID),
		table.AssertDefaultSortOrderID(meta.DefaultSortOrder()),
	}
	_, _, err := t.cat.CommitTable(ctx, t.view.tbl.Identifier(), requirements, updates)
	return err
}

// sortOrder writes an order in the library's words.
func sortOrder(by []ours.SortTerm, sc *iceberg.Schema) (table.SortOrder, error) {
	if len(by) == 0 {
		return table.UnsortedSortOrder, nil
	}
	fields := make([]table.SortField, len(by))
	for i, s := range by {
		col, ok := sc.FindFieldByName(s.Column)
		if !ok {
			return table.SortOrder{}, failure.New(failure.Config, "E_SORT", "name a column of the table", "sort field %d: no column %s", i+1, s.Column)
		}
		fields[i] = table.SortField{SourceIDs: []int{col.ID}, Transform: iceberg.IdentityTransform{}, Direction: table.SortASC, NullOrder: table.NullsLast}
		if s.Descending {
			fields[i].Direction = table.SortDESC
		}
		if s.NullsFirst {
			fields[i].NullOrder = table.NullsFirst
		}
	}
	return table.NewSortOrder(table.InitialSortOrderID, fields)
}

func fieldsOf(o table.SortOrder) []table.SortField {
	fields := make([]table.SortField, o.Len())
	for i, f := range o.Fields() {
		fields[i] = f
	}
	return fields
}

// sameOrder compares two orders but for their names.
func sameOrder(a, b table.SortOrder) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i, f := range a.Fields() {
		if !f.Equals(b.Field(i)) {
			return false
		}
	}
	return true
}
