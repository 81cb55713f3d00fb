// Package stores asks every store that can be had without containers what package storetest asks, beyond the sizes
// that unit tests can afford: local files, S3 on versitygw, Azure
// Blob Storage on Azurite and Google Cloud Storage on fake-gcs-server, which it starts for itself on ports of their own.
//
// What was answered is kept in table/store/storetest/testdata/results.json, from which docs/STORES.md is made;
// `make stores` brings both up to date.
package stores
