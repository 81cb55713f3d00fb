// Package records makes the synthetic events that the in-process benchmark of the hot path measures with: page views
// with ids, skewed strings, nulls, a decimal and a list, the same values in Avro and in JSON.
//
// Everything is drawn from a seed in a fixed order, so a benchmark compares programs and never data. The package is
// pure and shares no code with the product.
package records
