// Package column is the leaf of the record's way that everybody appends to: typed column buffers which already
// have the layout of a Parquet page, so that a decode program writes a record's values once and nothing is
// converted afterwards.
//
// A Layout is the logical type tree of a table broken into leaves with their Parquet paths and levels. A Set holds
// one Column per leaf. Programs append row by row; nothing is hashed, compared or encoded while they do. After a
// small batch the owner calls Absorb on each column, which moves waiting values into the chunk's dictionary while
// they are still in cache. Package parquet turns full pages into bytes.
//
// Invariants:
//   - Between two records every column of a set has the same number of pending rows (Pending); Check tells.
//   - A column's buffers belong to one goroutine at a time.
//   - Byte buffers keep 64 spare bytes after their end (slack), so that short values can be copied with whole
//     16-byte moves. Nothing is ever read behind the end of a caller's slice.
//   - Bits behind the end of a bitmap are zero.
//
// The package imports nothing of ours and does no I/O.
package column
