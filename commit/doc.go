// Package commit turns a batch of files and source ranges into exactly one snapshot. The table is the checkpoint: the
// positions that a table contains stand in the summary of the very snapshot that added the rows, in the format of
// commit/state, and nothing else is the truth.
//
// The heart is one loop (loop.go): load, check, build, pin, commit, settle. Everything that is written goes through
// it or is shaped like it: rows (Commit), positions alone (Progress), partitions that are new (Begin), the table
// itself (Create), its columns (Evolve), rewrites of its files (Replace) and its upkeep.
//
// What always holds:
//
//   - A batch lands only if every stored position equals the batch's first one, and only on the head for which that
//     was checked. Each catalog call carries the assertion of that head and of the table's uuid, and is made once.
//   - After any error the table is loaded until that succeeds. Positions decide what happened; the commit id, found
//     in the lineage or among the last commits that the head carries for each writer, says whose doing it was.
//   - Nothing of an attempt is deleted while the attempt may land, and of that only manifests and manifest lists: the
//     data files belong to the caller, who is told when they are dead. Files that were in the table are deleted when
//     no snapshot is left that needs them.
//   - A history that does not agree with itself (rolled back, replaced, recreated, unreadable) halts the table with
//     a code and the statement that resolves it. It is never guessed.
//   - Positions are opaque. Kafka is not known here.
//
// Where to look: lineage.go has the rules of the walk from the head to the state, settle.go what follows from an
// answer, guard.go what a batch must not be, replace.go what a rewrite is compared with, birth.go, evolve.go and
// upkeep.go the rest of a table's life, ledger.go the verification of its books. The library stages snapshots
// (build.go); its own commit, with its retries and its cleaning up, is never called.
package commit
