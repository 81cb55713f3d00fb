// Package table turns filled columns into the data files of Iceberg tables.
//
// A record's way through it: a lane's decode programs append to Writer.Set; Writer.Absorb, called after each small
// batch, moves the rows to the open row group of their partition; Writer.Cut finishes the row groups into parts;
// Assembler puts the parts of all lanes with equal partition tuples together into one file each, uploads it through
// table/store and describes it as an iceberg.DataFile. The package commits nothing.
//
// Beside that it maps schemas between package column and iceberg-go (schema.go), knows what the readers of a table
// can read (readers.go) and has the auditing columns (audit.go).
//
// Invariants:
//   - A Writer belongs to one goroutine and is bound to one table schema and partition spec; a change of either
//     means a Cut and a new Writer.
//   - What a Cut returns is immutable and independent of the Writer; parts of several writers of one schema and
//     spec may be assembled together, in any order.
//   - Every file has a path that was never used before, and carries the field ids of the loaded schema.
//   - A file is complete and checked in the store before its DataFile exists; if one of a batch fails, none is
//     returned and those already stored are removed.
package table
