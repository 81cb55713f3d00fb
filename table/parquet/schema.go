package parquet

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// schemaElements flattens the layout depth first, as a footer has it, with Iceberg's mapping of types and field ids.
func schemaElements(l *column.Layout) []format.SchemaElement {
	els := []format.SchemaElement{{Name: "table", NumChildren: thrift.New(int32(len(l.Nodes)))}}
	for _, n := range l.Nodes {
		els = appendNode(els, n, n.Field.Name)
	}
	return els
}

func appendNode(els []format.SchemaElement, n *column.Node, name string) []format.SchemaElement {
	rep := format.Required
	if !n.Field.Required {
		rep = format.Optional
	}
	el := format.SchemaElement{Name: name, RepetitionType: thrift.New(rep), FieldID: int32(n.Field.ID)}
	switch n.Field.Type.Kind {
	case column.Struct:
		el.NumChildren = thrift.New(int32(len(n.Children)))
		els = append(els, el)
		for _, c := range n.Children {
			els = appendNode(els, c, c.Field.Name)
		}
		return els
	case column.List:
		el.NumChildren = thrift.New(int32(1))
		el.LogicalType.Value = &format.ListType{}
		el.ConvertedType = thrift.New(deprecated.List)
		els = append(els, el, repeatedGroup("list", 1))
		return appendNode(els, n.Children[0], "element")
	case column.Map:
		el.NumChildren = thrift.New(int32(1))
		el.LogicalType.Value = &format.MapType{}
		el.ConvertedType = thrift.New(deprecated.Map)
		els = append(els, el, repeatedGroup("key_value", 2))
		els = appendNode(els, n.Children[0], "key")
		return appendNode(els, n.Children[1], "value")
	default:
		annotate(&el, n.Field.Type)
		return append(els, el)
	}
}

func repeatedGroup(name string, children int32) format.SchemaElement {
	return format.SchemaElement{Name: name, RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New(children)}
}

// annotate sets physical and logical type of a leaf. The older converted types are set where they say the same;
// they cannot express a time or timestamp without zone.
func annotate(el *format.SchemaElement, t column.Type) {
	leaf := column.LeafOf(t)
	el.Type = thrift.New(physicalTypes[leaf.Physical])
	if leaf.Physical == column.PhysFixed {
		el.TypeLength = thrift.New(int32(leaf.FixedLen))
	}
	micros, nanos := format.TimeUnit{Value: &format.MicroSeconds{}}, format.TimeUnit{Value: &format.NanoSeconds{}}
	switch t.Kind {
	case column.String:
		el.LogicalType.Value = &format.StringType{}
		el.ConvertedType = thrift.New(deprecated.UTF8)
	case column.UUID:
		el.LogicalType.Value = &format.UUIDType{}
	case column.Date:
		el.LogicalType.Value = &format.DateType{}
		el.ConvertedType = thrift.New(deprecated.Date)
	case column.Time:
		el.LogicalType.Value = &format.TimeType{Unit: micros}
	case column.Timestamp:
		el.LogicalType.Value = &format.TimestampType{Unit: micros}
	case column.TimestampTZ:
		el.LogicalType.Value = &format.TimestampType{Unit: micros, IsAdjustedToUTC: true}
		el.ConvertedType = thrift.New(deprecated.TimestampMicros)
	case column.TimestampNs:
		el.LogicalType.Value = &format.TimestampType{Unit: nanos}
	case column.TimestampTZNs:
		el.LogicalType.Value = &format.TimestampType{Unit: nanos, IsAdjustedToUTC: true}
	case column.Decimal:
		el.LogicalType.Value = &format.DecimalType{Scale: int32(t.Scale), Precision: int32(t.Precision)}
		el.ConvertedType = thrift.New(deprecated.Decimal)
		el.Scale, el.Precision = thrift.New(int32(t.Scale)), thrift.New(int32(t.Precision))
	default: // the physical type says it all
	}
}

var physicalTypes = [...]format.Type{
	column.PhysBool: format.Boolean, column.PhysInt32: format.Int32, column.PhysInt64: format.Int64,
	column.PhysFloat: format.Float, column.PhysDouble: format.Double,
	column.PhysBytes: format.ByteArray, column.PhysFixed: format.FixedLenByteArray,
}
