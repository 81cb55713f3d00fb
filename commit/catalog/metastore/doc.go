// Package metastore speaks to a Hive Metastore: the few calls of its Thrift service that a catalog of Iceberg tables
// needs, over connections that are used by one caller at a time.
//
// What a call returns is kept as it came, field by field, so that a table which is read and written back loses nothing
// that this package does not know.
package metastore
