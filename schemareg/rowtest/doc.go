// Package rowtest puts rows together again from columns, for the tests of decode programs.
//
// Job: Rows is the inverse of what a program does, by the Dremel rules: values with their levels become nested rows.
// It is strict: entries that contradict each other are errors, so a wrong level cannot hide behind a right value.
//
// It looks at the pending rows of a column.Set before they are absorbed. It imports table/column only.
package rowtest
