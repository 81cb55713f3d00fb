// Package rowread streams selected columns of a data file, in rows. `verify` counts offsets with it and tests read
// back what was written; nothing on a record's way in uses it.
//
// Columns are named by field id and must be top-level ones of a primitive type: numbers and booleans come as int64,
// everything stored as bytes as bytes. A column the file does not have is null in every row, as Iceberg defines for
// files older than the column. Memory is bounded by a page per column and a batch of rows.
//
// The reader is parquet-go's, not ours: a second opinion on our own writer's files.
package rowread
