// Package rawrec appends records as they are: key, value, headers and timestamp as columns, nothing decoded. It also
// has the two small parts that other formats borrow: the record key as a binary column, and rows of nulls for records
// without a value.
//
// Headers are a list of structs and not a map, because a header's key may appear several times and their order counts.
// A null key or value stays null and is different from an empty one. Appending never fails and does not allocate.
//
// The package knows records only as Record; it imports table/column and internal/failure, does no I/O, and its values
// belong to one goroutine.
package rawrec
