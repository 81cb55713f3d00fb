package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/ingestd/ingestd/internal/rungroup"
)

const configTemplate = `pipeline: commitload
sources:
  main: {type: kafka, brokers: ["{{.Broker}}"]}
{{- if .URI}}
catalog: {type: rest, uri: "{{.URI}}", warehouse: "{{.Warehouse}}"}
{{- else}}
catalog: {type: sqlite, path: "{{.Dir}}/catalog.db", warehouse: "file://{{.Dir}}/warehouse"}
{{- end}}
storage: {{.Storage}}
commit: {interval: {{.Interval}}}
admin: {listen: "{{.Admin}}", allow_maintenance: {{.Rewrites}}}
log: {level: info, format: json}
tables:
{{- range .Topics}}
  - name: commitload.{{.}}
    topics: [{{.}}]
    value:
      format: json
      schema:
        - {name: id, type: long, required: true}
        - {name: at, type: timestamptz, unit: millis, required: true}
        - {name: kind, type: string}
{{- end}}
{{- if .Rewrites}}
  - name: commitload.{{.Heavy}}
    topics: [{{.Heavy}}]
    maintenance: {rewrite: {rewrite-all: "true"}}
    value:
      format: json
      schema:
        - {name: id, type: long, required: true}
        - {name: at, type: timestamptz, unit: millis, required: true}
        - {name: kind, type: string}
{{- end}}
`

// measurement is what the daemon used in the time in which it was measured. The profile is of its whole life.
type measurement struct {
	wall, cpu time.Duration
	commits   int
	profile   string
	log       string
	// rewrites are the times in which tables were rewritten.
	rewrites []interval
}

func (o options) configure(broker, dir string) (string, error) {
	t, err := template.New("config").Parse(configTemplate)
	if err != nil {
		return "", err
	}
	topics := make([]string, o.tables)
	for i := range topics {
		topics[i] = topic(i)
	}
	var text strings.Builder
	err = t.Execute(&text, map[string]any{"Broker": broker, "Dir": dir, "URI": o.catalog, "Warehouse": o.warehouse, "Storage": o.storage,
		"Interval": o.interval.String(), "Topics": topics, "Admin": o.listen(), "Rewrites": o.heavy > 0, "Heavy": heavy})
	if err != nil {
		return "", err
	}
	conf := filepath.Join(dir, "ingestd.yaml")
	return conf, os.WriteFile(conf, []byte(text.String()), 0o600)
}

// daemon runs ingestd, lets it warm up, and measures.
func (o options) daemon(ctx context.Context, broker, dir string) (m measurement, err error) {
	conf, err := o.configure(broker, dir)
	if err != nil {
		return m, err
	}
	log, err := os.Create(filepath.Join(dir, "ingestd.log"))
	if err != nil {
		return m, err
	}
	defer log.Close()
	m.log = log.Name()
	m.profile = filepath.Join(dir, "cpu.pprof")
	cmd := exec.Command(o.ingestd, "run", "-c", conf, "--cpuprofile", m.profile)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return m, err
	}
	g := rungroup.New(ctx)
	ended := make(chan error, 1)
	g.Go(func(context.Context) error {
		ended <- cmd.Wait()
		return nil
	})
	err = o.watch(ctx, cmd.Process.Pid, log.Name(), ended, &m)
	if serr := cmd.Process.Signal(syscall.SIGTERM); serr != nil && !errors.Is(serr, os.ErrProcessDone) {
		err = errors.Join(err, serr, cmd.Process.Kill())
	}
	if gerr := g.Wait(); gerr != nil {
		return m, gerr
	}
	if err == nil {
		err = <-ended
	}
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		const most = 4000
		return m, fmt.Errorf("%w\n%s", err, text[max(0, len(text)-most):])
	}
	return m, nil
}

// watch compares what the daemon has used and committed at the beginning and at the end of the measurement.
func (o options) watch(ctx context.Context, pid int, log string, ended <-chan error, m *measurement) error {
	pause := func(d time.Duration) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-ended:
			return fmt.Errorf("ingestd ended: %v", err)
		case <-time.After(d):
			return nil
		}
	}
	if err := pause(o.warm); err != nil {
		return err
	}
	began := time.Now()
	cpu, err := used(pid)
	if err != nil {
		return err
	}
	before, err := commits(log)
	if err != nil {
		return err
	}
	if m.rewrites, err = o.phases(ctx, pause); err != nil {
		return err
	}
	after, err := commits(log)
	if err != nil {
		return err
	}
	m.cpu, err = used(pid)
	m.cpu -= cpu
	m.wall, m.commits = time.Since(began), after-before
	return err
}

// used is the CPU time of a process by now, as Linux counts it: in hundredths of a second.
func used(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("this measurement needs Linux: %w", err)
	}
	// The command's name, in parentheses, may hold anything; the 12th and 13th field after it are what we want.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("unknown format of /proc/PID/stat")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, serr := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100), errors.Join(err, serr)
}

// commits counts the snapshots with rows that the daemon says it landed.
func commits(log string) (int, error) {
	text, err := os.ReadFile(log)
	return bytes.Count(text, []byte(`"msg":"committed"`)), err
}
