package telemetry

import (
	"strings"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

// The names of the metrics.
const (
	buildInfo        = "ingestd_build_info"
	reloadOK         = "ingestd_config_last_reload_successful"
	reloadTime       = "ingestd_config_last_reload_success_timestamp_seconds"
	tableFreshness   = "ingestd_table_freshness_seconds"
	tableLatency     = "ingestd_table_ingestion_lag_seconds"
	tableLastCommit  = "ingestd_table_last_commit_timestamp_seconds"
	tableState       = "ingestd_table_state"
	tableHalted      = "ingestd_table_halted"
	decisions        = "ingestd_control_records_total"
	partitionLag     = "ingestd_partition_lag_records"
	recordsConsumed  = "ingestd_records_consumed_total"
	recordsByOutcome = "ingestd_records_total"
	offsetsNoRecord  = "ingestd_offsets_without_record_total"
	rowsAdded        = "ingestd_rows_added_total"
	commitsByResult  = "ingestd_commits_total"
	commitDuration   = "ingestd_commit_duration_seconds"
	flushDuration    = "ingestd_flush_duration_seconds"
	commitRetries    = "ingestd_commit_retries_total"
	commitConflicts  = "ingestd_commit_conflicts_total"
	commitUnknowns   = "ingestd_commit_unknown_outcomes_total"
	filesWritten     = "ingestd_files_written_total"
	fileBytesWritten = "ingestd_file_bytes_written_total"
	schemaChanges    = "ingestd_schema_changes_total"
	rewinds          = "ingestd_rewinds_total"
	sourceTroubles   = "ingestd_source_troubles_total"
	bufferBytes      = "ingestd_buffer_bytes"
	bufferLimitBytes = "ingestd_buffer_limit_bytes"
	partitionsPaused = "ingestd_partitions_paused"
	groupAhead       = "ingestd_group_offsets_ahead"
	maintenanceRuns  = "ingestd_maintenance_runs_total"
	maintenanceTook  = "ingestd_maintenance_duration_seconds"
	maintenanceLast  = "ingestd_maintenance_last_success_timestamp_seconds"
	maintenanceBytes = "ingestd_maintenance_rewritten_bytes_total"
	maintenanceFiles = "ingestd_maintenance_rewritten_files_total"
	tableFiles       = "ingestd_table_data_files"
	tableBytes       = "ingestd_table_data_bytes"

	maintenanceCandidates = "ingestd_maintenance_candidate_files"
	maintenanceScore      = "ingestd_maintenance_score_bytes"
	labelProcedure        = "procedure"
	contentData           = "data"
	kindColumnsAdded      = "columns_added"
	labelTable            = "table"
	labelOutcome          = "outcome"
	labelResult           = "result"
	labelState            = "state"
	labelCode             = "code"
	labelVerb             = "verb"
	labelKind             = "kind"
	labelContent          = "content"
	labelSource           = "source"
	labelTopic            = "topic"
	labelPartition        = "partition"
	counter               = "counter"
	gauge                 = "gauge"
	histogram             = "histogram"
)

// definition declares one metric.
type definition struct {
	name, kind, help string
	labels           []string
}

// definitions is the one table of metrics: the registry and docs/METRICS.md are made from it.
func definitions() []definition {
	return []definition{
		{tableFreshness, gauge, "How old data can be that the table does not show yet: 0 when it has caught up, " +
			"else the time since everything older was in it.", []string{labelTable}},
		{tableLatency, gauge, "Time from the timestamp of the oldest record in the newest commit until it could be queried.", []string{labelTable}},
		{tableLastCommit, gauge, "When the newest commit of this process landed.", []string{labelTable}},
		{tableState, gauge, "1 for the state the table is in, 0 for the others.", []string{labelTable, labelState}},
		{tableHalted, gauge, "1 while the table has halted, with the code of the reason; there is no series otherwise.", []string{labelTable, labelCode}},
		{decisions, counter, "Decisions of operators that this process has obeyed.", []string{labelTable, labelVerb}},
		{partitionLag, gauge, "Offsets between what is committed and the stable end of the partition.", []string{labelTable, labelTopic, labelPartition}},
		{recordsConsumed, counter, "Records whose fate a landed commit has settled: the sum of " + recordsByOutcome + " over its outcomes.", []string{labelTable}},
		{recordsByOutcome, counter, "Records by what became of them.", []string{labelTable, labelOutcome}},
		{offsetsNoRecord, counter, "Offsets passed that held no record for us: transaction markers (control), and those " +
			"never seen because they were compacted or aborted (unseen).", []string{labelTable, labelKind}},
		{maintenanceRuns, counter, "Procedures of maintenance that have ended, by result.", []string{labelTable, labelProcedure, labelResult}},
		{maintenanceTook, histogram, "Time that procedures of maintenance took.", []string{labelTable}},
		{maintenanceLast, gauge, "When a procedure last ended well.", []string{labelTable, labelProcedure}},
		{maintenanceBytes, counter, "Bytes of data files that were rewritten.", []string{labelTable}},
		{maintenanceFiles, counter, "Data files that were rewritten.", []string{labelTable}},
		{tableFiles, gauge, "Live data files, when maintenance last looked.", []string{labelTable}},
		{tableBytes, gauge, "Size of the live data files, when maintenance last looked.", []string{labelTable}},
		{maintenanceCandidates, gauge, "Data files that were too small, too large or full of deleted rows when maintenance last looked.", []string{labelTable}},
		{maintenanceScore, gauge, "What a full scan pays for the data files being as they are, when maintenance last looked.", []string{labelTable}},
		{rowsAdded, counter, "Rows that landed commits have added.", []string{labelTable}},
		{filesWritten, counter, "Files that landed commits have added.", []string{labelTable, labelContent}},
		{fileBytesWritten, counter, "Size of the files that landed commits have added.", []string{labelTable}},
		{commitsByResult, counter, "Commits by result. ok: landed. fenced: another writer held the offsets, the batch was " +
			"dropped and read again. failed: the table stopped.", []string{labelTable, labelResult}},
		{commitDuration, histogram, "Time a commit took, retries included.", []string{labelTable}},
		{flushDuration, histogram, "Time it took to cut, encode and upload the files of a commit.", []string{labelTable}},
		{commitRetries, counter, "Attempts that did not settle a commit.", []string{labelTable}},
		{commitConflicts, counter, "Attempts that met a table somebody else had changed.", []string{labelTable}},
		{commitUnknowns, counter, "Attempts whose answer was lost, so that the table had to be asked.", []string{labelTable}},
		{groupAhead, gauge, "Partitions whose group offset is above the table's, although the table once had it: commits have left the table.", []string{labelTable}},
		{schemaChanges, counter, "Schema changes that landed.", []string{labelTable, labelKind}},
		{rewinds, counter, "Times the cursors were set back to what the table says.", []string{labelTable}},
		{sourceTroubles, counter, "Obstacles on the way to a source or its registry, retried.", []string{labelSource}},
		{bufferBytes, gauge, "Bytes buffered in all tables.", nil},
		{bufferLimitBytes, gauge, "Bytes that may be buffered before partitions pause.", nil},
		{partitionsPaused, gauge, "Partitions paused because the budget is spent or their lanes are behind.", []string{labelSource}},
		{reloadOK, gauge, "1 if the newest reload of the configuration succeeded.", nil},
		{reloadTime, gauge, "When the configuration was last loaded.", nil},
		{buildInfo, gauge, "Always 1; the labels say what this binary is.", []string{"version", "revision", "goversion"}},
	}
}

// durationBuckets reach from a local catalog to one that is about to time out.
func durationBuckets() []float64 {
	return []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}
}

// labelValues describes, for people, the values a label can have.
func labelValues() [][2]string {
	var outcomes, states []string
	for _, o := range outcome.All() {
		if o.IsRecord() {
			outcomes = append(outcomes, o.String())
		}
	}
	for _, s := range event.States() {
		states = append(states, string(s))
	}
	code := func(values ...string) string { return "`" + strings.Join(values, "`, `") + "`" }
	return [][2]string{
		{labelTable, "tables of the configuration"},
		{labelSource, "sources of the configuration"},
		{labelTopic + "`, `" + labelPartition, "partitions this process reads; a series ends a minute after its partition has left"},
		{labelOutcome, code(outcomes...)},
		{labelState, code(states...)},
		{labelCode, "codes of halts, each a section of RUNBOOK.md"},
		{labelVerb, code(event.Verbs()...)},
		{labelResult, code(string(event.CommitLanded), string(event.CommitFenced), string(event.CommitFailed))},
		{labelKind, code(outcome.Control.String(), outcome.Unseen.String()) + " of offsets; " + code(kindColumnsAdded) + " of schema changes"},
		{labelContent, code(contentData)},
	}
}
