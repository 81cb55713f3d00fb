package avro

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxJSONDepth is deep enough for MaxDepth nested types: a type nests at most five levels of JSON.
const maxJSONDepth = 5*MaxDepth + 5

// jsonValue is one value of a schema's text. encoding/json alone would let duplicate keys pass.
type jsonValue struct {
	kind  byte // '{', '[', '"', '0' (number), 't' (true, false, null)
	text  string
	keys  []string
	items []*jsonValue
}

// get finds an attribute of an object.
func (v *jsonValue) get(key string) *jsonValue {
	for i, k := range v.keys {
		if k == key {
			return v.items[i]
		}
	}
	return nil
}

// str is the text of an attribute, "" when it is missing or no string.
func (v *jsonValue) str(key string) string {
	if a := v.get(key); a != nil && a.kind == '"' {
		return a.text
	}
	return ""
}

// integer is the value of an attribute; false when it is missing or no integer.
func (v *jsonValue) integer(key string) (int, bool) {
	a := v.get(key)
	if a == nil || a.kind != '0' {
		return 0, false
	}
	n, err := strconv.Atoi(a.text)
	return n, err == nil
}

func parseJSON(text string) (*jsonValue, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(text), MaxBytes)
	}
	if !utf8.ValidString(text) {
		return nil, errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	v, err := readJSON(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind its end")
	}
	return v, nil
}

func readJSON(dec *json.Decoder, depth int) (*jsonValue, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("its JSON is nested deeper than %d levels", maxJSONDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	switch t := tok.(type) {
	case string:
		return &jsonValue{kind: '"', text: t}, nil
	case json.Number:
		return &jsonValue{kind: '0', text: t.String()}, nil
	case json.Delim:
		return readNested(dec, byte(t), depth)
	}
	return &jsonValue{kind: 't'}, nil
}

func readNested(dec *json.Decoder, kind byte, depth int) (*jsonValue, error) {
	v := &jsonValue{kind: kind}
	seen := map[string]bool{}
	for dec.More() {
		if kind == '{' {
			tok, err := dec.Token()
			if err != nil {
				return nil, fmt.Errorf("it is not JSON: %w", err)
			}
			key, _ := tok.(string)
			if seen[key] {
				return nil, fmt.Errorf("attribute %q stands twice in one object", clip(key))
			}
			seen[key] = true
			v.keys = append(v.keys, key)
		}
		item, err := readJSON(dec, depth+1)
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, item)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	return v, nil
}
