package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/events"
)

// sparkBatch is how many records Spark takes at a time.
const sparkBatch = 500_000

// peerFiles are the jobs and settings of the programs that are compared with.
//
//go:embed peers
var peerFiles embed.FS

// job is one run of a program: what its settings are filled in with.
type job struct {
	Dir        string // files of the run; the warehouse is below it
	Topic      string
	Brokers    string
	Registry   string
	RegistryV2 string // the same registry, with its own API
	Unique     string
	JSON       bool
	Audit      bool
}

func (j job) format() string {
	if j.JSON {
		return "json"
	}
	return "avro"
}

// starter makes the command of a run.
type starter func(context.Context, *bench, job) (*exec.Cmd, error)

// fill writes a file of the run, with the job's values in it.
func (j job) fill(name string) (string, error) {
	text, err := peerFiles.ReadFile("peers/" + name)
	if err != nil {
		return "", err
	}
	t, err := template.New(name).Parse(string(text))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, j); err != nil {
		return "", err
	}
	path := filepath.Join(j.Dir, name)
	return path, os.WriteFile(path, []byte(out.String()), 0o600)
}

func startIngestd(ctx context.Context, b *bench, j job) (*exec.Cmd, error) {
	config, err := j.fill("ingestd.yaml")
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, b.ingestd, "run", "-c", config, "--until-latest"), nil
}

func startNaive(ctx context.Context, b *bench, j job) (*exec.Cmd, error) {
	return exec.CommandContext(ctx, filepath.Join(b.dir, "naivedict"), "-brokers", j.Brokers, "-format", j.format(), "-topic", j.Topic,
		"-n", strconv.Itoa(b.n), "-warehouse", filepath.Join(j.Dir, "warehouse")), nil
}

// java is the command of a program on a virtual machine with 2 GiB of heap.
func (b *bench) java(ctx context.Context, j job, classPath string, args ...string) (*exec.Cmd, error) {
	bin, err := b.peerJava()
	if err != nil {
		return nil, err
	}
	logging, err := j.fill("log4j2.yaml")
	if err != nil {
		return nil, err
	}
	flags := []string{"-Xmx2g", "-Djava.net.preferIPv4Stack=true", "-Dlog4j2.configurationFile=" + logging, "-Dlog4j.configurationFile=" + logging, "-cp", classPath}
	for _, p := range []string{"util", "lang", "nio", "util.concurrent", "net", "time", "text", "math"} {
		flags = append([]string{"--add-opens=java.base/java." + p + "=ALL-UNNAMED"}, flags...)
	}
	return exec.CommandContext(ctx, bin, append(flags, args...)...), nil
}

// peerJava is the virtual machine that the installation has chosen.
func (b *bench) peerJava() (string, error) {
	text, err := os.ReadFile(filepath.Join(b.stack.Home(), "peer-java"))
	return strings.TrimSpace(string(text)), err
}

func startConnect(ctx context.Context, b *bench, j job) (*exec.Cmd, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(j.Brokers))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, 1, 1, nil, j.Unique+"-control"); err != nil {
		return nil, fmt.Errorf("creating the control topic: %w", err)
	}
	worker, err := j.fill("connect-worker.properties")
	if err != nil {
		return nil, err
	}
	sink, err := j.fill("connect-sink.properties")
	if err != nil {
		return nil, err
	}
	jars := filepath.Join(b.stack.Home(), "connect", b.stack.Value("CONNECT_ICEBERG_VERSION"), "*")
	return b.java(ctx, j, jars, "org.apache.kafka.connect.cli.ConnectStandalone", worker, sink)
}

func startSpark(ctx context.Context, b *bench, j job) (*exec.Cmd, error) {
	java, err := b.peerJava()
	if err != nil {
		return nil, err
	}
	script, err := j.fill("spark.py")
	if err != nil {
		return nil, err
	}
	schema := filepath.Join(j.Dir, "event.avsc")
	if err := os.WriteFile(schema, []byte(events.Schema), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(j.Dir, "tmp"), 0o755); err != nil {
		return nil, err
	}
	jars, err := filepath.Glob(filepath.Join(b.stack.Home(), "sparkjob", b.stack.Value("SPARKJOB_VERSION"), "*.jar"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.stack.Python("sparkjob"), script, "--format", j.format(), "--brokers", j.Brokers, "--topic", j.Topic,
		"--schema", schema, "--dir", j.Dir, "--jars", strings.Join(jars, ","), "--batch", strconv.Itoa(sparkBatch))
	cmd.Env = append(os.Environ(), "JAVA_HOME="+filepath.Dir(filepath.Dir(java)), "PYTHONDONTWRITEBYTECODE=1", "TMPDIR="+filepath.Join(j.Dir, "tmp"))
	return cmd, nil
}

func startFlink(ctx context.Context, b *bench, j job) (*exec.Cmd, error) {
	own, err := filepath.Glob(filepath.Join(b.stack.Home(), "venv-flink", "lib", "python3*", "site-packages", "pyflink", "lib"))
	if err != nil || len(own) != 1 {
		return nil, fmt.Errorf("the jars of Flink are not where they should be (%v, %w)", own, err)
	}
	classPath := strings.Join([]string{
		j.Dir, filepath.Join(own[0], "*"), filepath.Join(b.stack.Home(), "flink", b.stack.Value("FLINK_VERSION"), "*"),
	}, string(os.PathListSeparator))
	source, err := j.fill("RunSQL.java")
	if err != nil {
		return nil, err
	}
	java, err := b.peerJava()
	if err != nil {
		return nil, err
	}
	if err := b.tool(ctx, time.Minute, j.Dir, filepath.Join(filepath.Dir(java), "javac"), "-cp", classPath, "-d", j.Dir, source); err != nil {
		return nil, fmt.Errorf("compiling the job: %w", err)
	}
	sql, err := j.fill("flink.sql")
	if err != nil {
		return nil, err
	}
	return b.java(ctx, j, classPath, "RunSQL", sql)
}
