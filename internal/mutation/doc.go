// Command mutation takes the checks out on which exactly once rests, one at a time, and demands that a named test
// notices. A check that no test would miss is only a habit.
//
//	go run ./internal/mutation            # all
//	go run ./internal/mutation -run pin   # those whose name contains "pin"
//
// A mutation replaces a piece of text in one file by means of `go test -overlay`, so that the product carries no
// switches. The text must occur exactly once: a check that moved breaks the run, and the package's own test as well.
// The test has to pass on the code as it is, and on the mutated code it has to fail by an assertion: not by the
// compiler, not by a panic, not by a deadline. docs/CHECKS.md is this list.
package main
