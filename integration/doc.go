// Package integration runs the real ingestd binary against real components: Kafka, a schema registry, an Iceberg
// REST catalog, an object store, and three readers that share no code with us (DuckDB, PyIceberg, ClickHouse).
//
// The tests are behind the build tag "integration"; `make integration` installs and starts what they need (package
// stack) and stops it again. They drive the binary as an operator does: a YAML file, signals, exit codes, printed
// lines. What a table holds is judged by the readers and by the catalog's own answers, never by our code.
//
// With INGESTD_STACK_KEEP=1 the stack is left running, so that the next run starts at once;
// INGESTD_BINARY names a binary to test instead of building one.
package integration
