// Package rewrite makes few large Parquet files of many small ones of the same partition, column by column and page by
// page, without ever having rows.
//
// For each column of an output row group the engine walks through the column chunks of the inputs and takes the
// cheapest way for each page:
//
//   - A page that loses no row, does not depend on a dictionary (or on one that stays as it is) and is large enough is
//     copied, compressed as it stands. Its checksum is verified, and the input's page index tells what the output's says.
//   - A page of references is decoded as far as its references; the dictionaries of the inputs are merged into one and
//     the references translated. No value is looked at. Where inputs have hardly a value in common, as with times, the output
//     has no dictionary.
//   - Everything else is decoded into values, appended to the open output page without the deleted rows, and encoded anew.
//
// Invariants:
//   - Every checksum of every page that is read is verified. A damaged page ends the rewrite with Damaged, which names
//     file, column and offset; there is no output then that anybody knows of.
//   - Rows keep their order: inputs in the order given, rows in that of their file. So where a row went follows from
//     the deleted positions alone (Moves).
//   - Every column of a row group has the same number of rows, and a column chunk as many values as its footer tells.
//   - Bounds hold for every value. They are what the page index of the inputs says, which is cut to 64 bytes, where a page
//     loses no row, and those of the values where it does. An index that disagrees with its footer is not used.
//   - Memory depends on Options.Memory and the largest column chunk of an input, not on the number or size of the inputs: a
//     row group is made such that its largest columns fit.
//
// What the package cannot read (see ErrUnsupported) it refuses before it has written anything, where the footer tells, so
// that the caller can take another way.
package rewrite
