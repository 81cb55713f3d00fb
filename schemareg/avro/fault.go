package avro

import (
	"github.com/ingestd/ingestd/internal/failure"
)

// Faults travel through the decode loop in place of a position, so they are negative numbers.
const (
	faultShort = -1 - iota
	faultVarint
	faultInt
	faultLength
	faultBranch
	faultSymbol
	faultBool
	faultBlock
	faultItems
	faultTrailing
	faultTime // from here on: well-formed Avro that does not fit the column
	faultTimestamp
	faultDecimal
	faultUUID

	// recorded stands for a fault that a block further down has noted in the Program.
	recorded = -100
)

var faultTexts = [...]string{
	-faultShort:     "the record ends within it",
	-faultVarint:    "its number has more than 64 bits",
	-faultInt:       "its number has more than 32 bits",
	-faultLength:    "its length is negative",
	-faultBranch:    "its union has no such branch",
	-faultSymbol:    "its enum has no such symbol",
	-faultBool:      "a boolean is neither 0 nor 1",
	-faultBlock:     "the size of a block does not match its items",
	-faultItems:     "its lists have more items than the record's length allows",
	-faultTrailing:  "there are bytes behind the end of the record",
	-faultTime:      "its time is not within a day",
	-faultTimestamp: "its timestamp does not fit 64 bits of its column's unit",
	-faultDecimal:   "its decimal has more digits than the column",
	-faultUUID:      "its text is not a UUID",
}

// fail notes a fault of the op at pc, unless a block further down has done so.
func (pr *Program) fail(blk *block, pc, fault int) int {
	if fault != recorded {
		pr.fault, pr.path = fault, blk.paths[pc]
	}
	return recorded
}

// error makes an error of the noted fault. It holds nothing of the record's content.
func (pr *Program) error(length int) error {
	code, hint := CodeDecode, "the bytes do not match the schema they name: was the record written with another one?"
	if pr.fault <= faultTime {
		code, hint = CodeConvert, "the value has no place in the column's type"
	}
	what := "record"
	if pr.path != "" {
		what = "field " + pr.path
	}
	return failure.New(failure.Poison, code, hint, "decoding Avro record of %d bytes: %s: %s", length, what, faultTexts[-pr.fault])
}
