// Package state is the state format v1: what a table knows about the sources it was filled from. The state travels
// in the summary of the very snapshot that adds the rows, and once more, with notes, in a table property.
//
// The package is pure: it encodes, decodes, compares and merges, without I/O. Three things always hold:
//
//   - Positions are opaque. They are compared for equality, never ordered; distance belongs to the source's adapter.
//   - Counters are cumulative since the first position, so a table's history needs no replay to be accounted for.
//   - Decoding is strict: every accepted text is the one that Encode would have written.
//
// docs/FORMATS.md describes the bytes. The package imports internal/outcome only.
package state
