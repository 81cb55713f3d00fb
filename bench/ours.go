package main

import (
	"io"

	"github.com/ingestd/ingestd/bench/records"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// batch is how many records are decoded between two calls of Absorb, as a lane does it.
const batch = 500

// decoder appends a record to the columns it was compiled for.
type decoder interface{ Decode(b []byte) error }

// compiler makes a decoder for the columns of a set.
type compiler func(*column.Set) (decoder, error)

// pipeline is the product's way from records to a file. It lives as long as a lane does: what it learns about the
// columns in one file serves the next.
type pipeline struct {
	layout *column.Layout
	group  *parquet.RowGroup
	decode decoder
}

func newPipeline(fields []column.Field, compile compiler, o parquet.Options) (*pipeline, error) {
	number(fields, new(int))
	l, err := column.NewLayout(fields)
	if err != nil {
		return nil, err
	}
	enc, err := parquet.NewEncoder(o)
	if err != nil {
		return nil, err
	}
	p := &pipeline{layout: l, group: parquet.NewRowGroup(l, enc)}
	p.decode, err = compile(p.group.Set())
	return p, err
}

// number gives field ids in depth-first order.
func number(fields []column.Field, last *int) {
	for i := range fields {
		*last++
		fields[i].ID = *last
		number(fields[i].Type.Fields, last)
	}
}

func (p *pipeline) run(recs [][]byte, out io.Writer) (parquet.Metrics, error) {
	for i, r := range recs {
		if err := p.decode.Decode(r); err != nil {
			return parquet.Metrics{}, err
		}
		if i%batch == batch-1 {
			if err := p.group.Absorb(); err != nil {
				return parquet.Metrics{}, err
			}
		}
	}
	c, err := p.group.Finish()
	if err != nil {
		return parquet.Metrics{}, err
	}
	return parquet.WriteFile(out, p.layout, []*parquet.Chunk{c}, nil)
}

// avroPipeline compiles an Avro schema; the table is what the product proposes for it.
func avroPipeline(schema string, o parquet.Options) (*pipeline, error) {
	s, err := avro.Parse(schema)
	if err != nil {
		return nil, err
	}
	fields, err := s.Fields()
	if err != nil {
		return nil, err
	}
	return newPipeline(fields, func(set *column.Set) (decoder, error) {
		return avro.Compile(s, set, avro.CompileOptions{})
	}, o)
}

// jsonPipeline declares the JSON records with the columns of the Avro table.
func jsonPipeline(o parquet.Options) (*pipeline, error) {
	s, err := avro.Parse(records.Schema)
	if err != nil {
		return nil, err
	}
	fields, err := s.Fields()
	if err != nil {
		return nil, err
	}
	declared, err := jsonrec.NewSchema(jsonrec.Config{
		Fields: fields, Hints: []jsonrec.Hint{{Path: []string{"ts"}, Unit: jsonrec.Millis}},
	})
	if err != nil {
		return nil, err
	}
	return newPipeline(fields, func(set *column.Set) (decoder, error) {
		return jsonrec.Compile(declared, set, jsonrec.Options{})
	}, o)
}
