// Package telemetry turns events into what operators look at: log lines and Prometheus metrics. It subscribes to
// internal/event and is never on a record's way: there is a line per commit and per change of state, none per record,
// and the counters move only when a commit has landed.
//
// All metrics are declared in one table (definitions), from which the registry and docs/METRICS.md are made. Series
// exist from the start, with the tables and sources of the configuration as the only values of their labels, so that
// a rate over a counter never misses its first step and nothing a record contains can become a label.
//
// Identity, held by a test: for each table, ingestd_records_consumed_total is the sum of ingestd_records_total over
// its outcomes.
//
// It is the only package that sets up zap and touches client_golang.
package telemetry
