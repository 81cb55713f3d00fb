// Package kafka is the way to the broker: a configured client, what the cluster says about topics and offsets,
// and the encoding of an offset as the opaque position of the commit protocol.
//
// Invariants: offsets are never reset automatically; only committed records are read; every error is classified
// once, here, so that nobody above compares broker codes. Together with package ingest it is the only room that
// touches franz-go.
package kafka
