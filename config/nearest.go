package config

import (
	"strings"
	"unicode/utf8"
)

// foreignNames maps what other tools call a setting or a value to our name. It is looked at before the nearest
// spelling, since these differ too much from ours to be near.
func foreignNames() map[string]string {
	return map[string]string{
		"bootstrap_servers": "brokers",
		"bootstrap.servers": "brokers",
		"seed_brokers":      "brokers",
		"group.id":          "group_id",
		"consumer_group":    "group_id",
		"topic":             "topics",
		"topics.regex":      "topics_regex",
		"topic_regex":       "topics_regex",
		"url":               "urls",
		"codec":             "compression",
		"partitions":        "partition_by",
		"partition_spec":    "partition_by",
		"order_by":          "sort_by",
		"sort_order":        "sort_by",
		"write_order":       "sort_by",
		"auto.offset.reset": "start",
		"offset":            "start",
		"start_offset":      "start",
		"beginning":         "earliest",
		"oldest":            "earliest",
		"end":               "latest",
		"newest":            "latest",
		"user":              "username",
		"verbosity":         "level",
		"text":              "console",
		"warning":           "warn",
		"flush_interval":    "interval",
		"optional":          "required",
		"uncompressed":      "none",
		"auto":              "direct",
		"static":            "direct",
	}
}

// suggest says which of the known words was probably meant.
func suggest(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "one of " + strings.Join(known, ", ")
}

// nearest returns the known word that is nearest to word, or "" when none is near.
func nearest(word string, known []string) string {
	if foreign, ok := foreignNames()[strings.ToLower(word)]; ok {
		for _, k := range known {
			if k == foreign {
				return k
			}
		}
	}
	best, bestDistance := "", 1+max(1, utf8.RuneCountInString(word)/3)
	for _, k := range known {
		if d := distance(fold(word), fold(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// fold makes spellings comparable that differ in case and separators only.
func fold(word string) string {
	return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(word))
}

// maxCompared bounds the words that are compared: longer ones are no misspelling of ours.
const maxCompared = 64

// distance counts the insertions, deletions, substitutions and swaps of neighbours that turn a into b.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > maxCompared || len(t) > maxCompared {
		return maxCompared
	}
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
