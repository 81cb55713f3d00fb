package avro

import (
	"encoding/json"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
)

// TestDebeziumRecords holds real records against goavro, whole and with only the columns of "after".
func TestDebeziumRecords(t *testing.T) {
	text, records := debezium(t)
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	m := modelOf(v, "", map[string]*model{})
	codec, err := goavro.NewCodec(m.text(false))
	require.NoError(t, err)
	fields := mustFields(t, text)
	all, allSet := compileFor(t, text, fields)
	after, afterSet := compileFor(t, text, fields[1:2])
	var want, wantAfter []any
	for _, b := range records {
		native, _, err := codec.NativeFromBinary(b)
		require.NoError(t, err)
		row := m.expect(native).(map[string]any)
		want = append(want, row)
		wantAfter = append(wantAfter, map[string]any{"after": row["after"]})
		require.NoError(t, all.Decode(b))
		require.NoError(t, after.Decode(b))
		for n := range b {
			requireBad(t, subject{set: afterSet, program: after}, b[:n], len(wantAfter))
		}
	}
	sameRows(t, want, allSet)
	sameRows(t, wantAfter, afterSet)
}
