//go:build integration && full

package integration

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/metastore"
)

func TestHiveConforms(t *testing.T) {
	startParts(t, "hive")
	conforms(t, "Hive Metastore "+env.stack.Value("HIVE_VERSION"), catalog.Options{Type: catalog.Hive, URI: env.stack.Metastore(), Warehouse: lakeWarehouse()})
}

// The daemon on a Hive Metastore, and PyIceberg on the same table.
func TestHive(t *testing.T) {
	startParts(t, "hive")
	const n = 200_000
	topic := unique(t, "hive")
	name := "it." + topic
	config := writeConfig(t, settings{Pipeline: topic, Hive: true, Tables: []tableSettings{{Name: name, Topic: topic}}})
	for _, upTo := range []int{n / 2, n} {
		produce(t, produceDeadline, "-n", strconv.Itoa(upTo), "-skip", strconv.Itoa(upTo-n/2), "-avro", topic)
		untilLatest(t, config)
	}
	assertVerified(t, config, name)
	client := metastore.NewClient([]string{"127.0.0.1:" + env.stack.Value("HIVE_PORT")}, nil)
	defer client.Close()
	require.NoError(t, client.Do(context.WithoutCancel(t.Context()), func(conn *metastore.Conn) error {
		kept, err := conn.Table(t.Context(), "it", topic)
		require.NoError(t, err)
		params, _ := kept[metastore.TableParameters].(metastore.Map)
		require.Equal(t, strconv.Itoa(n), params.Strings()["numRows"])
		return err
	}))
}
