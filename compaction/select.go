package compaction

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

// selection says which files of an inventory lie in the partitions that a condition is about. What the condition names has
// to be told by the partitions of the table's spec; files of older specs that do not tell it are left out.
func selection(text string, meta icetable.Metadata, inv *Inventory) (func(File) bool, error) {
	c, err := parseWhere(text)
	if err != nil {
		return nil, err
	}
	tests := map[int]func(map[int]any) (bool, error){}
	for _, spec := range meta.PartitionSpecs() {
		on := placing{schema: meta.CurrentSchema(), spec: spec, lenient: spec.ID() != meta.DefaultPartitionSpec()}
		if tests[spec.ID()], err = on.test(c); err != nil {
			return nil, err
		}
	}
	return func(f File) bool {
		test, task := tests[f.Spec], inv.tasks[f.Path]
		if test == nil || task.File == nil {
			return false
		}
		in, err := test(task.File.Partition())
		return err == nil && in
	}, nil
}

// placing turns conditions on names into conditions on the partitions of one spec.
type placing struct {
	schema *iceberg.Schema
	spec   iceberg.PartitionSpec
	// lenient: what the spec does not tell holds for none of its partitions.
	lenient bool
}

// test makes the condition one of the values of a partition, by field id.
func (p placing) test(c *condition) (func(map[int]any) (bool, error), error) {
	expr, err := p.place(c)
	if err != nil {
		return nil, err
	}
	fields := p.spec.PartitionType(p.schema).FieldList
	holds, err := iceberg.ExpressionEvaluator(iceberg.NewSchema(0, fields...), expr, true)
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, CodeWhere, hintWhere, "reading the condition")
	}
	return func(values map[int]any) (bool, error) {
		row := make(tuple, len(fields))
		for i, f := range fields {
			row[i] = typed(f.Type, values[f.ID])
		}
		return holds(row)
	}, nil
}

// place gives the condition that a partition fulfils when it may hold rows that fulfil c.
func (p placing) place(c *condition) (iceberg.BooleanExpression, error) {
	if len(c.kids) == 0 {
		return p.compare(c)
	}
	var all iceberg.BooleanExpression
	for _, kid := range c.kids {
		one, err := p.place(kid)
		switch {
		case err != nil:
			return nil, err
		case all == nil:
			all = one
		case c.op == "and":
			all = iceberg.NewAnd(all, one)
		default:
			all = iceberg.NewOr(all, one)
		}
	}
	return all, nil
}

// compare places a comparison: with the value of a partition field, by its name, or with a column that fields are made of.
func (p placing) compare(c *condition) (iceberg.BooleanExpression, error) {
	var made []iceberg.PartitionField
	for _, f := range p.spec.Fields() {
		if _, void := f.Transform.(iceberg.VoidTransform); void {
			continue
		}
		column, known := p.schema.FindColumnName(f.SourceID())
		source, there := p.schema.FindTypeByID(f.SourceID())
		switch {
		case !known || !there:
		case f.Name == c.name:
			expr, err := c.predicate(f.Transform.ResultType(source), func() (iceberg.Literal, error) { return fieldLiteral(c.value, f.Transform, source) })
			if err != nil {
				return nil, err
			}
			return c.known(f.Name, expr), nil
		case column == c.name:
			made = append(made, f)
		}
	}
	if len(made) == 0 {
		if p.lenient {
			return iceberg.AlwaysFalse{}, nil
		}
		return nil, failure.New(failure.Config, CodeWhere, p.names(), "the partitions do not tell %q", c.name)
	}
	return p.project(c, made)
}

// project gives what a comparison of a column says of the fields that are made of it.
func (p placing) project(c *condition, made []iceberg.PartitionField) (iceberg.BooleanExpression, error) {
	t, _ := p.schema.FindTypeByID(made[0].SourceID())
	expr, err := c.predicate(t, func() (iceberg.Literal, error) { return literalOf(c.value, t) })
	if err != nil {
		return nil, err
	}
	bound, err := iceberg.BindExpr(p.schema, expr, true)
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, CodeWhere, hintWhere, "comparing %q", c.name)
	}
	pred, ok := bound.(iceberg.BoundPredicate)
	if !ok {
		return bound, nil // always true or false: no such value fits the column
	}
	var all iceberg.BooleanExpression
	for _, f := range made {
		one, err := f.Transform.Project(f.Name, pred)
		if err != nil {
			return nil, failure.Wrap(err, failure.Config, CodeWhere, hintWhere, "comparing %q", c.name)
		}
		if one != nil && all != nil {
			all = iceberg.NewAnd(all, c.known(f.Name, one))
		} else if one != nil {
			all = c.known(f.Name, one)
		}
	}
	if all == nil {
		return nil, failure.New(failure.Config, CodeWhere, p.names(), "the partitions do not tell where %s %s %q", c.name, c.op, c.value)
	}
	return all, nil
}

