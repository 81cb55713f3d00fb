package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/hadoop"
	_ "github.com/apache/iceberg-go/io" // file:// locations
	"github.com/apache/iceberg-go/table"
)

// createTable makes the table that programs without a way of their own to make it find: format version 2, unpartitioned,
// zstd, in a Hadoop catalog, with the columns of the events.
func createTable(ctx context.Context, warehouse string) error {
	cat, err := hadoop.NewCatalog("lake", "file://"+warehouse, nil)
	if err != nil {
		return err
	}
	if err := cat.CreateNamespace(ctx, table.Identifier{"db"}, nil); err != nil {
		return err
	}
	p := iceberg.PrimitiveTypes
	columns := []struct {
		name string
		kind iceberg.Type
	}{
		{"event_id", p.Int64},
		{"user_id", p.Int64},
		{"session", p.String},
		{"page", p.String},
		{"referrer", p.String},
		{"country", p.String},
		{"device", p.String},
		{"ts", p.TimestampTz},
		{"duration", p.Float64},
		{"amount", p.Float64},
		{"is_bot", p.Bool},
	}
	var fields []iceberg.NestedField
	for i, c := range columns {
		fields = append(fields, iceberg.NestedField{ID: i + 1, Name: c.name, Type: c.kind})
	}
	n := len(fields)
	fields = append(fields, iceberg.NestedField{ID: n + 1, Name: "tags", Type: &iceberg.ListType{ElementID: n + 2, Element: p.String}})
	_, err = cat.CreateTable(ctx, table.Identifier{"db", "events"}, iceberg.NewSchema(0, fields...), catalog.WithProperties(iceberg.Properties{
		"format-version": "2", "write.parquet.compression-codec": "zstd",
	}))
	return err
}

// snapshot is a commit as the metadata file has it.
type snapshot struct {
	ID      int64             `json:"snapshot-id"`
	Millis  int64             `json:"timestamp-ms"`
	Summary map[string]string `json:"summary"`
}

func (s snapshot) rows() int64 {
	n, _ := strconv.ParseInt(s.Summary["total-records"], 10, 64)
	return n
}

// metadata is what is used of a table's metadata file.
type metadata struct {
	path      string
	Updated   int64      `json:"last-updated-ms"`
	Current   int64      `json:"current-snapshot-id"`
	Snapshots []snapshot `json:"snapshots"`
}

// newestMetadata reads the newest metadata file below a folder. Of one millisecond it is the one with the most snapshots.
func newestMetadata(dir string) (metadata, error) {
	var newest metadata
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".metadata.json") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		candidate := metadata{path: path}
		if err := json.Unmarshal(text, &candidate); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if candidate.Updated > newest.Updated || candidate.Updated == newest.Updated && len(candidate.Snapshots) >= len(newest.Snapshots) {
			newest = candidate
		}
		return nil
	})
	if err == nil && newest.path == "" {
		err = errors.New("no table")
	}
	return newest, err
}

// committed is the number of rows in the newest snapshot; 0 while there is none, or while a file is being written.
func committed(dir string) int64 {
	m, err := newestMetadata(dir)
	if err != nil {
		return 0
	}
	for _, s := range m.Snapshots {
		if s.ID == m.Current {
			return s.rows()
		}
	}
	return 0
}

// commits puts the snapshots that added rows beside what the program had used by then.
func commits(m metadata, u *usage) []commit {
	var out []commit
	last := int64(0)
	for _, s := range m.Snapshots {
		if s.rows() <= last {
			continue
		}
		last = s.rows()
		at := time.UnixMilli(s.Millis)
		out = append(out, commit{At: round(at.Sub(u.start).Seconds()), CPU: round(u.at(at).Seconds()), Rows: last})
	}
	return out
}

// dataFiles is the number of Parquet files below a folder, in the table or not.
func dataFiles(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".parquet") {
			n++
		}
		return err
	})
	return n, err
}
