package ingest

import (
	"context"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/schemareg/rawrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

// shape is one version of a table's columns and how they become files. It is immutable; an evolution makes a new one.
type shape struct {
	layout    *column.Layout
	schemaID  int
	spec      *iceberg.PartitionSpec
	blooms    []parquet.Bloom
	order     []column.SortKey
	assembler *table.Assembler
	// audit, key and value split the top-level columns by who fills them.
	audit, key, value []*column.Node
}

// newShape reads the table's current schema.
func (o *owner) newShape() (*shape, error) {
	schema := o.table.Schema()
	fields, err := table.Fields(schema)
	if err != nil {
		return nil, err
	}
	sh := &shape{schemaID: schema.ID}
	if sh.layout, err = column.NewLayout(fields); err != nil {
		return nil, failure.Wrap(err, failure.Halt, "E_TABLE_SCHEMA", "the table has columns ingestd cannot write", "reading the schema of table %s", o.name)
	}
	spec := o.table.PartitionSpec()
	sh.spec = &spec
	sh.blooms = table.BloomFilters(sh.layout, o.table.Properties())
	if sh.order, err = table.SortKeys(o.opts.SortBy, sh.layout); err != nil {
		return nil, err
	}
	sh.audit, sh.key, sh.value = o.opts.Split(sh.layout)
	sh.assembler, err = table.NewAssembler(table.AssemblerOptions{
		Layout: sh.layout, Schema: schema, Spec: sh.spec, Location: o.table.Location(), Properties: o.table.Properties(), Store: o.store(),
		SortOrderID: o.table.SortOrderID(o.opts.SortBy),
	})
	return sh, err
}

// equip gives every lane a sink.
func (o *owner) equip() error {
	lanes := o.source.lanes
	sinks := make([]*sink, len(lanes))
	for i, l := range lanes {
		s := &sink{owner: o, lane: l}
		if err := s.equip(o.shape); err != nil {
			return err
		}
		sinks[i] = s
	}
	o.sinks = sinks
	return nil
}

// equip gives the sink columns and programs of a shape. Before, it has been cut.
func (s *sink) equip(sh *shape) error {
	o := s.owner
	enc, err := s.lane.encoder(o.opts.Parquet)
	if err != nil {
		return err
	}
	s.writer, err = table.NewWriter(table.WriterOptions{
		Layout: sh.layout, Spec: sh.spec, Encoder: enc, Blooms: sh.blooms, Order: sh.order, MaxOpenBytes: o.budget.open(len(o.source.lanes)),
	})
	if err != nil {
		return err
	}
	s.decoder, err = o.newDecoder(sh, s.writer.Set())
	return err
}

// newDecoder wires the parts of a decoder to columns.
func (o *owner) newDecoder(sh *shape, set *column.Set) (*decoder, error) {
	d := &decoder{set: set, policies: o.opts.Errors}
	var err error
	if d.value, err = o.valuePart(sh, set); err != nil {
		return nil, err
	}
	if o.opts.Value.Format != FormatRaw {
		d.nullable = true
		if o.opts.Value.NullRows {
			if d.nulls, err = rawrec.NewNulls(set, sh.value); err != nil {
				return nil, err
			}
		}
	}
	if d.key, err = o.keyPart(sh, set); err != nil {
		return nil, err
	}
	if len(sh.audit) > 0 {
		d.audit, err = table.NewAudit(set)
	}
	return d, err
}

func (o *owner) valuePart(sh *shape, set *column.Set) (part, error) {
	switch o.opts.Value.Format {
	case FormatJSON:
		p, err := jsonrec.Compile(o.opts.Value.Schema, set, jsonrec.Options{Nodes: some(sh.value)})
		return &jsonPart{schemareg.Value, p}, err
	case FormatRaw:
		w, err := rawrec.New(set, sh.value)
		return &rawPart{writer: w}, err
	default:
		return &avroPart{half: schemareg.Value, set: set, opts: avro.CompileOptions{Nodes: some(sh.value)}, schemas: o.schemas, programs: map[schemareg.Ref]*avro.Program{}}, nil
	}
}

func (o *owner) keyPart(sh *shape, set *column.Set) (part, error) {
	switch o.opts.Key.Format {
	case FormatOff:
		return nil, nil
	case FormatRaw:
		k, err := rawrec.NewKey(set, sh.key[0])
		return &rawKey{k}, err
	case FormatJSON:
		p, err := jsonrec.Compile(o.opts.Key.Schema, set, jsonrec.Options{Nodes: stripped(sh.key, o.opts.Key.Prefix)})
		if err != nil {
			return nil, err
		}
		return newNullableKey(set, sh.key, &jsonPart{schemareg.Key, p})
	default:
		a := &avroPart{half: schemareg.Key, key: o.opts.Key, set: set, opts: avro.CompileOptions{Nodes: some(sh.key)}, schemas: o.schemas, programs: map[schemareg.Ref]*avro.Program{}}
		return newNullableKey(set, sh.key, a)
	}
}

// store is where the table's files go, with whatever credentials the catalog gave out with the newest load.
func (o *owner) store() store.Store {
	return store.Following(func(ctx context.Context) (iceio.IO, error) { return o.table.Iceberg().FS(ctx) })
}
