// Package compaction keeps tables as fast to read as on their first day: it rewrites small files and those with deleted
// rows, and removes what no snapshot needs.
//
// The plan is pure: what a snapshot lists goes in, groups of files with the reasons for them come out. The procedures
// carry plans out through package commit; they hold no lock, and any number of them may run beside each other and beside
// the daemon. A rewrite that lost a race is dropped whole, never mended. Nothing is deleted of which it is not known
// that no snapshot needs it.
package compaction
