package rawrec

import (
	"unsafe"

	"github.com/ingestd/ingestd/table/column"
)

// Key appends record keys to one binary column.
type Key struct{ column *column.Column }

// NewKey makes the Key for an optional binary column.
func NewKey(set *column.Set, n *column.Node) (*Key, error) {
	if n.Field.Required || n.Field.Type.Kind != column.Binary {
		return nil, mismatch("make it an optional binary", "column %s is %s", n.Field.Name, describe(n.Field))
	}
	return &Key{set.Columns[n.Leaf]}, nil
}

// Append appends one row; a nil key is null.
func (k *Key) Append(key []byte) { appendBinary(k.column, key) }

// Nulls appends rows of nulls.
type Nulls struct {
	set   *column.Set
	nodes []*column.Node
}

// NewNulls makes the Nulls of top-level columns. All of them must be optional.
func NewNulls(set *column.Set, nodes []*column.Node) (*Nulls, error) {
	for _, n := range nodes {
		if n.Field.Required {
			return nil, mismatch("make it optional", "column %s is required and cannot be null", n.Field.Name)
		}
	}
	return &Nulls{set, nodes}, nil
}

// Append appends one null to each column.
func (n *Nulls) Append() {
	for _, node := range n.nodes {
		n.set.AppendNulls(node)
	}
}

// bytesOf is s without a copy, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
