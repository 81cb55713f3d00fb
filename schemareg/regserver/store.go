package regserver

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Reference names a schema that another one needs.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Schema is one registered content.
type Schema struct {
	ID         int
	GUID       [16]byte
	Type       string // AVRO, JSON, PROTOBUF
	Text       string
	References []Reference
}

// Registry holds the schemas. Its methods may be called by many goroutines.
type Registry struct {
	mu struct {
		sync.RWMutex
		schemas  []*Schema // by id - 1
		byGUID   map[[16]byte]*Schema
		subjects map[string][]*Schema // by version - 1
	}
}

// New makes an empty registry.
func New() *Registry {
	r := &Registry{}
	r.mu.byGUID = map[[16]byte]*Schema{}
	r.mu.subjects = map[string][]*Schema{}
	return r
}

// errReference is a reference to what is not there.
var errReference = errors.New("no such reference")

// Register adds a version to a subject, unless the subject has that content already. An empty kind means AVRO.
func (r *Registry) Register(subject, kind, text string, refs ...Reference) (*Schema, error) {
	if subject == "" || text == "" {
		return nil, errors.New("registering schema: subject or schema is empty")
	}
	if kind == "" {
		kind = "AVRO"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ref := range refs {
		if v := r.mu.subjects[ref.Subject]; ref.Version < 1 || ref.Version > len(v) {
			return nil, fmt.Errorf("registering schema of %q: %w: %q version %d", subject, errReference, ref.Subject, ref.Version)
		}
	}
	guid := guidOf(kind, text, refs)
	s := r.mu.byGUID[guid]
	if s == nil {
		s = &Schema{ID: len(r.mu.schemas) + 1, GUID: guid, Type: kind, Text: text, References: slices.Clone(refs)}
		r.mu.schemas = append(r.mu.schemas, s)
		r.mu.byGUID[guid] = s
	}
	if !slices.Contains(r.mu.subjects[subject], s) {
		r.mu.subjects[subject] = append(r.mu.subjects[subject], s)
	}
	return s, nil
}

// guidOf derives the GUID from the content, as a registry does: the same schema has it everywhere.
func guidOf(kind, text string, refs []Reference) (guid [16]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s", kind, text)
	for _, ref := range refs {
		fmt.Fprintf(h, "\x00%s\x00%s\x00%d", ref.Name, ref.Subject, ref.Version)
	}
	copy(guid[:], h.Sum(nil))
	guid[6] = guid[6]&0x0f | 0x80 // version 8: own hash
	guid[8] = guid[8]&0x3f | 0x80
	return guid
}

func (r *Registry) byID(id int) *Schema {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if id < 1 || id > len(r.mu.schemas) {
		return nil
	}
	return r.mu.schemas[id-1]
}

func (r *Registry) byGUID(guid [16]byte) *Schema {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.mu.byGUID[guid]
}

func (r *Registry) names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]string, 0, len(r.mu.subjects))
	for s := range r.mu.subjects {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (r *Registry) versions(subject string) []*Schema {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.mu.subjects[subject])
}
