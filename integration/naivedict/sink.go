package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/hadoop"
	_ "github.com/apache/iceberg-go/io" // file:// locations
	"github.com/apache/iceberg-go/table"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const rowsPerWrite = 1000

// sink is one open Parquet file and the table it will be added to.
type sink struct {
	table  *table.Table
	folder string
	number int
	path   string
	file   *os.File
	writer *parquet.GenericWriter[Row]
	rows   []Row
	count  int
}

// openSink creates the table db.events in a new warehouse.
func openSink(ctx context.Context, warehouse string) (*sink, error) {
	if warehouse == "" {
		return nil, fmt.Errorf("-warehouse is required")
	}
	cat, err := hadoop.NewCatalog("lab", "file://"+warehouse, nil)
	if err != nil {
		return nil, err
	}
	schema := eventSchema()
	names, err := json.Marshal(nameMapping(schema))
	if err != nil {
		return nil, err
	}
	if err := cat.CreateNamespace(ctx, table.Identifier{"db"}, nil); err != nil {
		return nil, err
	}
	tbl, err := cat.CreateTable(ctx, table.Identifier{"db", "events"}, schema, catalog.WithProperties(iceberg.Properties{
		"format-version":            "2",
		table.DefaultNameMappingKey: string(names), // AddFiles takes files without field ids only so
	}))
	if err != nil {
		return nil, err
	}
	return &sink{table: tbl, folder: filepath.Join(warehouse, "db", "events", "data"), rows: make([]Row, 0, rowsPerWrite)}, nil
}

func eventSchema() *iceberg.Schema {
	str, double, long := iceberg.PrimitiveTypes.String, iceberg.PrimitiveTypes.Float64, iceberg.PrimitiveTypes.Int64
	field := func(id int, name string, t iceberg.Type) iceberg.NestedField {
		return iceberg.NestedField{ID: id, Name: name, Type: t}
	}
	return iceberg.NewSchema(0,
		field(1, "event_id", long), field(2, "user_id", long), field(3, "session", str), field(4, "page", str),
		field(5, "referrer", str), field(6, "country", str), field(7, "device", str),
		field(8, "ts", iceberg.PrimitiveTypes.TimestampTz), field(9, "duration", double), field(10, "amount", double),
		field(11, "is_bot", iceberg.PrimitiveTypes.Bool),
		field(12, "tags", &iceberg.ListType{ElementID: 13, Element: str}))
}

// mapped is an entry of the table's name mapping.
type mapped struct {
	FieldID int      `json:"field-id"`
	Names   []string `json:"names"`
	Fields  []mapped `json:"fields,omitempty"`
}

func nameMapping(s *iceberg.Schema) []mapped {
	var out []mapped
	for _, f := range s.Fields() {
		m := mapped{FieldID: f.ID, Names: []string{f.Name}}
		if l, ok := f.Type.(*iceberg.ListType); ok {
			m.Fields = []mapped{{FieldID: l.ElementID, Names: []string{"element"}}}
		}
		out = append(out, m)
	}
	return out
}

func (s *sink) open() error {
	if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return err
	}
	s.number++
	s.path = filepath.Join(s.folder, fmt.Sprintf("part-%05d.parquet", s.number))
	f, err := os.Create(s.path)
	if err != nil {
		return err
	}
	s.file, s.writer = f, parquet.NewGenericWriter[Row](f, parquet.Compression(&zstd.Codec{}))
	return nil
}

func (s *sink) add(row Row) error {
	s.rows = append(s.rows, row)
	s.count++
	if len(s.rows) < rowsPerWrite {
		return nil
	}
	return s.write()
}

func (s *sink) write() error {
	if s.writer == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	_, err := s.writer.Write(s.rows)
	s.rows = s.rows[:0]
	return err
}

// commit closes the open file and adds it to the table.
func (s *sink) commit(ctx context.Context) error {
	if s.count == 0 {
		return nil
	}
	if err := s.write(); err != nil {
		return err
	}
	if err := s.writer.Close(); err != nil {
		return err
	}
	if err := s.file.Close(); err != nil {
		return err
	}
	tx := s.table.NewTransaction()
	if err := tx.AddFiles(ctx, []string{"file://" + s.path}, nil, false); err != nil {
		return err
	}
	tbl, err := tx.Commit(ctx)
	s.table, s.writer, s.count = tbl, nil, 0
	return err
}
