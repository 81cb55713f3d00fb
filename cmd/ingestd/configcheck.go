package main

import (
	"fmt"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/transform"
)

// configChecks are the rules about a configuration that other rooms know: what readers can read, what a partition
// field may be.
func configChecks() []config.Check {
	return []config.Check{checkReaders, checkPartitions}
}

func checkReaders(c *config.Config) (out []config.Finding) {
	for i, t := range c.Tables {
		choice, err := table.Choose(t.Readers)
		if err != nil {
			out = append(out, finding(fmt.Sprintf("tables[%d].readers", i), err))
			continue
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

func finding(path string, err error) config.Finding {
	return config.Finding{Path: path, Message: err.Error(), Hint: failure.HintOf(err)}
}
