// Package parquet is the page writer of the hot path: it takes the column buffers of package column as they are,
// encodes and compresses a page when it is full, and puts finished row groups together into files.
//
// A RowGroup collects the rows of one goroutine. Its owner appends to Set, calls Absorb after each small batch and
// Finish when the row group shall end; that yields a Chunk: immutable bytes and metadata that know nothing of their
// place in a file. WriteFile concatenates the chunks of several goroutines, computes the offsets, and writes page
// index and footer. The Metrics it returns are what an Iceberg data file entry needs; nothing is read back.
//
// What is written: format version 1 data pages (readers of version 2 are rarer), PLAIN and dictionary encodings
// (Compat) or also DELTA_BINARY_PACKED for integers (Delta), one codec per file, CRC in each page header, column
// and offset index, field ids on every schema element that Iceberg numbers. Thrift structures, levels, index
// bit packing and delta packing come from parquet-go; page assembly, statistics, dictionaries are ours.
//
// Invariants:
//   - A page begins at a row, in every column; pages of different columns end at different rows.
//   - Bounds in footer and page index are at most 64 bytes, however long the values are.
//   - Bad data never makes Absorb or Finish fail: they return errors only for a program that broke the rules of
//     package column, or for a page above the limits of the format. Strings that are not UTF-8 are repaired and counted.
//   - The machine is little-endian.
//
// The package does no I/O beyond the io.Writer it is given.
package parquet
