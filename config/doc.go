// Package config turns one YAML file into one validated value.
//
// The way of a file: parse (syntax, positions) -> decode onto the defaults,
// strictly (an unknown key, a wrong type, an unset variable are errors) -> read
// secret files -> validate (rules over the whole value). Every step reports all
// it finds, with file, line and column, instead of stopping at the first fault.
//
// Invariants:
//   - A *Config that Load or Parse returned without an error is complete: every
//     default stands in it, every reference inside it resolves, and nobody
//     writes to it afterwards. It may be shared between goroutines.
//   - A setting that would have no effect is an error, not a surprise.
//   - A Secret shows itself only to the one who calls Reveal.
//
// It is the only package that touches YAML, the environment and secret files.
// It imports no other package of this module; cmd/ingestd maps its values to the
// options of the packages that do the work.
package config
