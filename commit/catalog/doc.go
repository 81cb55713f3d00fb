// Package catalog opens the catalogs that ingestd commits to: Iceberg REST, SQLite, PostgreSQL and Hive Metastores. It adds to the library's
// clients what exactly-once needs: every error says how to react to it, nothing in between resends or redirects a
// commit, and what a catalog cannot guarantee is known before the first one.
//
// A conformance suite in catalogtest asks the same of each of them.
package catalog
