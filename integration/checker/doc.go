// Package checker holds a table against what its topics hold, knowing nothing of how it was made: it reads the metadata
// file, manifests and Parquet with iceberg-go and arrow-go, and the positions from docs/FORMATS.md with a reader of its
// own. It imports no package of the product, so that a mistake there cannot hide itself here; a house rule says so.
package checker
