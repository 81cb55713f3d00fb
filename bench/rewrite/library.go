package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcatalog "github.com/apache/iceberg-go/catalog/sql"
	icetable "github.com/apache/iceberg-go/table"
	_ "modernc.org/sqlite"

	"github.com/ingestd/ingestd/table"
)

// byLibrary measures what iceberg-go's RewriteDataFiles runs for a group of files.
func byLibrary(o *options, files []string, s *sample) error {
	ctx := context.Background()
	set, _, _ := strings.Cut(o.child, " ")
	tbl, err := libraryTable(ctx, filepath.Join(o.dir, "out"), files, int64(rowsOf(set)))
	if err != nil {
		return err
	}
	tasks, err := tbl.Scan().PlanFiles(ctx)
	if err != nil {
		return err
	}
	begin := cpuTime()
	res, err := icetable.ExecuteCompactionGroup(ctx, tbl, icetable.CompactionTaskGroup{Tasks: tasks}, icetable.WithCompactionTargetFileSize(1<<30),
		icetable.WithCompactionScanConcurrency(o.cores), icetable.WithCompactionParquetRowGroupLimit(4_000_000))
	s.CPU = int64(cpuTime() - begin)
	if err != nil {
		return err
	}
	for _, f := range res.NewDataFiles {
		s.Rows += f.Count()
		s.Out += f.FileSizeBytes()
	}
	return nil
}

// libraryTable makes a table of the files.
func libraryTable(ctx context.Context, dir string, files []string, rows int64) (*icetable.Table, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "catalog.db"))
	if err != nil {
		return nil, err
	}
	cat, err := sqlcatalog.NewCatalog("bench", db, sqlcatalog.SQLite, iceberg.Properties{"warehouse": "file://" + filepath.Join(dir, "warehouse")})
	if err != nil {
		return nil, err
	}
	if err := cat.CreateNamespace(ctx, icetable.Identifier{"db"}, nil); err != nil {
		return nil, err
	}
	_, l, err := layout()
	if err != nil {
		return nil, err
	}
	schema, err := table.Schema(0, l.Fields)
	if err != nil {
		return nil, err
	}
	tbl, err := cat.CreateTable(ctx, icetable.Identifier{"db", "t"}, schema, catalog.WithProperties(iceberg.Properties{
		"write.parquet.compression-codec": "zstd", "write.parquet.compression-level": "1",
	}))
	if err != nil {
		return nil, err
	}
	var data []iceberg.DataFile
	for _, path := range files {
		st, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		b, err := iceberg.NewDataFileBuilder(tbl.Spec(), iceberg.EntryContentData, "file://"+path, iceberg.ParquetFile, nil, nil, nil, rows, st.Size())
		if err != nil {
			return nil, err
		}
		data = append(data, b.Build())
	}
	tx := tbl.NewTransaction()
	if err := tx.AddDataFiles(ctx, data, nil); err != nil {
		return nil, err
	}
	return tx.Commit(ctx)
}
