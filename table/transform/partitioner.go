package transform

import (
	"slices"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// Partitioner assigns rows to partitions. It remembers every tuple it has met until Reset.
type Partitioner struct {
	fields []*field
	// folds[i] gives the ordinal of (ordinal over the fields before i, code of field i), from the second on.
	folds  []map[uint64]uint32
	tuples []Tuple
	rows   []uint32 // result of Assign
}

// Compile prepares the partition spec for rows of layout, whose fields carry the ids of the loaded schema.
func Compile(spec *iceberg.PartitionSpec, layout *column.Layout) (*Partitioner, error) {
	p := &Partitioner{}
	decimals := 0
	for _, pf := range spec.Fields() {
		f, err := compileField(pf, layout)
		if err != nil {
			return nil, err
		}
		p.fields = append(p.fields, f)
		if f.term.Kind.keepsDecimal(f.typ) {
			decimals++
		}
	}
	if err := checkDecimals(decimals); err != nil {
		return nil, err
	}
	if len(p.fields) == 0 {
		return nil, failure.New(failure.Fatal, codePartition, "", "compiling a partition spec without fields")
	}
	p.folds = make([]map[uint64]uint32, len(p.fields))
	p.Reset()
	return p, nil
}

func compileField(pf iceberg.PartitionField, layout *column.Layout) (*field, error) {
	term, ok := fromIceberg(pf.Transform)
	if !ok || len(pf.SourceIDs) != 1 {
		return nil, failure.New(failure.Config, codePartition, "give the table a partition spec with the transforms "+strings.Join(kindNames[:], ", "),
			"reading partition field %s: transform %s cannot be written", pf.Name, pf.Transform)
	}
	f := &field{id: pf.FieldID, name: pf.Name, term: term, pub: pf.Transform, leaf: -1}
	if term.Kind == Void {
		return f, nil
	}
	i := slices.IndexFunc(layout.Nodes, func(n *column.Node) bool { return n.Field.ID == pf.SourceIDs[0] })
	if i < 0 {
		return nil, failure.New(failure.Config, codePartition, "partition by a top-level column; members of structs are not supported",
			"reading partition field %s: field %d is no top-level column", pf.Name, pf.SourceIDs[0])
	}
	n := layout.Nodes[i]
	f.term.Column, f.typ, f.leaf = n.Field.Name, n.Field.Type, n.Leaf
	if err := f.term.checkType(f.typ); err != nil {
		return nil, err
	}
	f.choose()
	return f, nil
}

// Assign gives the ordinal of each of the set's rows, which are all the set holds: a staging set, never absorbed,
// Check(rows) passed. The result is good until the next call. Ordinals count from 0 and stay until Reset.
func (p *Partitioner) Assign(set *column.Set, rows int) []uint32 {
	for _, f := range p.fields {
		f.assign(set, rows)
	}
	p.rows = append(p.rows[:0], p.fields[0].codes[:rows]...)
	for i := 1; i < len(p.fields); i++ {
		fold(p.folds[i], p.rows, p.fields[i].codes)
	}
	for r, o := range p.rows {
		if int(o) == len(p.tuples) {
			p.tuples = append(p.tuples, p.tuple(r))
		}
	}
	return p.rows
}

// fold replaces ordinals over the fields so far by ordinals over one field more. New pairs get the next ordinal
// in the order of their rows, which is what lets Assign find new tuples by counting.
func fold(pairs map[uint64]uint32, ordinals, codes []uint32) {
	last, lastPair := uint32(0), ^uint64(0)
	for r, o := range ordinals {
		pair := uint64(o)<<32 | uint64(codes[r])
		if pair == lastPair {
			ordinals[r] = last
			continue
		}
		n, ok := pairs[pair]
		if !ok {
			n = uint32(len(pairs))
			pairs[pair] = n
		}
		ordinals[r], last, lastPair = n, n, pair
	}
}

// tuple makes the tuple of row r of the last Assign.
func (p *Partitioner) tuple(r int) Tuple {
	t := Tuple{values: make([]any, len(p.fields)), ids: make([]int, len(p.fields))}
	var key, path strings.Builder
	for i, f := range p.fields {
		t.ids[i] = f.id
		t.values[i] = f.value(f.codes[r])
		key.WriteString(f.key(f.codes[r]))
		if i > 0 {
			path.WriteByte('/')
		}
		path.WriteString(segment(f.name, f.pub.ToHumanStrType(f.result(), t.values[i])))
	}
	t.key, t.path = key.String(), path.String()
	return t
}

// Tuple gives the partition tuple of an ordinal.
func (p *Partitioner) Tuple(ordinal uint32) Tuple { return p.tuples[ordinal] }

// Len is the number of tuples met since Reset.
func (p *Partitioner) Len() int { return len(p.tuples) }

// bytesPerTuple is what a tuple and its way through maps and dictionaries take, estimated from above for short
// values.
const bytesPerTuple = 512

// Bytes estimates the memory of what has been met.
func (p *Partitioner) Bytes() int64 {
	n := int64(len(p.tuples)) * bytesPerTuple
	for _, f := range p.fields {
		n += f.text
	}
	return n
}

// Reset forgets all tuples; the ordinals given so far are void.
func (p *Partitioner) Reset() {
	p.tuples = nil
	for i, f := range p.fields {
		f.reset()
		p.folds[i] = map[uint64]uint32{}
	}
}
