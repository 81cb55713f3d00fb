package events

import (
	_ "embed" // the Avro schema
	"encoding/binary"
	"math"
	"strconv"
)

// Schema is the Avro schema of an Event.
//
//go:embed event.avsc
var Schema string

// AppendAvro appends e in Confluent framing: magic byte, schema id, Avro binary.
func AppendAvro(b []byte, schemaID int, e *Event) []byte {
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(schemaID))
	b = appendLong(b, e.ID)
	b = appendLong(b, e.User)
	b = appendString(b, e.Session)
	b = appendString(b, e.Page)
	if e.Referrer == "" {
		b = append(b, 0)
	} else {
		b = appendString(append(b, 2), e.Referrer)
	}
	b = appendString(b, e.Country)
	b = appendString(b, e.Device)
	b = appendLong(b, e.Millis)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Duration))
	if e.HasAmount() {
		b = binary.LittleEndian.AppendUint64(append(b, 2), math.Float64bits(e.Amount))
	} else {
		b = append(b, 0)
	}
	if e.Bot {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	if len(e.Tags) > 0 {
		b = appendLong(b, int64(len(e.Tags)))
		for _, t := range e.Tags {
			b = appendString(b, t)
		}
	}
	return append(b, 0)
}

// AppendJSON appends e as one JSON object.
func AppendJSON(b []byte, e *Event) []byte {
	b = append(b, `{"event_id":`...)
	b = strconv.AppendInt(b, e.ID, 10)
	b = append(b, `,"user_id":`...)
	b = strconv.AppendInt(b, e.User, 10)
	b = appendMember(b, "session", e.Session)
	b = appendMember(b, "page", e.Page)
	if e.Referrer == "" {
		b = append(b, `,"referrer":null`...)
	} else {
		b = appendMember(b, "referrer", e.Referrer)
	}
	b = appendMember(b, "country", e.Country)
	b = appendMember(b, "device", e.Device)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, e.Millis, 10)
	b = append(b, `,"duration":`...)
	b = strconv.AppendFloat(b, e.Duration, 'f', -1, 64)
	b = append(b, `,"amount":`...)
	if e.HasAmount() {
		b = strconv.AppendFloat(b, e.Amount, 'f', -1, 64)
	} else {
		b = append(b, `null`...)
	}
	b = append(b, `,"is_bot":`...)
	b = strconv.AppendBool(b, e.Bot)
	b = append(b, `,"tags":[`...)
	for i, t := range e.Tags {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), t...), '"')
	}
	return append(b, `]}`...)
}

func appendLong(b []byte, v int64) []byte { return binary.AppendUvarint(b, uint64(v<<1)^uint64(v>>63)) }

func appendString(b []byte, s string) []byte { return append(appendLong(b, int64(len(s))), s...) }

// appendMember appends a string member; the values of the set need no escapes.
func appendMember(b []byte, name, value string) []byte {
	b = append(append(append(b, `,"`...), name...), `":"`...)
	return append(append(b, value...), '"')
}
