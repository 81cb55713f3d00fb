//go:build integration

package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
)

// settings is what the tests vary in a configuration.
type settings struct {
	Pipeline  string
	Secure    bool
	Password  string // of the secure listener, when not the right one
	Group     string // group mode when set
	Instance  string
	Session   time.Duration
	Interval  time.Duration
	Admin     string
	Brokers   string // when not the stack's
	Catalog   string // when not the stack's
	Store     string // host and port of the object store, when not the stack's
	SQLite    string // file of a SQLite catalog, in place of the REST one
	Hive      bool   // the stack's Metastore, in place of the REST one
	Postgres  string // database of the stack with a catalog, in place of the REST one
	Warehouse string
	Tables    []tableSettings
	// Maintenance is the block of that name.
	Maintenance string
}

// tableSettings is one table; JSON tables declare the columns of the event set.
type tableSettings struct {
	Name, Topic string
	JSON        bool
	Errors      string // policies in place of the default ones
	PartitionBy string
	Format      int // version of the table format, when not the default
}

const configTemplate = `pipeline: {{.Pipeline}}
{{- if .Maintenance}}
maintenance: {{.Maintenance}}
{{- end}}
sources:
  main:
    type: kafka
    brokers: ["{{.Brokers}}"]
{{- if .Secure}}
    tls: {ca_file: "{{.CA}}"}
    sasl: {mechanism: SCRAM-SHA-512, username: {{.User}}, password: "{{.Password}}"}
{{- end}}
{{- if .Group}}
    consumer: {mode: group, group_id: {{.Group}}, instance_id: {{.Instance}}, session_timeout: {{.Session}}}
{{- end}}
{{- if .Avro}}
    registry: {urls: ["{{.Registry}}"]}
{{- end}}
{{- if .SQLite}}
catalog: {type: sqlite, path: "{{.SQLite}}", warehouse: "{{.Warehouse}}"}
{{- else if .Hive}}
catalog: {type: hive, uri: "{{.HiveAddress}}", warehouse: "{{.Warehouse}}"}
{{- else if .Postgres}}
catalog: {type: postgres, name: {{.Pipeline}}, uri: "postgres://{{.PostgresUser}}@{{.PostgresAddress}}/{{.Postgres}}", password: "{{.PostgresPassword}}", warehouse: "{{.Warehouse}}"}
{{- else}}
catalog: {type: rest, uri: "{{.Catalog}}", warehouse: "{{.Warehouse}}"}
{{- end}}
storage: {s3: {endpoint: "http://{{.Store}}", region: {{.Region}}, access_key_id: {{.Key}}, secret_access_key: {{.Secret}}, path_style: true}}
commit: {interval: {{.Interval}}}
memory: {limit: 512MiB}
admin: {listen: "{{.Admin}}"}
log: {level: info, format: json}
tables:
{{- range .Tables}}
  - name: {{.Name}}
    topics: [{{.Topic}}]
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
    {{- if .PartitionBy}}
    partition_by: {{.PartitionBy}}
    {{- end}}
    {{- if .Format}}
    format_version: {{.Format}}
    readers: [spark, duckdb, pyiceberg]
    {{- end}}
    {{- if .Errors}}
    errors: {{.Errors}}
    {{- end}}
{{- end}}
`

// Avro says whether some table needs the registry; naming one without need is an error.
func (s settings) Avro() bool {
	for _, t := range s.Tables {
		if !t.JSON {
			return true
		}
	}
	return false
}

// writeConfig writes a configuration file and gives its path.
func writeConfig(t *testing.T, s settings) string {
	t.Helper()
	defaults(&s)
	data := struct {
		settings
		CA, User, Registry, Region, Key, Secret         string
		PostgresAddress, PostgresUser, PostgresPassword string
		HiveAddress                                     string
	}{
		settings: s,
		CA:       env.stack.CertificateAuthority(), User: env.stack.Value("KAFKA_USER"),
		Registry: env.stack.Registry(),
		Region:   env.stack.Value("S3_REGION"), Key: env.stack.Value("S3_ACCESS_KEY"), Secret: env.stack.Value("S3_SECRET_KEY"),
		HiveAddress:     env.stack.Metastore(),
		PostgresAddress: env.stack.Postgres(), PostgresUser: env.stack.Value("POSTGRES_USER"), PostgresPassword: env.stack.Value("POSTGRES_PASSWORD"),
	}
	var text strings.Builder
	require.NoError(t, template.Must(template.New("config").Parse(configTemplate)).Execute(&text, data))
	path := filepath.Join(t.TempDir(), "ingestd.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

func defaults(s *settings) {
	if s.Interval == 0 {
		s.Interval = 2 * time.Second
	}
	if s.Admin == "" {
		s.Admin = "off"
	}
	if s.Session == 0 {
		s.Session = 6 * time.Second
	}
	if s.Warehouse == "" {
		s.Warehouse = "s3://" + env.stack.Value("S3_BUCKET") + "/warehouse"
	}
	if s.Catalog == "" {
		s.Catalog = env.stack.Catalog()
	}
	if s.Store == "" {
		s.Store = env.stack.ObjectStore()
	}
	if s.Brokers == "" {
		s.Brokers = env.stack.Brokers()
		if s.Secure {
			s.Brokers = env.stack.SecureBrokers()
		}
	}
	if s.Password == "" {
		s.Password = env.stack.Value("KAFKA_PASSWORD")
	}
}

// freeAddress is a loopback address that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
