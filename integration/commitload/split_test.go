package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const traces = `File: ingestd
Type: cpu
Duration: 60.05s, Total samples = 2.10s ( 3.50%)
-----------+-------------------------------------------------------
      10ms   encoding/json.stateInString
             encoding/json.Marshal
             github.com/apache/iceberg-go/table.metadataV2.MarshalJSON
             github.com/ingestd/ingestd/commit/catalog.writeMetadata
             runtime.goexit
-----------+-------------------------------------------------------
     1.50s   syscall.Syscall
             github.com/ingestd/ingestd/commit/catalog.(*sqliteCatalog).swap
-----------+-------------------------------------------------------
      20ms   runtime.scanobject
             runtime.gcBgMarkWorker.func2
-----------+-------------------------------------------------------
      30ms   runtime.futex
-----------+-------------------------------------------------------
`

func TestAttribute(t *testing.T) {
	require.Equal(t, map[string]time.Duration{
		"iceberg-go": 10 * time.Millisecond, "ours: commits": 1500 * time.Millisecond,
		"Go: garbage collection": 20 * time.Millisecond, "Go: the rest": 30 * time.Millisecond,
	}, attribute([]byte(traces)))
}

func TestOptions(t *testing.T) {
	_, err := parse([]string{"-tables", "0"})
	require.Error(t, err)
	o, err := parse([]string{"-tables", "3", "-warm", "1s"})
	require.NoError(t, err)
	conf, err := o.configure("127.0.0.1:1", t.TempDir())
	require.NoError(t, err)
	require.FileExists(t, conf)
}
