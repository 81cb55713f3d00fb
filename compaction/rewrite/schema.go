package rewrite

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// fileLeaf is a leaf of an input.
type fileLeaf struct {
	element  *format.SchemaElement
	def, rep int
	top      int32 // field id of the top-level field it belongs to
}

// match finds the column of the file for each leaf of the output, by field id. A top-level field that the file lacks is
// null throughout; columns that the output lacks are left behind.
func (f *file) match(l *column.Layout) error {
	leaves, err := leavesOf(f.meta.Schema)
	if err != nil {
		return err
	}
	byID, tops := map[int]int{}, map[int]bool{}
	for i := range leaves {
		id := int(leaves[i].element.FieldID)
		if id == 0 {
			continue
		}
		if _, twice := byID[id]; twice {
			return errFooter
		}
		byID[id] = i
		tops[int(leaves[i].top)] = true
	}
	f.source = make([]int, len(l.Leaves))
	for _, n := range l.Nodes {
		for i := n.Lo; i < n.Hi; i++ {
			leaf := &l.Leaves[i]
			col, ok := byID[leaf.FieldID]
			switch {
			case ok && leaf.FieldID != 0:
				if why := leaves[col].differs(leaf); why != "" {
					return f.unsupported("column %s %s", leaf.Name(), why)
				}
				f.source[i] = col
			case tops[n.Field.ID] || n.Field.ID == 0 || len(byID) == 0:
				return f.unsupported("there is no column with the field id of %s", leaf.Name())
			case n.Field.Required:
				return f.unsupported("the required column %s is missing", leaf.Name())
			default:
				f.source[i] = -1
			}
		}
	}
	return nil
}

// leavesOf walks the schema of a footer.
func leavesOf(els []format.SchemaElement) (out []fileLeaf, err error) {
	at := 0
	var walk func(def, rep, depth int, top int32) error
	walk = func(def, rep, depth int, top int32) error {
		if at >= len(els) || depth > 2*column.MaxDepth+2 {
			return errFooter
		}
		e := &els[at]
		at++
		if depth == 1 {
			top = e.FieldID
		}
		if depth > 0 {
			switch e.RepetitionType.V {
			case format.Optional:
				def++
			case format.Repeated:
				def, rep = def+1, rep+1
			default:
			}
		}
		if depth > 0 && (!e.NumChildren.Valid || e.NumChildren.V == 0) {
			out = append(out, fileLeaf{element: e, def: def, rep: rep, top: top})
			return nil
		}
		for range e.NumChildren.V {
			if err := walk(def, rep, depth+1, top); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(0, 0, 0, 0); err != nil {
		return nil, err
	}
	if at != len(els) {
		return nil, errFooter
	}
	return out, nil
}

// differs says in words why the pages of a leaf are none of the output's; nothing when they are.
func (c *fileLeaf) differs(leaf *column.Leaf) string {
	want := parquet.Element(leaf)
	switch e := c.element; {
	case !e.Type.Valid || e.Type.V != want.Type.V:
		return fmt.Sprintf("is stored as %v, not %v", e.Type.V, want.Type.V)
	case leaf.Physical == column.PhysFixed && e.TypeLength.V != want.TypeLength.V:
		return fmt.Sprintf("has values of %d bytes, not %d", e.TypeLength.V, want.TypeLength.V)
	case c.def != int(leaf.MaxDef) || c.rep != int(leaf.MaxRep):
		return "is nested or optional in another way"
	case annotationOf(e) != annotationOf(&want):
		return fmt.Sprintf("holds %s, not %s", annotationOf(e), annotationOf(&want))
	}
	return ""
}

func physicalOf(leaf *column.Leaf) format.Type { return parquet.Element(leaf).Type.V }

// annotationOf names the logical type of an element, whether it is told the newer or the older way.
func annotationOf(e *format.SchemaElement) string {
	if e.LogicalType.Value != nil {
		return logicalName(e.LogicalType.Value)
	}
	if !e.ConvertedType.Valid {
		return plainName
	}
	switch e.ConvertedType.V {
	case deprecated.UTF8:
		return logicalName(&format.StringType{})
	case deprecated.Date:
		return logicalName(&format.DateType{})
	case deprecated.TimeMicros:
		return logicalName(&format.TimeType{Unit: micros()})
	case deprecated.TimestampMicros:
		return logicalName(&format.TimestampType{Unit: micros(), IsAdjustedToUTC: true})
	case deprecated.Decimal:
		return logicalName(&format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V})
	case deprecated.Int32, deprecated.Int64:
		return plainName
	default:
		return fmt.Sprintf("converted type %d", e.ConvertedType.V)
	}
}

const plainName = "bare values"

func micros() format.TimeUnit { return format.TimeUnit{Value: &format.MicroSeconds{}} }

// logicalName leaves out what Iceberg does not tell apart.
func logicalName(v format.LogicalTypeValue) string {
	switch v := v.(type) {
	case *format.IntType:
		if v.IsSigned && v.BitWidth >= 32 {
			return plainName
		}
	case *format.TimeType:
		return fmt.Sprintf("time in %v", v.Unit.Value)
	}
	return fmt.Sprint(v)
}
