// Package handover gives rewrites of data files to an engine that runs beside ingestd, for tables that are too large for
// one machine: Trino's ALTER TABLE ... EXECUTE optimize, or Spark's rewrite_data_files through its Thrift server.
//
// The engine commits by itself, through the catalog that it shares with ingestd; ingest meets its snapshot like that of
// any other engine. What the engine did is then read from the table's metadata, never from its answer: a rewrite that
// did not keep the rows is found by Check.
//
// Names and partition values become text of another language here, so quoting is this package's to get right. It
// reads no files and writes none.
package handover
