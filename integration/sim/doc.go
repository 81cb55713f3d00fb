// Package sim runs the whole daemon in a world of its own: broker, schema registry, catalog, object store, network and
// clock are in memory and in one synctest bubble, so that a minute of virtual time costs milliseconds. A seed decides
// what the world holds, what is produced, which calls are delayed, refused, lost after their effect, carried out late or
// twice, when processes are killed or frozen and come back as zombies, and what operators do to tables and topics.
//
// Who does what:
//
//   - gate: every call of a process to the outside goes through its gate, where the faults are. A dead process reaches
//     nothing any more; a frozen one stands still in the middle of whatever it was calling.
//   - plan: which call meets which fault. It comes from the seed (a hash of process, call and count, so that it does not
//     depend on the order of goroutines) or from a list, which is how a failing run is made smaller and printed.
//   - world: what survives processes. lake is the catalog, warehouse the object store, broker the topics.
//   - slot: a place where a process runs. Its supervisor starts a new one when it ends, and another beside it while it
//     is frozen.
//   - operator: does to tables, topics and brokers what people and other engines do, and answers halts with what their
//     hints say.
//
// What holds at the end of each run is asked of integration/checker, which shares no code with the product: the tables
// equal the topics. And progress is checked: once the faults stop, every table catches up within a bounded time, or
// stands still with a code that what happened accounts for.
//
// A run repeats closely but not exactly: the scheduler, random ids and jitter are not part of the seed.
package sim
