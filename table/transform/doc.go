// Package transform computes Iceberg's partition transforms (identity, bucket, truncate, year, month, day, hour,
// void) over the rows of a column.Set, and reads them as they are written in configurations.
//
// A Partitioner is compiled once per table schema and partition spec. Assign gives each row of a small staging set
// an ordinal: rows with equal partition tuples get the same one. It works on a column at a time, in typed loops,
// and allocates only for values it has not met before: each field has a dictionary from values to dense codes, and
// the codes of a row are folded into one ordinal through exact maps, so that no hash collision can put a row into
// the wrong partition.
//
// A null source value has a null partition value. Times before 1970 round towards minus infinity. Strings are
// transformed in the form they are stored in: what is not UTF-8 is repaired first.
//
// It imports table/column and iceberg-go and does no I/O. A Partitioner belongs to one goroutine.
package transform
