// Package house holds the rules of the house as tests: who may import whom, who alone may touch which library, how
// long files and functions may be, which calls are banned, what needs a comment. It has no product code.
//
// The tables at the top of each test file are the rules; a change of a rule is a change of a table, seen in review.
// A violation prints file:line and the rule. integration, bench and internal/mutation work on the product from outside,
// so most rules stop at their doors.
package house
