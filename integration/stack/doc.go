// Package stack starts and stops the real components of the integration tests and of the end-to-end benchmark:
// Kafka, a schema registry, an Iceberg REST catalog, an object store, and the readers' environments.
//
// stack.sh beside it does the work; this package finds it, runs it and tells where things listen. The versions and
// ports stand in versions.env and nowhere else. It knows nothing of the product.
package stack
