//go:build integration

package integration

import (
	"encoding/json"
	"strings"
	"time"
)

// logged are the lines of a process's log with a message, oldest first.
func (p *process) logged(message string) []logLine {
	var found []logLine
	for line := range strings.Lines(p.errs.String()) {
		var entry logLine
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == message {
			found = append(found, entry)
		}
	}
	return found
}

// logLine is the part of a log line that tests look at.
type logLine struct {
	Msg        string    `json:"msg"`
	Time       time.Time `json:"time"`
	Table      string    `json:"table"`
	SnapshotID string    `json:"snapshot_id"`
	Rows       int64     `json:"rows"`
}

// commits counts the snapshots with rows that a process says it landed.
func (p *process) commits() int {
	n := 0
	for _, entry := range p.logged("committed") {
		if entry.Rows > 0 {
			n++
		}
	}
	return n
}
