package schemareg

import "context"

// Type is the language a schema is written in.
type Type string

// The types a registry knows.
const (
	Avro     Type = "AVRO"
	JSON     Type = "JSON"
	Protobuf Type = "PROTOBUF"
)

// Schema is one schema of a registry with everything it refers to. It is immutable.
type Schema struct {
	Ref        Ref // how it was asked for; of Latest: by id
	Type       Type
	Text       string
	Subject    string // "" when asked for by id or GUID
	Version    int    // 0 when asked for by id or GUID
	References []Reference
}

// Reference is a schema that another one needs.
type Reference struct {
	Name    string // as the schema that refers to it calls it: a full name (Avro), an import (Protobuf), a $ref (JSON)
	Subject string
	Version int
	Text    string
}

// Texts lists the referenced schemas, each after those it needs itself: the order in which to parse them.
func (s *Schema) Texts() []string {
	out := make([]string, len(s.References))
	for i, r := range s.References {
		out[i] = r.Text
	}
	return out
}

// Registry finds schemas. Its methods may be called by many goroutines at once; a call returns when ctx ends.
type Registry interface {
	// ByID finds the schema with an id.
	ByID(ctx context.Context, id uint32) (*Schema, error)
	// ByGUID finds the schema with a GUID.
	ByGUID(ctx context.Context, guid [16]byte) (*Schema, error)
	// Latest finds the newest version of a subject. It is asked anew each time.
	Latest(ctx context.Context, subject string) (*Schema, error)
}

// Find asks r for the schema a record names.
func Find(ctx context.Context, r Registry, ref Ref) (*Schema, error) {
	if ref.HasGUID {
		return r.ByGUID(ctx, ref.GUID)
	}
	return r.ByID(ctx, ref.ID)
}
