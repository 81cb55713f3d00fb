package main

import (
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// benchCase is one program with one setting on one topic.
type benchCase struct {
	name     string
	json     bool
	naive    bool // naivedict, what the others of its format are compared with
	encoding string
	audit    bool
	once     bool // reported, measured in the first round only
}

func cases() []benchCase {
	return []benchCase{
		{name: "naivedict avro", naive: true},
		{name: "ingestd avro compat", encoding: "compat"},
		{name: "ingestd avro delta", encoding: "delta"},
		{name: "naivedict json", naive: true, json: true},
		{name: "ingestd json compat", encoding: "compat", json: true},
		{name: "ingestd avro compat, audit columns", encoding: "compat", audit: true, once: true},
	}
}

// format is the value format of the case's topic.
func (c benchCase) format() string {
	if c.json {
		return "json"
	}
	return "avro"
}

const memoryLimit = "256MiB"

// Delta encoding has to be readable by every reader the table names.
const configTemplate = `pipeline: bench
sources:
  main:
    type: kafka
    brokers: ["{{.Brokers}}"]
    {{- if not .JSON}}
    registry: {urls: ["{{.Registry}}"]}
    {{- end}}
catalog: {type: sqlite, path: "{{.Dir}}/catalog.db", warehouse: "file://{{.Dir}}/warehouse"}
commit: {interval: 10s}
memory: {limit: {{.Memory}}}
admin: {listen: "off"}
log: {level: info, format: json}
tables:
  - name: db.events
    topics: [{{.Topic}}]
    audit_columns: {{.Audit}}
    readers: [{{if eq .Encoding "delta"}}duckdb, pyiceberg, trino{{else}}spark, trino, duckdb, pyiceberg{{end}}]
    parquet: {encoding: {{.Encoding}}, compression: zstd}
    {{- if .JSON}}
    value:
      format: json
      schema:
        - {name: event_id, type: long, required: true}
        - {name: user_id, type: long, required: true}
        - {name: session, type: string, required: true}
        - {name: page, type: string, required: true}
        - {name: referrer, type: string}
        - {name: country, type: string, required: true}
        - {name: device, type: string, required: true}
        - {name: ts, type: timestamptz, unit: millis, required: true}
        - {name: duration, type: double, required: true}
        - {name: amount, type: double}
        - {name: is_bot, type: boolean, required: true}
        - {name: tags, type: list, required: true, element: {type: string, required: true}}
    {{- else}}
    value: {format: avro}
    {{- end}}
`

// command is the program and its arguments for a case, with its files below dir.
func (b *bench) command(c benchCase, dir string) ([]string, error) {
	if c.naive {
		return []string{
			filepath.Join(b.dir, "naivedict"), "-brokers", b.stack.Brokers(), "-format", c.format(), "-topic", b.topic(c.format()),
			"-n", itoa(b.n), "-warehouse", dir,
		}, nil
	}
	t, err := template.New("config").Parse(configTemplate)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	err = t.Execute(&text, map[string]any{
		"Brokers": b.stack.Brokers(), "Registry": b.stack.Registry(), "Dir": dir, "Memory": memoryLimit,
		"Topic": b.topic(c.format()), "Audit": c.audit, "Encoding": c.encoding, "JSON": c.json,
	})
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "ingestd.yaml")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	return []string{b.ingestd, "run", "-c", config, "--until-latest"}, nil
}
