package main

import (
	"fmt"

	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

// configChecks are the rules about a configuration that other rooms know: what readers can read, what a partition
// field may be, which options a rewrite knows.
func configChecks() []config.Check {
	return []config.Check{checkReaders, checkPartitions, checkMaintenance}
}

func checkReaders(c *config.Config) (out []config.Finding) {
	for i, t := range c.Tables {
		choice, err := choose(t)
		if err != nil {
			out = append(out, finding(fmt.Sprintf("tables[%d].readers", i), err))
			continue
		}
		if err := choice.CheckFormat(); err != nil {
			out = append(out, finding(fmt.Sprintf("tables[%d].format_version", i), err))
		} else {
			out = append(out, checkDeclared(choice, t, i)...)
		}
		o := parquetOptions(t.Parquet)
		if err := choice.CheckEncoding(o.Encoding); err != nil {
			out = append(out, finding(fmt.Sprintf("tables[%d].parquet.encoding", i), err))
		}
		if err := choice.CheckCodec(o.Codec); err != nil {
			out = append(out, finding(fmt.Sprintf("tables[%d].parquet.compression", i), err))
		}
	}
	return out
}

// checkDeclared finds the declared types that a table cannot have.
func checkDeclared(choice table.Choice, t config.Table, i int) (out []config.Finding) {
	for _, part := range []struct {
		path   string
		fields []config.Field
	}{{"value", t.Value.Schema}, {"key", t.Key.Schema}} {
		for j, f := range part.fields {
			if err := choice.CheckDeclared([]column.Field{columnField(f, &[]jsonrec.Hint{}, nil)}); err != nil {
				out = append(out, finding(fmt.Sprintf("tables[%d].%s.schema[%d]", i, part.path, j), err))
			}
		}
	}
	return out
}

func checkPartitions(c *config.Config) (out []config.Finding) {
	for i, t := range c.Tables {
		for j, p := range t.PartitionBy {
			if _, err := transform.Parse(p.String()); err != nil {
				out = append(out, finding(fmt.Sprintf("tables[%d].partition_by[%d]", i, j), err))
			}
		}
	}
	return out
}

func checkMaintenance(c *config.Config) (out []config.Finding) {
	for i, t := range c.Tables {
		if _, err := compaction.OptionsFor(t.Properties, rewriteOptions(c, t)); err != nil {
			out = append(out, finding(fmt.Sprintf("tables[%d].maintenance.rewrite", i), err))
		}
	}
	return out
}

func finding(path string, err error) config.Finding {
	return config.Finding{Path: path, Message: err.Error(), Hint: failure.HintOf(err)}
}
