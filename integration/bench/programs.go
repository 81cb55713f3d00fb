package main

import (
	"fmt"

	"github.com/ingestd/ingestd/integration/stack"
)

// program is one of those that are compared.
type program struct {
	name string
	// part of the stack that installs it, if any.
	part string
	// ours is the product: a wrong table of it is an error of the benchmark.
	ours bool
	// java says that it starts a virtual machine, so that its start is told apart.
	java bool
	// makesTable says that it creates its table itself; the others find one.
	makesTable bool
	// audit columns are in the table.
	audit bool
	// endless programs are told to end when all records are committed.
	endless bool
	start   starter
	version func(*stack.Stack) string
	// setting and unequal go into the document.
	setting, unequal string
}

// The names of programs that others refer to.
const (
	ingestdName = "ingestd"
	naiveName   = "naive Go"
)

// programs are measured in this order in every round.
func programs() []program {
	return []program{
		{
			name: ingestdName, ours: true, makesTable: true, start: startIngestd, version: always("this commit"),
			setting: "`run --until-latest`, `memory.limit: 256MiB`, `commit.interval: 10s`, auditing columns off, SQLite catalog",
			unequal: "ends when it has reached the end, so a run that takes less than 10 s is one commit: fewer and larger files than those of the others.",
		},
		{
			name: ingestdName + " as it comes", ours: true, makesTable: true, audit: true, start: startIngestd, version: always("this commit"),
			setting: "the same with the auditing columns on, as they are by default",
			unequal: "three columns more per row than all others.",
		},
		{
			name: naiveName, makesTable: true, start: startNaive, version: always("`integration/naivedict`"),
			setting: "franz-go, goavro or encoding/json, parquet-go with dictionaries and zstd, iceberg-go's AddFiles every 10 s; Hadoop catalog",
			unequal: "keeps no offsets with the rows, is not exactly-once, looks up no schema; one goroutine decodes and writes.",
		},
		{
			name: "Kafka Connect", part: "connect", java: true, endless: true, start: startConnect, version: func(s *stack.Stack) string {
				return fmt.Sprintf("Kafka Connect %s, iceberg-kafka-connect %s, Apicurio converter %s",
					s.Value("KAFKA_VERSION"), s.Value("CONNECT_ICEBERG_VERSION"), s.Value("CONVERTER_VERSION"))
			},
			setting: "standalone worker, `tasks.max=2`, commit interval 10 s, 2 GiB of heap, Hadoop catalog",
			unequal: "waits for its commit timer with all records read, which costs time and hardly any CPU; the Avro converter is Apicurio's, since Confluent's is not on Maven Central.",
		},
		{
			name: "Spark", part: "sparkjob", java: true, start: startSpark, version: func(s *stack.Stack) string {
				return fmt.Sprintf("Spark %s, %s %s", s.Value("SPARKJOB_VERSION"), s.Value("SPARK_NEW_RUNTIME"), s.Value("SPARK_NEW_ICEBERG_VERSION"))
			},
			setting: fmt.Sprintf("Structured Streaming, `local[2]`, 2 GiB of heap, AvailableNow in batches of %d records, each a commit; Hadoop catalog", sparkBatch),
			unequal: "no trigger of 10 s, which would make it wait and start more batches: this is its cheapest way; it is given the schema, since its from_avro knows no registry.",
		},
		{
			name: "Flink", part: "flink", java: true, start: startFlink, version: func(s *stack.Stack) string {
				return fmt.Sprintf("Flink %s, %s %s, Kafka connector %s",
					s.Value("FLINK_VERSION"), s.Value("FLINK_RUNTIME"), s.Value("FLINK_ICEBERG_VERSION"), s.Value("FLINK_CONNECTOR_VERSION"))
			},
			setting: "SQL in a mini cluster of one process, parallelism 2, checkpoint (and commit) every 10 s, bounded at the topic's end, 2 GiB of heap, Hadoop catalog",
			unequal: "the mini cluster has no other process to send data to: no network, unlike a real one.",
		},
	}
}

func always(text string) func(*stack.Stack) string { return func(*stack.Stack) string { return text } }
