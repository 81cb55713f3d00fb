package ingest

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// TestNanoseconds: Avro's nanoseconds are kept in a table of format version 3 and cut to microseconds in one of 2; a
// column that comes later follows the format that the table has, whatever the configuration says by then.
func TestNanoseconds(t *testing.T) {
	for format, want := range map[int][2]string{2: {"timestamptz", "1970-01-01T00:00:00.123456Z"}, 3: {"timestamptz_ns", "1970-01-01T00:00:00.123456789Z"}} {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			w := newWorld(t, 1, "a")
			r := w.newRegistry()
			nanos := func(names ...string) string {
				text := ""
				for i, name := range names {
					text += map[bool]string{true: ","}[i > 0] + fmt.Sprintf(`{"name":%q,"type":["null",{"type":"long","logicalType":"timestamp-nanos"}],"default":null}`, name)
				}
				return `{"type":"record","name":"event","fields":[` + text + `]}`
			}
			at := binary.AppendVarint([]byte{2}, 123_456_789) // branch 1 of the union
			first := r.register("a-value", nanos("at"))
			options := w.avroTable("t", "a")
			choice, err := table.Choose([]string{"pyiceberg", "clickhouse"})
			require.NoError(t, err)
			options.Create.Readers = choice.At(format)
			w.sendUncounted("a", &kgo.Record{Value: framed(first.ID, at)})
			require.NoError(t, w.catchUp(w.avroOptions(r, options)))
			require.Equal(t, format, w.load("t").Metadata().Version())

			options.Create.Readers = choice.At(5 - format)
			second := r.register("a-value", nanos("at", "more"))
			w.sendUncounted("a", &kgo.Record{Value: framed(second.ID, append(at, at...))})
			require.NoError(t, w.catchUp(w.avroOptions(r, options)))
			require.Equal(t, format, w.load("t").Metadata().Version(), "a table keeps its format")
			for _, name := range []string{"at", "more"} {
				f, ok := w.load("t").Schema().FindFieldByName(name)
				require.True(t, ok)
				require.Equal(t, want[0], f.Type.String())
			}
			require.Equal(t, []string{want[1], want[1]}, w.column("t", "at"))
			require.Equal(t, []string{"(null)", want[1]}, w.column("t", "more"))
			w.proven("t")
		})
	}
}

// TestDeclaredNanosecondsNeedTheFormat: who declares nanoseconds gets them or is told why not.
func TestDeclaredNanosecondsNeedTheFormat(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.sendUncounted("a", &kgo.Record{Value: []byte(`{"id":1,"at":"2026-01-02T03:04:05.123456789"}`)})
	choice, err := table.Choose([]string{"pyiceberg"})
	require.NoError(t, err)
	at := column.Field{Name: "at", Type: column.Type{Kind: column.TimestampNs}}
	options := w.jsonTable("old", "a")
	options.AddColumns = true
	options.Create.Readers = choice
	options.Value.Schema = declare(t, jsonrec.Rest, long("id"))
	require.NoError(t, w.catchUp(w.options(options)))
	options.Value.Schema = declare(t, jsonrec.Rest, long("id"), at)
	options.Create.Readers = choice.At(3)
	err = w.catchUp(w.options(options))
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.ErrorContains(t, err, "declaring at with nanoseconds: tables of format version 2 have none")

	options.Identifier = []string{"db", "new"}
	require.NoError(t, w.catchUp(w.options(options)))
	require.Equal(t, []string{"2026-01-02T03:04:05.123456789"}, w.column("new", "at"))
	w.proven("new")
}
