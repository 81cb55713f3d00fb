package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/linkedin/goavro/v2"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/ingestd/ingestd/bench/records"
)

// row is the struct a Go programmer declares for GenericWriter, dictionaries included.
type row struct {
	ID         int64    `parquet:"id,id(1)"`
	UserID     string   `parquet:"user_id,dict,id(2)"`
	EventType  string   `parquet:"event_type,dict,id(3)"`
	TS         int64    `parquet:"ts,timestamp(microsecond),id(4)"`
	Score      float64  `parquet:"score,id(5)"`
	DurationMS int32    `parquet:"duration_ms,id(6)"`
	URL        *string  `parquet:"url,optional,dict,id(7)"`
	SessionID  *int64   `parquet:"session_id,optional,id(8)"`
	IsMobile   bool     `parquet:"is_mobile,id(9)"`
	Country    string   `parquet:"country,dict,id(10)"`
	Price      int64    `parquet:"price,decimal(2:18),id(11)"`
	Tags       []string `parquet:"tags,list,dict,id(12)"`
}

const rowsPerWrite = 1000

// naive writes what decode makes of the records, a thousand rows at a time.
func naive(recs [][]byte, out io.Writer, decode func([]byte) (row, error)) error {
	w := pq.NewGenericWriter[row](out, pq.Compression(&zstd.Codec{Level: zstd.SpeedFastest}), pq.DataPageVersion(1))
	rows := make([]row, 0, rowsPerWrite)
	for _, r := range recs {
		v, err := decode(r)
		if err != nil {
			return err
		}
		if rows = append(rows, v); len(rows) == rowsPerWrite {
			if _, err := w.Write(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	if _, err := w.Write(rows); err != nil {
		return err
	}
	return w.Close()
}

var hundred = big.NewRat(100, 1)

func cents(r *big.Rat) int64 {
	var x big.Rat
	x.Mul(r, hundred)
	return new(big.Int).Quo(x.Num(), x.Denom()).Int64()
}

// naiveAvro is goavro's generic map, copied into the struct.
func naiveAvro() (func([]byte) (row, error), error) {
	codec, err := goavro.NewCodec(records.Schema)
	if err != nil {
		return nil, err
	}
	return func(b []byte) (row, error) {
		v, _, err := codec.NativeFromBinary(b)
		if err != nil {
			return row{}, err
		}
		m := v.(map[string]any)
		r := row{
			ID: m["id"].(int64), UserID: m["user_id"].(string), EventType: m["event_type"].(string),
			TS: m["ts"].(time.Time).UnixMicro(), Score: m["score"].(float64), DurationMS: m["duration_ms"].(int32),
			IsMobile: m["is_mobile"].(bool), Country: m["country"].(string), Price: cents(m["price"].(*big.Rat)),
		}
		if u, ok := m["url"].(map[string]any); ok {
			s := u["string"].(string)
			r.URL = &s
		}
		if u, ok := m["session_id"].(map[string]any); ok {
			s := u["long"].(int64)
			r.SessionID = &s
		}
		for _, t := range m["tags"].([]any) {
			r.Tags = append(r.Tags, t.(string))
		}
		return r, nil
	}, nil
}

// naiveJSON is encoding/json into a struct, copied into the row.
func naiveJSON(b []byte) (row, error) {
	var e records.EventJSON
	if err := json.Unmarshal(b, &e); err != nil {
		return row{}, err
	}
	f, err := e.Price.Float64()
	if err != nil {
		return row{}, fmt.Errorf("reading a price: %w", err)
	}
	return row{
		ID: e.ID, UserID: e.UserID, EventType: e.EventType, TS: e.TS * 1000, Score: e.Score, DurationMS: e.DurationMS,
		URL: e.URL, SessionID: e.SessionID, IsMobile: e.IsMobile, Country: e.Country, Price: int64(f*100 + .5), Tags: e.Tags,
	}, nil
}
