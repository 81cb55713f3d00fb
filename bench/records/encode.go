package records

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// Schema is the Avro schema of an Event.
const Schema = `{"type":"record","name":"Event","namespace":"com.acme","fields":[
 {"name":"id","type":"long"},
 {"name":"user_id","type":"string"},
 {"name":"event_type","type":"string"},
 {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"score","type":"double"},
 {"name":"duration_ms","type":"int"},
 {"name":"url","type":["null","string"],"default":null},
 {"name":"session_id","type":["null","long"],"default":null},
 {"name":"is_mobile","type":"boolean"},
 {"name":"country","type":"string"},
 {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}},
 {"name":"tags","type":{"type":"array","items":"string"}}
]}`

// Avro encodes each event as Avro binary, without framing; the records lie one behind the other in memory.
func Avro(events []Event) [][]byte {
	return pack(events, func(b []byte, e *Event) []byte { return e.appendAvro(b) })
}

// JSON encodes each event as one JSON object.
func JSON(events []Event) ([][]byte, error) {
	var failed error
	out := pack(events, func(b []byte, e *Event) []byte {
		text, err := json.Marshal(e.asJSON())
		if err != nil {
			failed = err
		}
		return append(b, text...)
	})
	return out, failed
}

func pack(events []Event, appendTo func([]byte, *Event) []byte) [][]byte {
	var buf []byte
	ends := make([]int, len(events))
	for i := range events {
		buf = appendTo(buf, &events[i])
		ends[i] = len(buf)
	}
	out := make([][]byte, len(events))
	start := 0
	for i, end := range ends {
		out[i] = buf[start:end:end]
		start = end
	}
	return out
}

func (e *Event) appendAvro(b []byte) []byte {
	b = appendLong(b, e.ID)
	b = appendString(b, e.UserID)
	b = appendString(b, e.EventType)
	b = appendLong(b, e.Millis)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Score))
	b = appendLong(b, int64(e.DurationMS))
	if e.URL == nil {
		b = append(b, 0)
	} else {
		b = appendString(append(b, 2), *e.URL)
	}
	if e.SessionID == nil {
		b = append(b, 0)
	} else {
		b = appendLong(append(b, 2), *e.SessionID)
	}
	if e.IsMobile {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = appendString(b, e.Country)
	b = appendDecimal(b, e.Cents)
	if len(e.Tags) > 0 {
		b = appendLong(b, int64(len(e.Tags)))
		for _, t := range e.Tags {
			b = appendString(b, t)
		}
	}
	return append(b, 0)
}

func appendLong(b []byte, v int64) []byte { return binary.AppendUvarint(b, uint64(v<<1)^uint64(v>>63)) }

func appendString(b []byte, s string) []byte { return append(appendLong(b, int64(len(s))), s...) }

// appendDecimal writes the unscaled value in as few bytes as it needs.
func appendDecimal(b []byte, v int64) []byte {
	t := binary.BigEndian.AppendUint64(nil, uint64(v))
	for len(t) > 1 && (t[0] == 0 && t[1] < 0x80 || t[0] == 0xff && t[1] >= 0x80) {
		t = t[1:]
	}
	return append(appendLong(b, int64(len(t))), t...)
}

// EventJSON is the JSON form of an Event, for encoding/json.
type EventJSON struct {
	ID         int64       `json:"id"`
	UserID     string      `json:"user_id"`
	EventType  string      `json:"event_type"`
	TS         int64       `json:"ts"`
	Score      float64     `json:"score"`
	DurationMS int32       `json:"duration_ms"`
	URL        *string     `json:"url"`
	SessionID  *int64      `json:"session_id"`
	IsMobile   bool        `json:"is_mobile"`
	Country    string      `json:"country"`
	Price      json.Number `json:"price"`
	Tags       []string    `json:"tags"`
}

func (e *Event) asJSON() EventJSON {
	return EventJSON{
		e.ID, e.UserID, e.EventType, e.Millis, e.Score, e.DurationMS, e.URL, e.SessionID, e.IsMobile, e.Country,
		json.Number(fmt.Sprintf("%d.%02d", e.Cents/100, e.Cents%100)), append([]string{}, e.Tags...),
	}
}
