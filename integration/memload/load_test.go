package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadIsWhatItSays(t *testing.T) {
	l := load{records: 20_003, tables: 7, partitions: 3, large: 50}
	rows := map[string]int{}
	seen := map[int]bool{}
	partitions := map[string]bool{}
	least, most := largest, 0
	var buf []byte
	for i := range l.records {
		r := l.record(i, buf)
		var v struct {
			ID   int    `json:"id"`
			Text string `json:"text"`
		}
		require.NoError(t, json.Unmarshal(r.Value, &v))
		require.Equal(t, i, v.ID)
		require.False(t, seen[v.ID])
		seen[v.ID] = true
		rows[r.Topic]++
		partitions[r.Topic+string(rune('0'+r.Partition))] = true
		least, most = min(least, len(r.Value)), max(most, len(r.Value))
	}
	for table := range l.tables {
		require.Equal(t, l.rows(table), rows[l.topic(table)])
	}
	require.Len(t, partitions, l.tables*l.partitions)
	require.InDelta(t, smallest, least, 20)
	require.Greater(t, most, largest/4)
	require.LessOrEqual(t, most, largest)
}
