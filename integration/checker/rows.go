package checker

import (
	"bytes"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	iceio "github.com/apache/iceberg-go/io"
)

// Record is a record of a topic. ID is what its value says of itself.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	ID        int64
}

// readFile gives the rows of one data file and its size.
func readFile(fs iceio.IO, path, topic string) (rows []Record, size int64, err error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, 0, err
	}
	r, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		return nil, 0, fmt.Errorf("reading %s: %w", path, err)
	}
	defer func() { _ = r.Close() }()
	for i := range r.NumRowGroups() {
		part, err := readGroup(r.RowGroup(i), topic)
		if err != nil {
			return nil, 0, fmt.Errorf("reading %s: %w", path, err)
		}
		rows = append(rows, part...)
	}
	return rows, int64(len(b)), nil
}

func readGroup(g *file.RowGroupReader, topic string) ([]Record, error) {
	rows := make([]Record, g.NumRows())
	for i := range rows {
		rows[i] = Record{Topic: topic, Partition: -1, Offset: -1, ID: -1}
	}
	schema := g.MetaData().Schema
	for i := range schema.NumColumns() {
		col := schema.Column(i)
		set, ok := setters()[col.Path()]
		if !ok {
			continue
		}
		reader, err := g.Column(i)
		if err != nil {
			return nil, err
		}
		if err := set(reader, rows, col.MaxDefinitionLevel()); err != nil {
			return nil, fmt.Errorf("column %s: %w", col.Path(), err)
		}
	}
	return rows, nil
}

type setter func(r file.ColumnChunkReader, rows []Record, maxDef int16) error

func setters() map[string]setter {
	return map[string]setter{
		"id":               int64s(func(r *Record, v int64) { r.ID = v }),
		"_kafka_offset":    int64s(func(r *Record, v int64) { r.Offset = v }),
		"_kafka_partition": int32s(func(r *Record, v int32) { r.Partition = v }),
		"_kafka_topic":     texts(func(r *Record, v string) { r.Topic = v }),
	}
}

// spread puts values where their definition levels say; nulls stay what they were.
func spread[T any](rows []Record, levels []int16, maxDef int16, values []T, set func(*Record, T)) {
	at := 0
	for i := range rows {
		if maxDef > 0 && levels[i] < maxDef {
			continue
		}
		set(&rows[i], values[at])
		at++
	}
}

func int64s(set func(*Record, int64)) setter {
	return func(r file.ColumnChunkReader, rows []Record, maxDef int16) error {
		c, ok := r.(*file.Int64ColumnChunkReader)
		if !ok {
			return fmt.Errorf("it is a %T", r)
		}
		values, levels := make([]int64, len(rows)), make([]int16, len(rows))
		if err := readAll(len(rows), func(at, value int) (int64, int, error) {
			return c.ReadBatch(int64(len(rows)-at), values[value:], levels[at:], nil)
		}); err != nil {
			return err
		}
		spread(rows, levels, maxDef, values, set)
		return nil
	}
}

func int32s(set func(*Record, int32)) setter {
	return func(r file.ColumnChunkReader, rows []Record, maxDef int16) error {
		c, ok := r.(*file.Int32ColumnChunkReader)
		if !ok {
			return fmt.Errorf("it is a %T", r)
		}
		values, levels := make([]int32, len(rows)), make([]int16, len(rows))
		if err := readAll(len(rows), func(at, value int) (int64, int, error) {
			return c.ReadBatch(int64(len(rows)-at), values[value:], levels[at:], nil)
		}); err != nil {
			return err
		}
		spread(rows, levels, maxDef, values, set)
		return nil
	}
}

func texts(set func(*Record, string)) setter {
	return func(r file.ColumnChunkReader, rows []Record, maxDef int16) error {
		c, ok := r.(*file.ByteArrayColumnChunkReader)
		if !ok {
			return fmt.Errorf("it is a %T", r)
		}
		values, levels := make([]parquet.ByteArray, len(rows)), make([]int16, len(rows))
		if err := readAll(len(rows), func(at, value int) (int64, int, error) {
			return c.ReadBatch(int64(len(rows)-at), values[value:], levels[at:], nil)
		}); err != nil {
			return err
		}
		spread(rows, levels, maxDef, values, func(r *Record, v parquet.ByteArray) { set(r, string(v)) })
		return nil
	}
}

// readAll calls read until all rows are there, with the rows and the values so far: nulls have levels and no values.
func readAll(rows int, read func(at, value int) (int64, int, error)) error {
	value := 0
	for at := 0; at < rows; {
		n, values, err := read(at, value)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("it ends after %d of %d rows", at, rows)
		}
		at += int(n)
		value += values
	}
	return nil
}