// known adds that a field has a value: to the library null is the smallest one, in SQL no comparison holds for it.
func (c *condition) known(field string, expr iceberg.BooleanExpression) iceberg.BooleanExpression {
	if c.op == "null" || c.op == "not null" {
		return expr
	}
	return iceberg.NewAnd(iceberg.NotNull(iceberg.Reference(field)), expr)
}

// names tells what can be asked for.
func (p placing) names() string {
	var out []string
	for _, f := range p.spec.Fields() {
		if _, void := f.Transform.(iceberg.VoidTransform); void {
			continue
		}
		column, _ := p.schema.FindColumnName(f.SourceID())
		if column != f.Name {
			out = append(out, fmt.Sprintf("%s (%s of %s)", f.Name, f.Transform, column))
		} else {
			out = append(out, f.Name)
		}
	}
	if len(out) == 0 {
		return "the table is not partitioned: leave the condition out"
	}
	return "the partitions are by " + strings.Join(out, ", ")
}

// predicate is a comparison with a constant of a type.
func (c *condition) predicate(t iceberg.Type, constant func() (iceberg.Literal, error)) (iceberg.BooleanExpression, error) {
	name := iceberg.Reference(c.name)
	switch c.op {
	case "null":
		return iceberg.IsNull(name), nil
	case "not null":
		return iceberg.NotNull(name), nil
	}
	value, err := constant()
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, CodeWhere, hintWhere, "%q is compared with a value of type %s", c.name, t)
	}
	op := map[string]iceberg.Operation{
		"=": iceberg.OpEQ, "!=": iceberg.OpNEQ, "<": iceberg.OpLT, "<=": iceberg.OpLTEQ, ">": iceberg.OpGT, ">=": iceberg.OpGTEQ,
	}[c.op]
	return iceberg.LiteralPredicate(op, name, value), nil
}

// fieldLiteral reads a value of a partition field as paths have it: 2026, 2026-11, 2026-11-01 and 2026-11-01-13, or as
// metadata has it: the number of months or hours since 1970.
func fieldLiteral(text string, by iceberg.Transform, source iceberg.Type) (iceberg.Literal, error) {
	switch by.(type) {
	case iceberg.YearTransform:
		n, err := strconv.Atoi(text)
		return iceberg.Int32Literal(n - 1970), err
	case iceberg.MonthTransform:
		if at, err := time.Parse("2006-01", text); err == nil {
			return iceberg.Int32Literal((at.Year()-1970)*12 + int(at.Month()) - 1), nil
		}
	case iceberg.HourTransform:
		for _, layout := range []string{"2006-01-02-15", "2006-01-02T15", "2006-01-02 15"} {
			if at, err := time.Parse(layout, text); err == nil {
				return iceberg.Int32Literal(floorDiv(at.Unix(), 3600)), nil
			}
		}
	}
	return literalOf(text, by.ResultType(source))
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// literalOf reads a value of a type. Times without a zone are UTC's.
func literalOf(text string, t iceberg.Type) (iceberg.Literal, error) {
	switch t.(type) {
	case iceberg.TimestampType, iceberg.TimestampTzType, iceberg.TimestampNsType, iceberg.TimestampTzNsType:
	default:
		return iceberg.StringLiteral(text).To(t)
	}
	for _, layout := range []string{
		"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00",
	} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		switch t.(type) {
		case iceberg.TimestampNsType, iceberg.TimestampTzNsType:
			return iceberg.TimestampNsLiteral(at.UnixNano()), nil
		}
		return iceberg.TimestampLiteral(at.UnixMicro()), nil
	}
	return nil, fmt.Errorf("%q is no time such as 2026-11-01 13:00:00", text)
}

// tuple is a partition's values in the order of its fields.
type tuple []any

func (t tuple) Size() int          { return len(t) }
func (t tuple) Get(pos int) any    { return t[pos] }
func (t tuple) Set(pos int, v any) { t[pos] = v }

// typed is a partition value as the library compares it.
func typed(t iceberg.Type, v any) any {
	var n int64
	switch v := v.(type) {
	case int32:
		n = int64(v)
	case int64:
		n = v
	default:
		return v
	}
	switch t.(type) {
	case iceberg.Int32Type:
		return int32(n)
	case iceberg.DateType:
		return iceberg.Date(n)
	case iceberg.TimeType:
		return iceberg.Time(n)
	case iceberg.TimestampType, iceberg.TimestampTzType:
		return iceberg.Timestamp(n)
	case iceberg.TimestampNsType, iceberg.TimestampTzNsType:
		return iceberg.TimestampNano(n)
	}
	return n
}
