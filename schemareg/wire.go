package schemareg

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/ingestd/ingestd/internal/failure"
)

// Names of the record headers that carry a schema id.
const (
	KeyHeader   = "__key_schema_id"
	ValueHeader = "__value_schema_id"
)

// Magic bytes of the framing: an id follows, or a GUID (headers only).
const (
	magicID   = 0x00
	magicGUID = 0x01
)

// CodeFrame is the code of a record whose framing cannot be read.
const CodeFrame = "E_FRAME"

const frameHint = "is the topic written with a schema registry serializer? Otherwise declare the format of the table as json or raw"

// Part says which half of a record is framed.
type Part uint8

// The two parts of a record.
const (
	Value Part = iota
	Key
)

// String names the part as in messages.
func (p Part) String() string {
	if p == Key {
		return "key"
	}
	return "value"
}

func (p Part) header() string {
	if p == Key {
		return KeyHeader
	}
	return ValueHeader
}

// Ref names a writer schema as a record does: by GUID if HasGUID, by ID otherwise. It is comparable, so it serves as
// the key of a cache.
type Ref struct {
	ID      uint32
	GUID    [16]byte
	HasGUID bool
}

// String is "id 7" or "guid 01234567-…".
func (r Ref) String() string {
	if r.HasGUID {
		return "guid " + formatGUID(r.GUID)
	}
	return "id " + strconv.FormatUint(uint64(r.ID), 10)
}

// Header has the shape of a record header of the Kafka client, which is not imported here.
type Header struct {
	Key   string
	Value []byte
}

// Frame finds the schema of one part of a record and the payload to decode. The header comes first, and of several
// headers with the name the last one counts; the payload then is the whole value. Otherwise the value starts with
// a magic byte and four bytes of id. The payload aliases value; nothing is allocated unless there is an error.
func Frame[H ~struct {
	Key   string
	Value []byte
}](part Part, value []byte, headers []H) (Ref, []byte, error) {
	name := part.header()
	for i := len(headers) - 1; i >= 0; i-- {
		if h := Header(headers[i]); h.Key == name {
			ref, err := frameHeader(name, h.Value)
			return ref, value, err
		}
	}
	return framePrefix(part, value)
}

func framePrefix(part Part, value []byte) (Ref, []byte, error) {
	if len(value) >= 5 && value[0] == magicID {
		return Ref{ID: binary.BigEndian.Uint32(value[1:5])}, value[5:], nil
	}
	return Ref{}, nil, prefixError(part, value)
}

func frameHeader(name string, v []byte) (Ref, error) {
	switch {
	case len(v) == 17 && v[0] == magicGUID:
		return Ref{GUID: [16]byte(v[1:]), HasGUID: true}, nil
	case len(v) == 5 && v[0] == magicID:
		return Ref{ID: binary.BigEndian.Uint32(v[1:])}, nil
	}
	return Ref{}, failure.New(failure.Poison, CodeFrame, frameHint,
		"reading schema id: header %s has %d bytes%s, want 0x01 and a 16 byte GUID or 0x00 and a 4 byte id", name, len(v), startsWith(v))
}

func prefixError(part Part, v []byte) error {
	var what string
	switch {
	case v == nil:
		what = "there is no value (null)"
	case len(v) < 5 && (len(v) == 0 || v[0] == magicID):
		what = "a schema id needs 5 bytes"
	case v[0] == '{' || v[0] == '[':
		what = "it looks like JSON, not like registry framing (0x00 and a 4 byte id)"
	case v[0] == 0x03 && len(v) >= 18:
		what = "it looks like AWS Glue framing, which is not supported; want 0x00 and a 4 byte id"
	default:
		what = "want 0x00 and a 4 byte id"
	}
	return failure.New(failure.Poison, CodeFrame, frameHint, "reading schema id: %s has %d bytes%s: %s", part, len(v), startsWith(v), what)
}

// startsWith shows at most the five bytes that framing is about, never more of the record.
func startsWith(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	return " and starts with 0x" + hex.EncodeToString(v[:min(len(v), 5)])
}

func formatGUID(g [16]byte) string {
	var b [36]byte
	hex.Encode(b[0:8], g[0:4])
	hex.Encode(b[9:13], g[4:6])
	hex.Encode(b[14:18], g[6:8])
	hex.Encode(b[19:23], g[8:10])
	hex.Encode(b[24:], g[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// AppendPrefix writes the framing of a value: the magic byte and the id.
func AppendPrefix(dst []byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, magicID), id)
}

// AppendHeader writes the header value that names ref.
func AppendHeader(dst []byte, ref Ref) []byte {
	if ref.HasGUID {
		return append(append(dst, magicGUID), ref.GUID[:]...)
	}
	return AppendPrefix(dst, ref.ID)
}
