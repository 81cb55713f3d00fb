// Package columntest puts the columns of a Set together to rows again, so that tests of decode programs can compare
// what they appended with what an oracle read. It is slow, strict and for tests only: columns that contradict each
// other panic.
package columntest
