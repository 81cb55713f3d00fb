package avro_test

import (
	"encoding/binary"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/regserver"
	"github.com/ingestd/ingestd/schemareg/rowtest"
	"github.com/ingestd/ingestd/table/column"
)

// TestFromRecordToRow goes the whole way of a record: framing, registry over HTTP with a reference, schema, columns.
func TestFromRecordToRow(t *testing.T) {
	reg := regserver.New()
	srv := httptest.NewServer(reg.Handler())
	defer srv.Close()
	_, err := reg.Register("money", "", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`)
	require.NoError(t, err)
	_, err = reg.Register("address", "", `{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"city","type":"string"}]}`)
	require.NoError(t, err)
	order, err := reg.Register("orders-value", "", `{"type":"record","name":"Order","namespace":"shop","fields":[
		{"name":"id","type":"long"},{"name":"ship_to","type":["null","Address"],"doc":"where to"}]}`,
		regserver.Reference{Name: "shop.Address", Subject: "address", Version: 1})
	require.NoError(t, err)

	client, err := schemareg.NewClient(schemareg.ClientOptions{URLs: []string{srv.URL}})
	require.NoError(t, err)
	payload := append(binary.AppendUvarint(nil, 2*7), "\x02\x0cBerlin"...)
	byID := append(schemareg.AppendPrefix(nil, uint32(order.ID)), payload...)
	byGUID := schemareg.AppendHeader(nil, schemareg.Ref{GUID: order.GUID, HasGUID: true})

	for _, r := range []struct {
		value   []byte
		headers []schemareg.Header
	}{
		{value: byID},
		{value: payload, headers: []schemareg.Header{{Key: schemareg.ValueHeader, Value: byGUID}}},
	} {
		ref, body, err := schemareg.Frame(schemareg.Value, r.value, r.headers)
		require.NoError(t, err)
		found, err := schemareg.Find(t.Context(), client, ref)
		require.NoError(t, err)
		s, err := avro.Parse(found.Text, found.Texts()...)
		require.NoError(t, err)
		require.Equal(t, "shop.Order", s.Name())
		fields, err := s.Fields()
		require.NoError(t, err)
		require.Equal(t, "where to", fields[1].Doc)
		layout, err := column.NewLayout(fields)
		require.NoError(t, err)
		set := column.NewSet(layout)
		program, err := avro.Compile(s, set, avro.CompileOptions{})
		require.NoError(t, err)
		require.NoError(t, program.Decode(body))
		rows, err := rowtest.Rows(set)
		require.NoError(t, err)
		require.Equal(t, []map[string]any{{"id": int64(7), "ship_to": map[string]any{"city": "Berlin"}}}, rows)

		preview, err := avro.NewPreview(s)
		require.NoError(t, err)
		text, err := preview.JSON(body)
		require.NoError(t, err)
		require.JSONEq(t, `{"id":7,"ship_to":{"city":"Berlin"}}`, string(text))
	}

	// A referenced type without its reference is a fault of the schema, not of the record.
	_, err = avro.Parse(order.Text)
	require.Equal(t, failure.Halt, failure.ClassOf(err))
	require.Equal(t, avro.CodeInvalid, failure.CodeOf(err))
}
