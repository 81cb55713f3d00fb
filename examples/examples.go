package examples

import _ "embed"

//go:embed ingestd.yaml
var sample string

//go:embed small.yaml
var small string

// Sample returns the file that `ingestd init` writes: every setting people usually meet, with comments.
func Sample() string { return sample }

// Small returns the file that `ingestd init --small` writes: what cannot be left out.
func Small() string { return small }
