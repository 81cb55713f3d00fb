// Package crashsweep kills a run of two tables at every I/O call it makes, before the call and after it, starts it
// again, and holds the tables against the topics. It has tests only: one records the calls of a clean run and compares
// them with testdata/io.golden, one crashes at each of them.
//
// A crash is simulated in the process: from the chosen call on, every call of that run to catalog, object store and
// broker fails, and its context ends. Nothing reaches the outside any more, as after kill -9; what it had in memory is
// gone because the next run shares nothing with it but the world.
//
// The catalog is the product's own on SQLite, which each run opens for itself: its metadata files, the statement that
// asks where a table stands and the one that moves it on are calls like all others. One commit of each table meets
// another program's, so that taking its metadata file back is among them.
package crashsweep
