package telemetry

import (
	"fmt"
	"strings"
)

// Markdown is docs/METRICS.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Metrics

<!-- Generated from internal/telemetry/definitions.go: go test ./internal/telemetry -rewrite -->

` + "`GET /metrics` of the admin listener serves these in Prometheus' text format, besides Go's own (`go_*`, `process_*`).\n" + `
The counters of records, rows and files move only when a commit has landed, never while records are only buffered, so
no record is counted twice however often it is read again. All series exist from the start with the value 0, except
those of partitions and the freshness of a table no partition of which is read here.

For each table, always:

` + "```\n" + recordsConsumed + ` = sum by (table) (` + recordsByOutcome + `)
` + "```\n" + `
| metric | type | labels | meaning |
|---|---|---|---|
`)
	for _, d := range definitions() {
		labels := ""
		if len(d.labels) > 0 {
			labels = "`" + strings.Join(d.labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.name, d.kind, labels, d.help)
	}
	b.WriteString("\n## Labels\n\n| label | values |\n|---|---|\n")
	for _, l := range labelValues() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", l[0], l[1])
	}
	b.WriteString(`
## What to alert on

| condition | meaning |
|---|---|
| ` + "`" + tableFreshness + ` > 900` + "`" + ` for 5 minutes | the table lags behind its topic, whatever the reason |
| ` + "`" + tableState + `{state="failed"} == 1` + "`" + ` | the table has stopped until somebody acts; ` + "`ingestd status TABLE`" + ` names the command |
| ` + "`increase(" + recordsByOutcome + `{outcome=~"skipped\|dead_lettered"}[1h]) > 0` + "`" + ` | records could not be read |
| ` + "`increase(" + commitRetries + "[10m]) > 10`" + ` | the catalog or the object store is in trouble |
| ` + "`min_over_time(" + partitionsPaused + "[15m]) > 0`" + ` | the memory budget is too small for the load |
| ` + "`" + reloadOK + " == 0`" + ` | the changed configuration was refused, the old one is in use |
`)
	return b.String()
}
