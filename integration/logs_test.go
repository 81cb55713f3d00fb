//go:build integration

package integration

import (
	"encoding/json"
	"strings"
)

// commits counts the commits that a process says it landed.
func (p *process) commits() int {
	n := 0
	for line := range strings.Lines(p.errs.String()) {
		var entry struct {
			Msg    string `json:"msg"`
			Result string `json:"result"`
			Rows   int64  `json:"rows"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "commit" && entry.Result == "ok" && entry.Rows > 0 {
			n++
		}
	}
	return n
}
