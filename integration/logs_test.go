//go:build integration

package integration

import (
	"encoding/json"
	"strings"
)

// commits counts the snapshots with rows that a process says it landed.
func (p *process) commits() int {
	n := 0
	for line := range strings.Lines(p.errs.String()) {
		var entry struct {
			Msg  string `json:"msg"`
			Rows int64  `json:"rows"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "committed" && entry.Rows > 0 {
			n++
		}
	}
	return n
}
