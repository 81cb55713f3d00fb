// Command ingestd turns Kafka topics into Apache Iceberg tables, exactly once.
//
// Job: the command line. One file per command; run.go and wire.go translate the configuration into the options of the
// rooms, read from top to bottom. Results go to stdout, everything else to stderr; the exit code says what kind of
// failure it was (see package internal/failure).
//
// It is the only package that touches cobra, and main is the only place that ends the process.
package main
