// Package examples holds configuration files that are kept valid by a test. Two of them are built into the
// binary: `ingestd init` writes them. The package knows nothing of the others.
package examples
