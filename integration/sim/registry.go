package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"syscall"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
)

// registry is the schema registry: versions of one record, each with one optional field more.
type registry struct {
	mu    sync.Mutex
	texts []string
}

func newRegistry() *registry {
	r := &registry{}
	r.evolve()
	return r
}

// evolve registers the next version and gives its id.
func (r *registry) evolve() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := `{"type":"record","name":"event","fields":[{"name":"id","type":"long"}`
	for i := range len(r.texts) + 1 {
		text += fmt.Sprintf(`,{"name":"f%d","type":["null","string"],"default":null}`, i)
	}
	r.texts = append(r.texts, text+"]}")
	return uint32(len(r.texts))
}

func (r *registry) versions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.texts)
}

// encode writes a record in Confluent framing with the schema of that id.
func (r *registry) encode(schema uint32, id int64) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0}, schema)
	b = binary.AppendVarint(b, id)
	for range schema {
		if id%3 == 0 {
			b = append(b, 0)
			continue
		}
		b = binary.AppendVarint(b, 1)
		b = binary.AppendVarint(b, 3)
		b = append(b, "abc"...)
	}
	return b
}

func (r *registry) find(id uint32) (*schemareg.Schema, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == 0 || int(id) > len(r.texts) {
		return nil, failure.Wrap(errNotFound, failure.Retry, schemareg.CodeNotFound, "", "asking for schema %d", id)
	}
	return &schemareg.Schema{Ref: schemareg.Ref{ID: id}, Type: schemareg.Avro, Text: r.texts[id-1], Version: int(id)}, nil
}

// registryView is the registry as one process sees it.
type registryView struct {
	registry *registry
	gate     *gate
}

func registryErrors() []error {
	return []error{
		failure.New(failure.Retry, schemareg.CodeUnavailable, "", "HTTP 503 Service Unavailable"),
		failure.Wrap(syscall.ECONNRESET, failure.Retry, schemareg.CodeUnavailable, "", "asking the registry"),
		failure.Wrap(errNotFound, failure.Retry, schemareg.CodeNotFound, "", "a follower that lags behind"),
		failure.Wrap(context.DeadlineExceeded, failure.Retry, schemareg.CodeUnavailable, "", "asking the registry"),
	}
}

func (v *registryView) ask(f func() (*schemareg.Schema, error)) (s *schemareg.Schema, err error) {
	err = v.gate.call("registry", reads(), registryErrors(), func() (err error) {
		s, err = f()
		return err
	})
	return s, err
}

// ByID implements schemareg.Registry.
func (v *registryView) ByID(_ context.Context, id uint32) (*schemareg.Schema, error) {
	return v.ask(func() (*schemareg.Schema, error) { return v.registry.find(id) })
}

// ByGUID implements schemareg.Registry; records name their schemas by id.
func (v *registryView) ByGUID(context.Context, [16]byte) (*schemareg.Schema, error) {
	return v.ask(func() (*schemareg.Schema, error) { return v.registry.find(0) })
}

// Latest implements schemareg.Registry.
func (v *registryView) Latest(context.Context, string) (*schemareg.Schema, error) {
	return v.ask(func() (*schemareg.Schema, error) { return v.registry.find(uint32(v.registry.versions())) })
}
