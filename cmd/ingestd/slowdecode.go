package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
)

// slowDecoder decodes single records for people: Avro through an independent implementation, JSON as it stands but
// checked against its declaration.
type slowDecoder struct {
	env     *environment
	table   ingest.TableOptions
	schemas map[schemareg.Ref]*avro.Preview
}

func newSlowDecoder(e *environment, t ingest.TableOptions) *slowDecoder {
	return &slowDecoder{env: e, table: t, schemas: map[schemareg.Ref]*avro.Preview{}}
}

// halves are the two parts of a record and how to take the framing off one.
type halves struct {
	key, value []byte
	frame      func(part schemareg.Part, b []byte) (schemareg.Ref, []byte, error)
}

// fill puts a record's parts into a line. What cannot be decoded is shown as it is, with the error.
func (d *slowDecoder) fill(ctx context.Context, line *previewed, r halves) {
	var keyErr, valueErr error
	line.Key, _, keyErr = d.part(ctx, schemareg.Key, r)
	line.Value, line.Schema, valueErr = d.part(ctx, schemareg.Value, r)
	if err := errors.Join(valueErr, keyErr); err != nil {
		line.Error = &problemPlan{Message: err.Error(), Code: failure.CodeOf(err), Hint: failure.HintOf(err)}
	}
}

func (d *slowDecoder) part(ctx context.Context, part schemareg.Part, r halves) (shown json.RawMessage, schema string, err error) {
	bytes, format, declared := r.value, d.table.Value.Format, d.table.Value.Schema
	if part == schemareg.Key {
		bytes, format, declared = r.key, d.table.Key.Format, d.table.Key.Schema
	}
	if bytes == nil {
		return json.RawMessage("null"), "", nil
	}
	switch format {
	case ingest.FormatAvro:
		shown, schema, err = d.avro(ctx, part, bytes, r)
	case ingest.FormatJSON:
		if err = checkJSON(declared, bytes); json.Valid(bytes) {
			shown = bytes
		}
	default:
	}
	if shown == nil {
		shown = rawBytes(bytes)
	}
	return shown, schema, err
}

func (d *slowDecoder) avro(ctx context.Context, part schemareg.Part, bytes []byte, r halves) (json.RawMessage, string, error) {
	ref, payload, err := r.frame(part, bytes)
	if err != nil {
		return nil, "", err
	}
	p, err := d.preview(ctx, ref)
	if err != nil {
		return nil, ref.String(), err
	}
	shown, err := p.JSON(payload)
	return shown, ref.String(), err
}

func (d *slowDecoder) preview(ctx context.Context, ref schemareg.Ref) (*avro.Preview, error) {
	if p := d.schemas[ref]; p != nil {
		return p, nil
	}
	registry, err := d.env.registry(d.table.Source)
	if err != nil {
		return nil, err
	}
	text, err := schemareg.Find(ctx, registry, ref)
	if err != nil {
		return nil, err
	}
	schema, err := ingest.ParseSchema(text)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", ref, err)
	}
	p, err := avro.NewPreview(schema)
	if err == nil {
		d.schemas[ref] = p
	}
	return p, err
}

// checkJSON decodes a record as the daemon would and throws the row away.
func checkJSON(s *jsonrec.Schema, bytes []byte) error {
	layout, err := column.NewLayout(s.Fields())
	if err != nil {
		return err
	}
	p, err := jsonrec.Compile(s, column.NewSet(layout), jsonrec.Options{})
	if err != nil {
		return err
	}
	return p.Decode(bytes)
}

// rawBytes shows bytes as a JSON string: text as it is, anything else in base64 with a prefix that says so.
func rawBytes(b []byte) json.RawMessage {
	text := string(b)
	if !utf8.Valid(b) {
		text = "base64:" + base64.StdEncoding.EncodeToString(b)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage("null")
	}
	return quoted
}
