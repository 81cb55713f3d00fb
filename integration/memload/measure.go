package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

const configTemplate = `pipeline: memload
sources:
  main: {type: kafka, brokers: ["{{.Broker}}"]}
catalog: {type: sqlite, path: "{{.Dir}}/catalog.db", warehouse: "file://{{.Dir}}/warehouse"}
commit: {interval: 10s}
memory: {limit: {{.Limit}}}
admin: {listen: "off"}
log: {level: info, format: json}
tables:
{{- range .Topics}}
  - name: db.{{.}}
    topics: [{{.}}]
    value:
      format: json
      schema:
        - {name: id, type: long, required: true}
        - {name: at, type: timestamptz, unit: millis, required: true}
        - {name: kind, type: string}
        - {name: session, type: string}
        - {name: text, type: string}
{{- end}}
`

// measurement is one run of the daemon.
type measurement struct {
	wall, cpu time.Duration
	rss       int64 // peak, bytes
	rows      int64
	files     int
}

// measure lets the daemon catch up and checks the tables.
func (o options) measure(ctx context.Context, broker, dir string) (measurement, error) {
	conf, err := o.configure(broker, dir)
	if err != nil {
		return measurement{}, err
	}
	args := []string{"run", "-c", conf, "--until-latest"}
	if o.profile != "" {
		args = append(args, "--heapprofile", o.profile)
	}
	m, err := o.daemon(ctx, dir, args)
	if err != nil {
		return m, err
	}
	if m.files, err = dataFiles(filepath.Join(dir, "warehouse")); err != nil {
		return m, err
	}
	m.rows, err = o.check(ctx, conf)
	return m, err
}

func (o options) configure(broker, dir string) (string, error) {
	t, err := template.New("config").Parse(configTemplate)
	if err != nil {
		return "", err
	}
	topics := make([]string, o.tables)
	for i := range topics {
		topics[i] = o.topic(i)
	}
	var text strings.Builder
	if err := t.Execute(&text, map[string]any{"Broker": broker, "Dir": dir, "Limit": o.limit, "Topics": topics}); err != nil {
		return "", err
	}
	conf := filepath.Join(dir, "ingestd.yaml")
	return conf, os.WriteFile(conf, []byte(text.String()), 0o600)
}

// daemon runs ingestd to its end. The peak is the kernel's own mark.
func (o options) daemon(ctx context.Context, dir string, args []string) (measurement, error) {
	ctx, cancel := context.WithTimeout(ctx, o.deadline)
	defer cancel()
	log, err := os.Create(filepath.Join(dir, "ingestd.log"))
	if err != nil {
		return measurement{}, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, o.ingestd, args...)
	cmd.Stdout, cmd.Stderr = log, log
	start := time.Now()
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		const most = 4000
		return measurement{}, fmt.Errorf("%w\n%s", err, text[max(0, len(text)-most):])
	}
	m := measurement{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.rss = usage.Maxrss << 10 // Linux counts in KiB
	}
	return m, nil
}

// check compares every table with its topic.
func (o options) check(ctx context.Context, conf string) (rows int64, err error) {
	cmd := exec.CommandContext(ctx, o.ingestd, "status", "-c", conf, "-o", "json")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("asking for the tables: %w", err)
	}
	var report struct {
		Tables []struct {
			Table string `json:"table"`
			Rows  int64  `json:"rows"`
		} `json:"tables"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return 0, err
	}
	if len(report.Tables) != o.tables {
		return 0, fmt.Errorf("%d tables of %d", len(report.Tables), o.tables)
	}
	for i, t := range report.Tables {
		rows += t.Rows
		if t.Rows != int64(o.load.rows(i)) {
			return rows, fmt.Errorf("%s has %d rows, its topic %d records", t.Table, t.Rows, o.load.rows(i))
		}
	}
	return rows, nil
}

func dataFiles(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			n++
		}
		return err
	})
	return n, err
}
