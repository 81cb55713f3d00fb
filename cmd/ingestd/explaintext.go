package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) columns(indent string, rows [][]string) {
	if p.err == nil {
		p.err = writeColumns(p.w, indent, rows)
	}
}

// writeExplanations writes for people.
func writeExplanations(w io.Writer, list []explanation) error {
	p := &printer{w: w}
	for i, x := range list {
		if i > 0 {
			p.line("")
		}
		p.explanation(x)
	}
	return p.err
}

func (p *printer) explanation(x explanation) {
	how := "will be created"
	if x.Exists {
		how = "exists at " + x.Location
	}
	p.line("%s (branch %s) %s", x.Table, x.Branch, how)
	for _, problem := range x.Problems {
		p.line("  PROBLEM: %s", check{Detail: problem.Message, Code: problem.Code, Hint: problem.Hint}.text())
	}
	p.line("\n  reads from source %s: value %s, key %s", x.Source, x.Value, x.Key)
	p.columns("    ", partitionRows(x.Partitions))
	if len(x.Columns) > 0 {
		p.line("\n  columns")
		for _, o := range x.Origins {
			p.line("    those from the %s: %s", o.From, o.Origin)
		}
		p.columns("    ", columnRows(x.Columns))
	}
	p.line("\n  partitioned by  %s", orNothing(strings.Join(x.PartitionBy, ", ")))
	p.line("  files sorted by %s", orNothing(strings.Join(x.SortBy, ", ")))
	for _, s := range x.Settings {
		p.line("  %s", settingLine(s))
	}
	if len(x.Readers) > 0 {
		p.line("\n  the table and who reads it")
		p.columns("    ", readerRows(x.Readers))
	}
	p.line("\n  a snapshot is committed")
	for _, c := range x.Commit {
		p.line("    %s", c)
	}
	p.line("  history")
	for _, h := range x.History {
		p.line("    %s", h)
	}
	p.line("  records that cannot be read: frame %s, registry %s, decode %s, convert %s", x.Errors.Frame, x.Errors.Registry, x.Errors.Decode, x.Errors.Convert)
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func settingLine(s settingPlan) string {
	line := s.Setting + " " + s.Value
	switch {
	case s.Reader != "":
		line += ", because " + s.Reader + " " + s.Why
	case s.Why != "":
		line += "; " + s.Why
	}
	return line
}

// manyPartitions is how many partitions of a topic are listed one by one.
const manyPartitions = 12

// partitionRows lists partitions, those of large topics summed up by where they start.
func partitionRows(list []partitionPlan) [][]string {
	rows := [][]string{{"TOPIC", "PARTITION", "FROM", "END", "BEHIND", "WHY"}}
	perTopic := map[string]int{}
	for _, p := range list {
		perTopic[p.Topic]++
	}
	type group struct{ topic, why string }
	sums := map[group]*partitionPlan{}
	var order []group
	for _, p := range list {
		if perTopic[p.Topic] <= manyPartitions {
			rows = append(rows, []string{p.Topic, strconv.Itoa(int(p.Partition)), strconv.FormatInt(p.Start, 10),
				strconv.FormatInt(p.End, 10), strconv.FormatInt(p.End-p.Start, 10), p.Why})
			continue
		}
		g := group{p.Topic, p.Why}
		if sums[g] == nil {
			sums[g] = &partitionPlan{}
			order = append(order, g)
		}
		sums[g].Partition++
		sums[g].End += p.End - p.Start
	}
	for _, g := range order {
		s := sums[g]
		rows = append(rows, []string{g.topic, count(int(s.Partition), "partition"), "", "", strconv.FormatInt(s.End, 10), g.why})
	}
	if len(rows) == 1 {
		return [][]string{{"no partition"}}
	}
	return rows
}

func columnRows(list []columnPlan) [][]string {
	rows := [][]string{{"COLUMN", "TYPE", "NULL", "FROM", "COMMENT"}}
	for _, c := range list {
		null := "yes"
		if c.Required {
			null = "no"
		}
		from := c.From
		if c.New {
			from += " (added first)"
		}
		rows = append(rows, []string{c.Name, c.Type, null, from, c.Doc})
	}
	return rows
}
