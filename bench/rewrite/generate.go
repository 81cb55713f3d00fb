package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ingestd/ingestd/bench/records"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// layout is the table that the product proposes for the records.
func layout() (*avro.Schema, *column.Layout, error) {
	s, err := avro.Parse(records.Schema)
	if err != nil {
		return nil, nil, err
	}
	fields, err := s.Fields()
	if err != nil {
		return nil, nil, err
	}
	number(fields, new(int))
	l, err := column.NewLayout(fields)
	return s, l, err
}

// number gives field ids in depth-first order.
func number(fields []column.Field, last *int) {
	for i := range fields {
		*last++
		fields[i].ID = *last
		number(fields[i].Type.Fields, last)
	}
}

// generate writes the files of a set in one encoding, unless they are there.
func generate(o *options, set string, e parquet.Encoding) error {
	dir := filepath.Join(o.dir, set+" "+e.String())
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s, l, err := layout()
	if err != nil {
		return err
	}
	enc, err := parquet.NewEncoder(parquet.Options{Encoding: e})
	if err != nil {
		return err
	}
	group := parquet.NewRowGroup(l, enc)
	program, err := avro.Compile(s, group.Set(), avro.CompileOptions{})
	if err != nil {
		return err
	}
	next := records.Stream(1)
	for i := range o.files {
		if err := fill(group, program, records.Avro(next(rowsOf(set)))); err != nil {
			return err
		}
		c, err := group.Finish()
		if err != nil {
			return err
		}
		if err := put(filepath.Join(dir, fmt.Sprintf("%05d.parquet", i)), l, c); err != nil {
			return err
		}
	}
	return nil
}

func fill(group *parquet.RowGroup, program *avro.Program, recs [][]byte) error {
	for k, rec := range recs {
		if err := program.Decode(rec); err != nil {
			return err
		}
		if k%500 == 499 {
			if err := group.Absorb(); err != nil {
				return err
			}
		}
	}
	return nil
}

func put(path string, l *column.Layout, c *parquet.Chunk) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := parquet.WriteFile(f, l, []*parquet.Chunk{c}, nil); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
