package config

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	known := []string{"topics", "topics_regex", "brokers", "group_id", "partition_by", "username", "interval"}
	for word, want := range map[string]string{
		"topcis":            "topics",
		"Topics":            "topics",
		"topics-regex":      "topics_regex",
		"topicsRegex":       "topics_regex",
		"bootstrap.servers": "brokers",
		"group.id":          "group_id",
		"partitions":        "partition_by",
		"intervall":         "interval",
		"zzz":               "",
		"":                  "",
	} {
		require.Equal(t, want, nearest(word, known), word)
	}
}

// TestDistance checks the laws a distance must obey, and that edits count.
func TestDistance(t *testing.T) {
	word := rapid.StringMatching(`[a-c]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		require.Equal(t, distance(a, b), distance(b, a))
		require.Equal(t, a == b, distance(a, b) == 0)
		require.LessOrEqual(t, distance(a, b), max(len(a), len(b)))
		at := rapid.IntRange(0, len(a)).Draw(t, "at")
		require.Equal(t, 1, distance(a, a[:at]+"x"+a[at:]), "one insertion")
		if at+1 < len(a) && a[at] != a[at+1] {
			swapped := a[:at] + string(a[at+1]) + string(a[at]) + a[at+2:]
			require.Equal(t, 1, distance(a, swapped), "one swap")
		}
	})
}

// TestForeignNamesLeadSomewhere checks that each translation names a key or a choice of ours.
func TestForeignNamesLeadSomewhere(t *testing.T) {
	ours := map[string]bool{}
	for _, p := range places() {
		for _, s := range settingsOf(p.block) {
			ours[s.name] = true
			if e, ok := p.value.FieldByIndex(s.index).Interface().(enum); ok {
				for _, o := range e.options() {
					ours[o] = true
				}
			}
		}
	}
	for foreign, name := range foreignNames() {
		require.True(t, ours[name], "%s -> %s", foreign, name)
		require.False(t, foreign == name)
	}
}
