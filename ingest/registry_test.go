package ingest

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/regserver"
)

// registry is a schema registry in memory with a switch to take it away.
type registry struct {
	*regserver.Registry
	w    *world
	down atomic.Bool
	// asked counts requests.
	asked  atomic.Int64
	client *schemareg.Client
}

func (w *world) newRegistry() *registry {
	w.t.Helper()
	r := &registry{Registry: regserver.New(), w: w}
	handler := r.Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		r.asked.Add(1)
		if r.down.Load() {
			http.Error(rw, "away", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(rw, q)
	}))
	w.t.Cleanup(srv.Close)
	var err error
	r.client, err = schemareg.NewClient(schemareg.ClientOptions{URLs: []string{srv.URL}, NegativeTTL: 50 * time.Millisecond})
	require.NoError(w.t, err)
	return r
}

// schema registers a version of the events' schema: id, and the given optional strings.
func (r *registry) schema(subject string, optional ...string) *regserver.Schema {
	r.w.t.Helper()
	fields := []string{`{"name":"id","type":"long","doc":"the number"}`}
	for _, name := range optional {
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":["null","string"],"default":null}`, name))
	}
	return r.register(subject, fmt.Sprintf(`{"type":"record","name":"event","fields":[%s]}`, strings.Join(fields, ",")))
}

func (r *registry) register(subject, text string) *regserver.Schema {
	r.w.t.Helper()
	s, err := r.Register(subject, "", text)
	require.NoError(r.w.t, err)
	return s
}

// framed puts a schema id before a payload.
func framed(id int, payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), payload...)
}

// avroEvent encodes an event: its id and the values of its optional strings.
func avroEvent(id int64, values ...string) []byte {
	b := binary.AppendVarint(nil, id)
	for _, v := range values {
		b = avroString(binary.AppendVarint(b, 1), v)
	}
	return b
}

func avroString(b []byte, v string) []byte {
	return append(binary.AppendVarint(b, int64(len(v))), v...)
}

// produceAvro appends n events of one schema to a partition; value fills their optional strings.
func (w *world) produceAvro(topic string, partition int32, s *regserver.Schema, n int, values ...string) {
	w.t.Helper()
	w.produceEach(topic, partition, n, func(at int64) *kgo.Record {
		return &kgo.Record{Value: framed(s.ID, avroEvent(at, values...))}
	})
}

func (w *world) avroTable(name string, topics ...string) TableOptions {
	t := w.jsonTable(name, topics...)
	t.Value = ValueOptions{Format: FormatAvro}
	t.AddColumns = true
	return t
}

func (w *world) avroOptions(r *registry, tables ...TableOptions) Options {
	o := w.options(tables...)
	o.Sources[0].Registry = r.client
	return o
}
