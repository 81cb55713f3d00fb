package catalog

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
)

// Only a name with a random id in it stands for one file for ever.
func TestUniqueLocations(t *testing.T) {
	for location, want := range map[string]bool{
		"s3://b/t/metadata/00007-5f0b4a3e-7d0b-4a53-8a45-0d8fd8c0a4f1.metadata.json":    true,
		"s3://b/t/metadata/00007-5f0b4a3e-7d0b-4a53-8a45-0d8fd8c0a4f1.gz.metadata.json": true,
		"s3://b/t/metadata/v7.metadata.json":                                            false,
		"s3://b/t/metadata/00007-5f0b4a3e.metadata.json":                                false,
		"": false,
	} {
		require.Equal(t, want, unique(location), location)
	}
}

// What an answer says beside the metadata file reaches the library, whether the file is known or not.
func TestKnownAnswerKeepsConfiguration(t *testing.T) {
	f := func(name, knownAt string, same bool) {
		t.Run(name, func(t *testing.T) {
			sc := iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.Int64})
			meta, err := table.NewMetadata(sc, iceberg.UnpartitionedSpec, table.UnsortedSortOrder, "s3://b/t", iceberg.Properties{"s3.region": "eu"})
			require.NoError(t, err)
			text, err := json.Marshal(map[string]any{
				"metadata-location": "s3://b/t/7.json", "metadata": meta, "config": map[string]string{"token": "x"},
				"storage-credentials": []any{map[string]any{"prefix": "s3://b", "config": map[string]string{"s3.session-token": "y"}}},
			})
			require.NoError(t, err)
			res := &http.Response{}
			replace(res, text)
			look := &asked{known: standing{knownAt, meta}}
			require.NoError(t, look.shorten(res, text))
			require.Equal(t, same, look.same)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.EqualValues(t, len(body), res.ContentLength)
			var got, want map[string]any
			require.NoError(t, json.Unmarshal(body, &got))
			require.NoError(t, json.Unmarshal(text, &want))
			for _, key := range []string{"metadata-location", "config", "storage-credentials"} {
				require.Equal(t, want[key], got[key], key)
			}
			raw, err := json.Marshal(got["metadata"])
			require.NoError(t, err)
			read, err := table.ParseMetadataBytes(raw)
			require.NoError(t, err)
			require.Equal(t, meta.Location(), read.Location())
			require.Equal(t, meta.Properties(), read.Properties())
			require.Equal(t, same, len(read.CurrentSchema().Fields()) == 0, "cut down")
		})
	}
	f("known", "s3://b/t/7.json", true)
	f("moved on", "s3://b/t/6.json", false)
}
