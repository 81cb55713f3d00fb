// Package committest has an Iceberg catalog and files in memory for tests of what commits: every call can be made
// to fail, to answer wrongly, or to take effect later. It also plays catalogs that show the head snapshot only or
// that do not keep the promise behind an asserted absence.
//
// It imports nothing of ours, so that the tests of any room may use it.
package committest
