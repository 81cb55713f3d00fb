package stack

import (
	"bufio"
	"context"
	_ "embed" // the pinned versions and ports
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed versions.env
var pinned string

// Pinned is versions.env as a map.
func Pinned() map[string]string {
	values := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(pinned))
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), "=")
		if found && !strings.HasPrefix(key, "#") {
			values[key] = value
		}
	}
	return values
}

// Stack is the set of components below one folder of data.
type Stack struct {
	script string
	log    io.Writer
	env    []string
	home   string
	run    string
	pinned map[string]string
}

// Option changes how the components run.
type Option func(*Stack)

// FullJIT keeps the Java virtual machine's default compiler and collector: for benchmarks.
func FullJIT() Option {
	return func(s *Stack) { s.env = append(s.env, "INGESTD_STACK_JIT=full", "KAFKA_HEAP=1g") }
}

// Find locates stack.sh above the working directory. What the script says goes to log.
func Find(log io.Writer, opts ...Option) (*Stack, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	s := &Stack{script: filepath.Join(root, "integration", "stack", "stack.sh"), log: log, pinned: Pinned()}
	s.home = os.Getenv("INGESTD_STACK_HOME")
	if s.home == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		s.home = filepath.Join(cache, "ingestd-stack")
	}
	s.run = os.Getenv("INGESTD_STACK_RUN")
	if s.run == "" {
		s.run = filepath.Join(s.home, "run")
	}
	s.env = append(os.Environ(), "INGESTD_STACK_HOME="+s.home, "INGESTD_STACK_RUN="+s.run)
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// Root is the folder of go.mod at or above the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}

// Start installs and starts the parts; none named means the default set. A part that runs stays as it is.
func (s *Stack) Start(ctx context.Context, parts ...string) error {
	return s.call(ctx, append([]string{"start"}, parts...)...)
}

// Install fetches parts without starting them.
func (s *Stack) Install(ctx context.Context, parts ...string) error {
	return s.call(ctx, append([]string{"install"}, parts...)...)
}

// Stop ends everything; wipe removes the data as well.
func (s *Stack) Stop(ctx context.Context, wipe bool) error {
	if wipe {
		return s.call(ctx, "stop", "--wipe")
	}
	return s.call(ctx, "stop")
}

func (s *Stack) call(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.script, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, s.log, s.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("stack.sh %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// Value is a setting of versions.env, or what the environment puts in its place.
func (s *Stack) Value(key string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return s.pinned[key]
}

// Home is the folder of the downloads.
func (s *Stack) Home() string { return s.home }

// RunDir is the folder of data and logs.
func (s *Stack) RunDir() string { return s.run }

// Brokers is the plain listener.
func (s *Stack) Brokers() string { return "127.0.0.1:" + s.Value("KAFKA_PORT") }

// SecureBrokers is the listener with TLS and SASL.
func (s *Stack) SecureBrokers() string { return "127.0.0.1:" + s.Value("KAFKA_SASL_PORT") }

// ProxiedBroker is the listener that sends its clients to BrokerProxy, where a proxy to it has to stand.
func (s *Stack) ProxiedBroker() string { return "127.0.0.1:" + s.Value("KAFKA_PROXIED_PORT") }

// BrokerProxy is what the proxied listener advertises. Nothing listens there by itself.
func (s *Stack) BrokerProxy() string { return "127.0.0.1:" + s.Value("KAFKA_PROXY_PORT") }

// CertificateAuthority is the file with the authority of the secure listener.
func (s *Stack) CertificateAuthority() string { return filepath.Join(s.run, "kafka", "tls", "ca.pem") }

// Registry is the base address of the Confluent API.
func (s *Stack) Registry() string {
	return "http://127.0.0.1:" + s.Value("REGISTRY_PORT") + "/apis/ccompat/v7"
}

// RegistryV2 is the same registry under its own API, for Apicurio's converters.
func (s *Stack) RegistryV2() string {
	return "http://127.0.0.1:" + s.Value("REGISTRY_PORT") + "/apis/registry/v2"
}

// Catalog is the address of the Iceberg REST catalog.
func (s *Stack) Catalog() string { return "http://127.0.0.1:" + s.Value("REST_PORT") }

// Postgres is host and port of the database.
func (s *Stack) Postgres() string { return "127.0.0.1:" + s.Value("POSTGRES_PORT") }

// PostgresAuthority is the file with the authority of the database's certificate, for 127.0.0.1 and localhost.
func (s *Stack) PostgresAuthority() string {
	return filepath.Join(s.run, "postgres", "data", "server.pem")
}

// Metastore is the address of the Hive Metastore, which is no part of the default set.
func (s *Stack) Metastore() string { return "thrift://127.0.0.1:" + s.Value("HIVE_PORT") }

// ObjectStore is host and port of the S3 service.
func (s *Stack) ObjectStore() string { return "127.0.0.1:" + s.Value("S3_PORT") }

// ReaderEnv is the environment for reader programs and printed copy-paste lines: the readers' executables first in
// PATH, a home folder with DuckDB's extensions, credentials of the object store.
func (s *Stack) ReaderEnv() []string {
	return append(os.Environ(),
		"PATH="+filepath.Join(s.home, "venv-light", "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+filepath.Join(s.home, "duckdb-home"),
		"PYTHONDONTWRITEBYTECODE=1",
		"AWS_ACCESS_KEY_ID="+s.Value("S3_ACCESS_KEY"),
		"AWS_SECRET_ACCESS_KEY="+s.Value("S3_SECRET_KEY"),
		"AWS_REGION="+s.Value("S3_REGION"),
	)
}

// Python is the interpreter of a reader's environment: "light" or "chdb".
func (s *Stack) Python(environment string) string {
	return filepath.Join(s.home, "venv-"+environment, "bin", "python")
}
