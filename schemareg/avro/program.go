package avro

import (
	"math/big"

	"github.com/ingestd/ingestd/table/column"
)

// opcode is what an op does. The first group is what common records consist of; run holds it inline.
type opcode uint8

const (
	opLong opcode = iota // long -> AppendInt64
	opLongOpt
	opInt // int -> AppendInt32
	opIntOpt
	opMillis // long -> AppendInt64, times 1000
	opFloat
	opDouble
	opBool
	opBytes // bytes, string -> AppendFrom
	opBytesOpt
	opDec32 // bytes, or fixed of size jump -> AppendInt32; n = precision
	opDec64
	opValid     // SetValid
	opLevels    // AppendLevels(def)
	opNullFlat  // branch n is null: SetNull and jump
	opNull      // branch n is null: x.nulls and jump
	opNullSkip  // branch n is null: jump
	opSkipVar   // n numbers
	opSkipBytes // n lengths with their bytes
	opSkipFixed // n bytes
	opSkipNullVar
	opSkipNullBytes
	inlineOps

	// Ops that run something else: nested.
	opFill    // x.nulls
	opStrings // array of strings
	opArray   // x.subs[0] per item; n = repetition level, x.nulls when empty
	opUnion   // x.subs[branch]
	opSkipArray
	nestedOps

	// Ops with a conversion: convert.
	opIntLong // int -> AppendInt64
	opTime    // int or long times n -> AppendInt64; within a day if def is 1
	opNanos   // long -> AppendInt64, divided by 1000
	opTimes   // long -> AppendInt64, times n
	opFloatDouble
	opFixed // n bytes -> AppendFixed
	opEnum
	opDecWide  // bytes, or fixed of size jump -> AppendFixed; n = precision
	opDecText  // bytes, or fixed of size jump -> AppendBytes; n = scale
	opUUID     // string -> AppendFixed
	opUUIDText // fixed(16) -> AppendBytes
	opDuration // fixed(12) -> AppendBytes
)

// op is one step of a program. It is kept at 24 bytes; what is rare stands in extra.
type op struct {
	code opcode
	def  uint8
	jump uint16
	n    int32
	col  *column.Column
	x    *extra
}

type extra struct {
	subs    []block
	nulls   nulls
	symbols [][]byte
	cost    int // entries that one item appends at most
}

// block is a sequence of ops, and for each op the field it works on.
type block struct {
	ops   []op
	paths []string
}

// nulls are the columns to tell that there is no value, and at which definition level.
type nulls struct {
	flat   []*column.Column
	nested []*column.Column
	def    byte
}

func (n *nulls) append(rep byte) {
	for _, c := range n.flat {
		c.SetNull()
	}
	for _, c := range n.nested {
		c.AppendLevels(n.def, rep)
	}
}

// Program decodes the records of one writer schema into the columns of one set. It belongs to the goroutine that
// owns the set.
//
// A record is one pass over the root block. Each op reads its part of the bytes and appends to its column; a list or
// a union runs a block of its own for each item. The state of the walk is the position in the bytes and the repetition
// level of the first entry that the running block appends to each column; definition levels are known when compiling.
type Program struct {
	root   block
	budget int  // level entries that lists may still append for this record
	walk   bool // look into what could be jumped over

	fault   int
	path    string
	scratch []byte
	large   big.Int
}

// Bounds of what lists may append, in entries: a list item can be smaller than the nulls it stands for.
const (
	budgetBase    = 1 << 20
	budgetPerByte = 256
	budgetMax     = 1 << 25
)

// Decode appends one record. After an error the columns hold a part of it, which the caller truncates.
func (pr *Program) Decode(b []byte) error {
	pr.budget = min(budgetBase+budgetPerByte*len(b), budgetMax)
	p := pr.run(&pr.root, b, 0, 0)
	if p == len(b) {
		return nil
	}
	if p >= 0 {
		pr.fault, pr.path = faultTrailing, ""
	}
	return pr.error(len(b))
}
