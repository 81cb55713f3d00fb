//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What an operator gets wrong on the first day ends the process soon, with one line that names the thing, a hint, and
// the exit code that a service manager can act on: 78 for configuration, 75 for try again.
func TestFirstDayMistakes(t *testing.T) {
	topic := unique(t, "mistakes")
	produce(t, produceDeadline, "-n", "1000", "-avro", topic)
	base := settings{Pipeline: topic, Tables: []tableSettings{{Name: "it." + topic, Topic: topic}}}
	const retry, config = 75, 78

	f := func(name string, code int, names string, change func(*settings), edit func(string) string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			s := base
			change(&s)
			path := writeConfig(t, s)
			if edit != nil {
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(path, []byte(edit(string(text))), 0o600))
			}
			p := start(t, "ingestd", "run", "-c", path, "--until-latest")
			require.Equal(t, code, p.wait(2*time.Minute), tail(p.errs.String()))
			last := lastLine(p.errs.String())
			t.Log(last)
			require.Regexp(t, regexp.MustCompile("(?i)"+names), last)
		})
	}
	same := func(*settings) {}
	f("unknown setting", config, "intervall", same, func(text string) string {
		return strings.Replace(text, "commit: {interval:", "commit: {intervall:", 1)
	})
	f("unreachable broker", retry, "127.0.0.1:1", func(s *settings) { s.Brokers = "127.0.0.1:1" }, nil)
	f("wrong password", config, "password|authentication", func(s *settings) { s.Secure, s.Password = true, "wrong" }, nil)
	f("missing bucket", config, "no-such-bucket", func(s *settings) {
		// The REST catalog has its own idea of where tables are.
		s.SQLite, s.Warehouse = filepath.Join(t.TempDir(), "catalog.db"), "s3://no-such-bucket/warehouse"
	}, nil)
	f("unknown topic", config, "no_such_topic", func(s *settings) {
		s.Tables = []tableSettings{{Name: "it.nothing", Topic: "no_such_topic"}}
	}, nil)
}

// lastLine is what stays on an operator's screen.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
