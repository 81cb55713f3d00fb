package main

import (
	"fmt"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/table"
)

// explainReaders says what becomes of a table that was created for other readers; the error is what makes run refuse.
func (p *explanation) explainReaders(choice table.Choice, have table.Contents, o ingest.TableOptions, t config.Table) error {
	wanted := table.Wanted{Encoding: o.Parquet.Encoding, Codec: string(t.Parquet.Compression)}
	p.Readers = append(p.Readers, choice.Plan(have, wanted)...)
	return choice.Check(have)
}

func readerRows(list []table.Change) [][]string {
	rows := [][]string{{"ASPECT", "STORED", "WANTED", "WHAT HAPPENS"}}
	for _, c := range list {
		effect := c.Effect
		if c.Refused {
			effect = "REFUSED: " + effect
		}
		rows = append(rows, []string{c.Aspect, c.Stored, c.Wanted, effect})
	}
	return rows
}

// commitPlan says when a snapshot is made.
func commitPlan(c *config.Config) []string {
	out := []string{"when the oldest row has waited for " + c.Commit.Interval.String()}
	if c.Commit.MaxRows > 0 {
		out = append(out, fmt.Sprintf("when %d rows wait", c.Commit.MaxRows))
	}
	return append(out,
		"when "+c.Commit.MaxBytes.String()+" of file wait",
		"earlier when the memory budget ("+c.Memory.Limit.String()+") is spent, later when the catalog is slow",
		"offsets without rows: at most every "+c.Commit.ProgressInterval.String())
}
