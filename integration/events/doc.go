// Package events is the event set that speed and size are quoted on: a seeded stream of page views of a shop,
// the same values in Avro (Confluent framing) and in JSON.
//
// Of 5,000,000 events the ids are 1 to 5,000,000, the amounts sum to 61444591.92 and the durations to
// 99950609.07; every comparison with another program starts from these numbers, so nothing here may change the
// order in which random numbers are drawn. The package is pure: no I/O, no dependency on the product.
package events
