package jsonrec

import (
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// The codes of the failures of this package.
const (
	// CodeDecode: the record is not the JSON object that was declared (stage "decode").
	CodeDecode = "E_DECODE"
	// CodeConvert: a well-formed value does not fit the type of its column (stage "convert").
	CodeConvert = "E_CONVERT"
)

// fault is the reason why a record cannot be read; 0 is none. The scanner passes faults around instead of errors, so
// that nothing is built before the record is given up.
type fault uint8

const (
	fine fault = iota
	badObject
	badSyntax
	badString
	badEscape
	badControl
	badUTF8
	badNumber
	badLiteral
	tooDeep
	trailing
	duplicate
	unknownKey
	missing
	null
	wantNumber
	wantString
	wantBool
	wantObject
	wantArray
	notInteger
	outOfRange
	inexact
	badDate
	badTime
	badTimestamp
	needOffset
	noOffset
	badUUID
	badBase64
	badLength
	faults
)

// reason is what people read about a fault.
type reason struct {
	code, text, hint string
}

// reasonOf describes f.
func reasonOf(f fault) reason {
	return [faults]reason{
		badObject:    {CodeDecode, "the value is not a JSON object", "set value.format to what the topic carries"},
		badSyntax:    {CodeDecode, "malformed JSON", ""},
		badString:    {CodeDecode, "unterminated string", ""},
		badEscape:    {CodeDecode, "bad escape in a string", ""},
		badControl:   {CodeDecode, "control character in a string", ""},
		badUTF8:      {CodeDecode, "text is not valid UTF-8", "let the producer write UTF-8, or set value.invalid_text: replace"},
		badNumber:    {CodeDecode, "malformed number", ""},
		badLiteral:   {CodeDecode, "not a JSON value", ""},
		tooDeep:      {CodeDecode, "nested more than 64 levels", ""},
		trailing:     {CodeDecode, "bytes after the object", ""},
		duplicate:    {CodeDecode, "the key appears twice in its object", ""},
		unknownKey:   {CodeDecode, "the key is not declared in the schema", "declare the field, or set unknown_fields: rest"},
		missing:      {CodeConvert, "a required field is missing", "declare it without required, or mend the producer"},
		null:         {CodeConvert, "a required field is null", "declare it without required, or mend the producer"},
		wantNumber:   {CodeConvert, "a number is expected", ""},
		wantString:   {CodeConvert, "a string is expected", "numbers are dates and times only with a declared unit"},
		wantBool:     {CodeConvert, "true or false is expected", ""},
		wantObject:   {CodeConvert, "an object is expected", ""},
		wantArray:    {CodeConvert, "an array is expected", ""},
		notInteger:   {CodeConvert, "the number is not an integer", "declare the field as double or decimal"},
		outOfRange:   {CodeConvert, "the number does not fit the type", "declare a wider type"},
		inexact:      {CodeConvert, "the number has more digits than the scale of its decimal", "declare a larger scale"},
		badDate:      {CodeConvert, "not a date like 2006-01-02", ""},
		badTime:      {CodeConvert, "not a time of day like 15:04:05.999999", ""},
		badTimestamp: {CodeConvert, "not an ISO 8601 timestamp", "declare the unit if the field is a number"},
		needOffset:   {CodeConvert, "the timestamp has no offset", "declare the field as timestamp"},
		noOffset:     {CodeConvert, "the timestamp has an offset", "declare the field as timestamptz"},
		badUUID:      {CodeConvert, "not a UUID", ""},
		badBase64:    {CodeConvert, "not base64", ""},
		badLength:    {CodeConvert, "the length differs from the declared one", ""},
	}[f]
}

// failureOf builds the failure of one record. path is the field, "" for the record itself.
func failureOf(f fault, path string, at int) error {
	r := reasonOf(f)
	if path == "" {
		return failure.New(failure.Poison, r.code, r.hint, "reading JSON: %s at byte %d", r.text, at)
	}
	return failure.New(failure.Poison, r.code, r.hint, "reading JSON field %s: %s at byte %d", path, r.text, at)
}

// maxKeyShown bounds how much of an undeclared key a message shows.
const maxKeyShown = 64

// memberPath names an undeclared key of the object at path.
func memberPath(path string, key []byte) string {
	name := strconv.QuoteToASCII(string(key[:min(len(key), maxKeyShown)]))
	if path == "" {
		return name
	}
	return path + "." + name
}

// joinPath spells a field's place for people: user.address.zip, tags.element.
func joinPath(parts []string) string { return strings.Join(parts, ".") }
