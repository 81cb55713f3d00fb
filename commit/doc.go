// Package commit turns a batch of files and source ranges into exactly one snapshot. The table is the checkpoint:
// the positions a table contains stand in the summary of the snapshot that added the rows.
package commit
