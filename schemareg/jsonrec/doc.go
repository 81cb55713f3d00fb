// Package jsonrec reads records that are one JSON object each and appends them to typed columns.
//
// JSON carries no types, so the schema is declared in the configuration (Schema) and never inferred. Schema and
// columns are compiled once into a Program: a single pass over the bytes, directed by the declaration, that parses
// each value by the type of its column and appends it where it will be encoded. There is no intermediate tree, no
// reflection and no allocation per record.
//
// Rules of reading (each is a test):
//
//   - The grammar is RFC 8259, strictly: no trailing commas or bytes, no NaN or Infinity, no control characters in
//     strings, nesting up to 64 levels.
//   - A declared key, a map key or a key kept in the rest column may appear once per object; a second one is a fault,
//     because no choice between the two would be safe.
//   - Integers, decimals and numeric timestamps never pass through floating point. A number fits a long if its value
//     is an integer (1e3 does), and a decimal if it can be rescaled without loss; a decimal may also be a string.
//   - Text timestamps are ISO 8601; a timestamptz needs an offset, a timestamp must not have one. Numbers are dates
//     and times only in a declared unit. Digits finer than a microsecond are cut off (floor): the one lossy rule.
//   - A missing field and a null are the same: null in an optional column, a fault in a required one.
//   - Text must be valid UTF-8 without lone surrogates, or is repaired with U+FFFD if Config.Text says so.
//   - Keys nobody declared are kept in the rest column or refused, as Config.Unknown says. Values under kept keys must
//     be well-formed text, no more: their duplicate keys are not looked at.
//
// A record that breaks a rule gives one failure of class Poison that names the field and the byte offset, never the
// value. The failure is built when Decode returns; the scanner itself only notes a reason and a place.
//
// The package imports table/column and internal/failure and does no I/O. A Program belongs to one goroutine.
package jsonrec
