package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/linkedin/goavro/v2"

	"github.com/ingestd/ingestd/integration/events"
)

// Row is one event as the Parquet writer takes it.
type Row struct {
	EventID  int64    `parquet:"event_id" json:"event_id"`
	UserID   int64    `parquet:"user_id" json:"user_id"`
	Session  string   `parquet:"session" json:"session"`
	Page     string   `parquet:"page,dict" json:"page"`
	Referrer *string  `parquet:"referrer,optional,dict" json:"referrer"`
	Country  string   `parquet:"country,dict" json:"country"`
	Device   string   `parquet:"device,dict" json:"device"`
	TS       int64    `parquet:"ts,timestamp(microsecond)" json:"ts"`
	Duration float64  `parquet:"duration" json:"duration"`
	Amount   *float64 `parquet:"amount,optional" json:"amount"`
	IsBot    bool     `parquet:"is_bot" json:"is_bot"`
	Tags     []string `parquet:"tags,list" parquet-element:",dict" json:"tags"`
}

// decoder reads one record's value.
type decoder func(value []byte, row *Row) error

func newDecoder(format string) (decoder, error) {
	switch format {
	case "json":
		return fromJSON, nil
	case "avro":
		codec, err := goavro.NewCodec(events.Schema)
		if err != nil {
			return nil, err
		}
		return func(value []byte, row *Row) error { return fromAvro(codec, value, row) }, nil
	default:
		return nil, fmt.Errorf("unknown format %q", format)
	}
}

func fromJSON(value []byte, row *Row) error {
	if err := json.Unmarshal(value, row); err != nil {
		return err
	}
	row.TS *= 1000
	return nil
}

func fromAvro(codec *goavro.Codec, value []byte, row *Row) error {
	native, _, err := codec.NativeFromBinary(value[5:])
	if err != nil {
		return err
	}
	m := native.(map[string]any)
	*row = Row{
		EventID: m["event_id"].(int64), UserID: m["user_id"].(int64), Session: m["session"].(string),
		Page: m["page"].(string), Country: m["country"].(string), Device: m["device"].(string),
		TS: m["ts"].(time.Time).UnixMicro(), Duration: m["duration"].(float64), IsBot: m["is_bot"].(bool),
	}
	if u, ok := m["referrer"].(map[string]any); ok {
		s := u["string"].(string)
		row.Referrer = &s
	}
	if u, ok := m["amount"].(map[string]any); ok {
		f := u["double"].(float64)
		row.Amount = &f
	}
	for _, t := range m["tags"].([]any) {
		row.Tags = append(row.Tags, t.(string))
	}
	return nil
}
