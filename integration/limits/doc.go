// Package limits holds tests at the limits of what ingestd takes: single records of ten megabytes, batches that
// decompress to a hundred times their size, tables of two thousand columns, ten thousand values of a partition column.
// Each runs the built binary with a small memory.limit against a broker in the test's own process, and ends with every
// row in the table, or with a state that says what is too much, below a peak of resident memory.
package limits
