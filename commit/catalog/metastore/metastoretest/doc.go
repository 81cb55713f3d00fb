// Package metastoretest is a Hive Metastore in memory, for tests: databases, tables, the lock of a table, and the
// comparison that a commit rests on, with faults at the wish of the test.
package metastoretest
