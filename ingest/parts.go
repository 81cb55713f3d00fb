package ingest

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/schemareg/rawrec"
	"github.com/ingestd/ingestd/table/column"
)

// avroPart decodes registry-framed Avro. Programs are compiled on the lane once per writer schema; the schema itself
// comes from the table's cache, which resolvers fill.
type avroPart struct {
	half schemareg.Part
	// key says how keys become columns; values have their own names.
	key     KeyOptions
	set     *column.Set
	opts    avro.CompileOptions
	schemas *schemaCache
	// last is the schema of the record before: the fast path.
	last     schemareg.Ref
	program  *avro.Program
	programs map[schemareg.Ref]*avro.Program
}

func (a *avroPart) append(r *kgo.Record) error {
	bytes := r.Value
	if a.half == schemareg.Key {
		bytes = r.Key
	}
	ref, payload, err := schemareg.Frame(a.half, bytes, r.Headers)
	if err != nil {
		return err
	}
	if a.program == nil || ref != a.last {
		if err := a.use(ref); err != nil {
			return err
		}
	}
	return a.program.Decode(payload)
}

// use makes the program of a schema the current one.
func (a *avroPart) use(ref schemareg.Ref) error {
	p := a.programs[ref]
	if p == nil {
		need := missingSchema{ref: ref, half: a.half}
		s, err := a.schemas.get(need)
		if err != nil {
			return err
		}
		if s == nil {
			return need
		}
		opts := a.opts
		if a.half == schemareg.Key {
			opts.Naming = a.key.Naming(s)
		}
		if p, err = avro.Compile(s, a.set, opts); err != nil {
			return err
		}
		a.programs[ref] = p
	}
	a.program, a.last = p, ref
	return nil
}

// missingSchema is not a fault of the record: the schema it names has to be fetched first.
type missingSchema struct {
	ref  schemareg.Ref
	half schemareg.Part
}

// Error implements error; nobody sees it, the partition is parked instead.
func (m missingSchema) Error() string {
	return "schema " + m.ref.String() + " has not been fetched yet"
}

func asMissingSchema(err error) (missingSchema, bool) {
	var m missingSchema
	return m, errors.As(err, &m)
}

// jsonPart decodes JSON against the declared schema.
type jsonPart struct {
	half    schemareg.Part
	program *jsonrec.Program
}

func (j *jsonPart) append(r *kgo.Record) error {
	if j.half == schemareg.Key {
		return j.program.Decode(r.Key)
	}
	return j.program.Decode(r.Value)
}

// rawPart stores the record as it is.
type rawPart struct {
	writer  *rawrec.Writer
	record  rawrec.Record
	headers recordHeaders
}

func (p *rawPart) append(r *kgo.Record) error {
	p.headers.list = r.Headers
	p.record = rawrec.Record{Key: r.Key, Value: r.Value, Headers: &p.headers, Timestamp: r.Timestamp.UnixMicro()}
	p.writer.Append(&p.record)
	return nil
}

// recordHeaders shows the client's headers to rawrec without a copy.
type recordHeaders struct{ list []kgo.RecordHeader }

// Len implements rawrec.Headers.
func (h *recordHeaders) Len() int { return len(h.list) }

// At implements rawrec.Headers.
func (h *recordHeaders) At(i int) (string, []byte) { return h.list[i].Key, h.list[i].Value }

// rawKey stores the record key as it is.
type rawKey struct{ key *rawrec.Key }

func (k *rawKey) append(r *kgo.Record) error {
	k.key.Append(r.Key)
	return nil
}

// nullableKey makes nulls of a record without a key.
type nullableKey struct {
	nulls *rawrec.Nulls
	part
}

func newNullableKey(set *column.Set, nodes []*column.Node, p part) (part, error) {
	nulls, err := rawrec.NewNulls(set, nodes)
	return &nullableKey{nulls, p}, err
}

func (k *nullableKey) append(r *kgo.Record) error {
	if r.Key == nil {
		k.nulls.Append()
		return nil
	}
	return k.part.append(r)
}
