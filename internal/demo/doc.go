// Package demo is `ingestd demo`: a shop that produces events, everything ingestd needs around it, and the real daemon
// in between.
//
// Job: a broker and a schema registry in this process, a seeded generator of a click stream (Avro) and an application
// log (JSON), a configuration file written for them, and what the demo tells people: a line per commit, the lines to
// paste into other engines, the summary.
//
// Invariants:
//   - The daemon is the one of `ingestd run`, configured through the file it can be given by hand; the package gets it
//     through Env and knows none of its parts.
//   - Everything lives below one folder. The broker keeps its log there, so a demo that was ended, however rudely,
//     goes on where it was when it is started again.
//   - Memory does not grow with the number of records.
//
// It may touch the Kafka client and the in-process broker to produce; it reads and commits nothing itself.
package demo
