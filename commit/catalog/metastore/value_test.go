package metastore

import (
	"bufio"
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anything draws a value of a kind.
func anything(t *rapid.T, k kind, depth int) any {
	switch k {
	case kindBool:
		return rapid.Bool().Draw(t, "bool")
	case kindByte:
		return rapid.Int8().Draw(t, "byte")
	case kindI16:
		return rapid.Int16().Draw(t, "i16")
	case kindI32:
		return rapid.Int32().Draw(t, "i32")
	case kindI64:
		return rapid.Int64().Draw(t, "i64")
	case kindDouble:
		return math.Float64frombits(rapid.Uint64Range(0, 1<<62).Draw(t, "double"))
	case kindString:
		return string(rapid.SliceOf(rapid.Byte()).Draw(t, "string"))
	case kindStruct:
		s := Struct{}
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			s[rapid.Int16().Draw(t, "field")] = anything(t, kinds(t, depth+1), depth+1)
		}
		return s
	case kindMap:
		m := Map{key: kinds(t, depth+1), value: kinds(t, depth+1)}
		for range rapid.IntRange(0, 3).Draw(t, "pairs") {
			m.Pairs = append(m.Pairs, [2]any{anything(t, m.key, depth+1), anything(t, m.value, depth+1)})
		}
		return m
	}
	l := List{elem: kinds(t, depth+1), set: k == kindSet}
	for range rapid.IntRange(0, 3).Draw(t, "items") {
		l.Items = append(l.Items, anything(t, l.elem, depth+1))
	}
	return l
}

func kinds(t *rapid.T, depth int) kind {
	all := []kind{kindBool, kindByte, kindDouble, kindI16, kindI32, kindI64, kindString, kindStruct, kindMap, kindSet, kindList}
	if depth > 4 {
		all = all[:7]
	}
	return rapid.SampledFrom(all).Draw(t, "kind")
}

// What is read is written back as it came, whatever it is.
func TestValuesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, _ := anything(t, kindStruct, 0).(Struct)
		m := Message{Kind: messageReply, Name: rapid.String().Draw(t, "name"), Seq: rapid.Int32().Draw(t, "seq"), Body: body}
		text := m.Append(nil)
		got, err := ReadMessage(bufio.NewReader(bytes.NewReader(text)))
		require.NoError(t, err)
		require.Equal(t, text, got.Append(nil))
		require.Equal(t, m.Name, got.Name)
	})
}

// A call as it stands on the wire, by the protocol's own description.
func TestMessageOnTheWire(t *testing.T) {
	m := Message{Kind: messageCall, Name: "unlock", Seq: 7, Body: Struct{1: Struct{1: int64(5)}}}
	require.Equal(t, "\x80\x01\x00\x01\x00\x00\x00\x06unlock\x00\x00\x00\x07\x0c\x00\x01\x0a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00", string(m.Append(nil)))
}

func TestMalformedMessages(t *testing.T) {
	good := Message{Kind: messageReply, Name: "n", Seq: 1, Body: Struct{1: Structs(Struct{1: "text"}), 2: Strings(map[string]string{"k": "v"})}}.Append(nil)
	for i := range good {
		_, err := ReadMessage(bufio.NewReader(bytes.NewReader(good[:i])))
		require.Error(t, err, "cut at %d", i)
	}
	deep := []byte("\x80\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00")
	for range maxDepth + 2 {
		deep = append(deep, byte(kindStruct), 0, 1)
	}
	for _, text := range []string{string(deep), "HTTP/1.1 400 Bad Request\r\n\r\n", "\x80\x01\x00\x02\xff\xff\xff\xff", "\x80\x01\x00\x02\x7f\xff\xff\xff"} {
		_, err := ReadMessage(bufio.NewReader(bytes.NewReader([]byte(text))))
		require.ErrorIs(t, err, errMalformed)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(Message{Kind: messageReply, Name: "get_table_req", Seq: 1, Body: Struct{0: Struct{1: Struct{1: "t", 9: Strings(map[string]string{"a": "b"})}}}}.Append(nil))
	f.Add(Message{Kind: messageException, Name: "lock", Body: Struct{1: "Invalid method name", 2: int32(1)}}.Append(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ReadMessage(bufio.NewReader(bytes.NewReader(text)))
		if err != nil {
			return
		}
		again, err := ReadMessage(bufio.NewReader(bytes.NewReader(m.Append(nil))))
		require.NoError(t, err)
		require.Equal(t, m.Append(nil), again.Append(nil))
	})
}
