// Package stores asks every store that can be had without containers what package storetest asks, beyond the sizes
// that unit tests can afford: local files, and S3 on versitygw, which it starts for itself on a port of its own.
//
// What was answered is kept in table/store/storetest/testdata/results.json, from which docs/STORES.md is made;
// `make stores` brings both up to date.
package stores
