// Package ingest knows a record's whole way: it consumes topics, routes records to tables, decodes them on lanes,
// flushes what the lanes filled, has it committed and acknowledges it.
//
// Who owns what (one goroutine each, orders between them are closures in a mailbox, nobody locks another's state):
//
//   - source: the consumer; polls, seeks, pauses. One per named source.
//   - lane: the partitions assigned to it, their queues, each table's cursor in them (binding) and the table's open
//     columns (sink). Lanes share nothing while they decode.
//   - owner: one table; decides when to flush, cuts the lanes, assembles and uploads files, commits, rewinds.
//   - monitor: reads atomics; lag, back-pressure, holes at the end of a topic, new partitions.
//
// Invariants:
//
//   - A binding's cursor moves over an offset exactly when that offset has been counted in its span.
//   - A cut takes columns and spans of a lane in one step, so a FileSet's files hold exactly its ranges.
//   - A cursor is only ever set from a state the table carries (attach, rewind), never from the consumer group.
//   - What the lanes took after a cut follows on from it: if the commit of the cut is fenced, everything the table
//     took since is dropped and its cursors go back to what the table says.
//   - A record that cannot be handled stops its table there: what lies before it is committed, nothing behind it.
package ingest
