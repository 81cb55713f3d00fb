package metastore

import (
	"bufio"
	"encoding/binary"
	"fmt"
)

// Kinds of messages.
const (
	messageCall      = 1
	messageReply     = 2
	messageException = 3
)

// protocol is the first half of a message: the strict binary protocol.
const protocol = 0x8001 << 16

// Message is a call or the answer to one.
type Message struct {
	Kind byte
	Name string
	Seq  int32
	Body Struct
}

// Append writes the message.
func (m Message) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, protocol|uint32(m.Kind))
	b = appendValue(b, m.Name)
	b = appendValue(b, m.Seq)
	return appendStruct(b, m.Body)
}

// ReadMessage reads the next message.
func ReadMessage(r *bufio.Reader) (m Message, err error) {
	d := &decoder{r: r, left: maxBytes}
	head, err := d.number(4)
	if err != nil {
		return m, err
	}
	if head&0xffff0000 != protocol {
		return m, fmt.Errorf("%w: no Thrift in the binary protocol", errMalformed)
	}
	m.Kind = byte(head)
	if m.Name, err = d.text(); err != nil {
		return m, err
	}
	seq, err := d.number(4)
	if err != nil {
		return m, err
	}
	m.Seq = int32(seq)
	m.Body, err = d.strct(0)
	return m, err
}
