package main

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/apache/iceberg-go/catalog/hadoop"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/events"
)

// What it is compared with must be right: both formats end as the same number of rows in a readable table.
func TestRowsArriveInTheTable(t *testing.T) {
	const n = 3500
	for _, format := range []string{"avro", "json"} {
		t.Run(format, func(t *testing.T) {
			c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events"))
			require.NoError(t, err)
			defer c.Close()
			fill(t, c.ListenAddrs()[0], format, n)
			warehouse := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			require.NoError(t, run(ctx, []string{
				"-brokers", c.ListenAddrs()[0], "-format", format, "-topic", "events", "-n", strconv.Itoa(n), "-warehouse", warehouse,
			}))
			cat, err := hadoop.NewCatalog("lab", "file://"+warehouse, nil)
			require.NoError(t, err)
			tbl, err := cat.LoadTable(ctx, table.Identifier{"db", "events"})
			require.NoError(t, err)
			require.Equal(t, strconv.Itoa(n), tbl.CurrentSnapshot().Summary.Properties["total-records"])
		})
	}
}

func fill(t *testing.T, broker, format string, n int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("events"))
	require.NoError(t, err)
	defer cl.Close()
	g := events.NewGenerator()
	var e events.Event
	for range n {
		g.Next(&e)
		value := events.AppendJSON(nil, &e)
		if format == "avro" {
			value = events.AppendAvro(nil, 1, &e)
		}
		cl.Produce(t.Context(), &kgo.Record{Value: value}, nil)
	}
	require.NoError(t, cl.Flush(t.Context()))
}

// Both decoders make the same row of an event.
func TestDecodersAgree(t *testing.T) {
	fromAvro, err := newDecoder("avro")
	require.NoError(t, err)
	fromJSON, err := newDecoder("json")
	require.NoError(t, err)
	_, err = newDecoder("xml")
	require.Error(t, err)
	g := events.NewGenerator()
	var e events.Event
	for range 500 {
		g.Next(&e)
		var a, j Row
		require.NoError(t, fromAvro(events.AppendAvro(nil, 1, &e), &a))
		require.NoError(t, fromJSON(events.AppendJSON(nil, &e), &j))
		if len(j.Tags) == 0 {
			j.Tags = nil
		}
		require.Equal(t, a, j)
	}
}
