// Package storetest holds what tests of file storage share: the conformance suite every Store passes, and an
// in-process S3 server that keeps objects in memory, checks what a real one checks (sizes, checksums, parts) and
// fails where a test tells it to.
package storetest
