package config

import _ "embed"

// schemaJSON is generated from the types of this package and their comments: go test ./config -rewrite.
//
//go:embed schema.json
var schemaJSON string

// Schema returns the JSON Schema of the file, for editors. It knows keys, types and defaults; rules that look at
// several settings at once are known to Parse only.
func Schema() string { return schemaJSON }
