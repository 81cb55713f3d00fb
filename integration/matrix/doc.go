// Package matrix proves what docs/READERS.md and the capability table of package table say: it writes tables with
// every encoding, codec, type and partition transform on the product's own way (Avro program, writer, assembler,
// commit) and reads them back with every engine, value by value, against the plain Go values that went in.
//
// Three circles of readers see the same tables. iceberg-go, arrow-go and parquet-go do in every run of the tests;
// DuckDB, PyIceberg and ClickHouse (chdb) with the build tag integration; Spark and Trino with the tag full. Nothing
// but the readers' own Python environments is needed: catalog and warehouse are local files.
//
// What was read is kept in testdata/results.json, from which docs/READERS.md is made; `make readers` brings both up to
// date. A cell is only what a run has shown: an engine that has not read a feature has no "tested" there.
package matrix
