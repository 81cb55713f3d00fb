package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// writeStatus writes a report; the error is the one to exit with.
func (a *app) writeStatus(r statusReport, out format) error {
	if out == formatJSON {
		return errors.Join(writeJSON(a.Out, r), r.err())
	}
	p := &printer{w: a.Out}
	rows := [][]string{{"TABLE", "STATE", "BEHIND", "FRESHNESS", "ROWS", "SNAPSHOTS", "LAST COMMIT"}}
	for _, t := range r.Tables {
		rows = append(rows, []string{t.Table, t.State, optionalNumber(t.LagRecords), freshnessText(t.FreshnessSeconds),
			strconv.FormatInt(t.Rows, 10), optionalNumber(t.Snapshots), lastCommitText(t.LastCommit)})
	}
	p.columns("", rows)
	if r.Budget != nil {
		p.line("\n%s", budgetText(*r.Budget))
	}
	for _, t := range r.Tables {
		p.line("\n%s: %s", t.Table, check{Detail: t.Why, Code: t.Code, Hint: t.Hint}.text())
		if len(t.Outcomes) > 0 {
			p.line("  records so far: %s", outcomesText(t.Outcomes))
		}
		for _, problem := range t.Problems {
			p.line("  PROBLEM: %s", check{Detail: problem.Message, Code: problem.Code, Hint: problem.Hint}.text())
		}
	}
	return errors.Join(p.err, r.err())
}

func optionalNumber(n *int64) string {
	if n == nil {
		return "?"
	}
	return strconv.FormatInt(*n, 10)
}

func freshnessText(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return fmt.Sprintf("%.1fs", *seconds)
}

func lastCommitText(c *commitStatus) string {
	if c == nil {
		return "never"
	}
	return fmt.Sprintf("%s, %d rows", c.At.Format(time.DateTime), c.Rows)
}
