//go:build integration

package limits

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	// memoryLimit is the daemon's memory.limit, most the resident memory that it may take.
	memoryLimit = "256MiB"
	most        = 512 << 20
	// largestBatch is what the broker takes and the producer sends, before it is compressed.
	largestBatch = 256 << 20
)

var binary = flag.String("ingestd", "", "the binary to test; empty = build it")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if *binary != "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "ingestd-limits-")
		if err == nil {
			defer os.RemoveAll(dir)
			*binary = filepath.Join(dir, "ingestd")
			build := exec.Command("go", "build", "-o", *binary, "../../cmd/ingestd")
			build.Stderr = os.Stderr
			err = build.Run()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "building ingestd:", err)
			return 1
		}
		return m.Run()
	}())
}

// world is a broker, and a folder for the daemon.
type world struct {
	t      *testing.T
	dir    string
	broker string
	client *kgo.Client
}

func newWorld(t *testing.T, partitions int32, batch int32, codec kgo.CompressionCodec, topics ...string) *world {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topics...),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": fmt.Sprint(largestBatch)}))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(batch), kgo.BrokerMaxWriteBytes(2*largestBatch), kgo.ProducerLinger(200*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &world{t: t, dir: t.TempDir(), broker: c.ListenAddrs()[0], client: cl}
}

// produce puts n records into a topic's partitions, in turn.
func (w *world) produce(topic string, partitions int32, n int, value func(i int) []byte) {
	w.t.Helper()
	var failed error
	done := make(chan error, 1)
	for i := range n {
		r := &kgo.Record{Topic: topic, Partition: int32(i) % partitions, Value: value(i)}
		w.client.Produce(w.t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case done <- err:
				default:
				}
			}
		})
	}
	failed = w.client.Flush(w.t.Context())
	select {
	case err := <-done:
		failed = errors.Join(failed, err)
	default:
	}
	require.NoError(w.t, failed)
}

// outcome is how a run of the daemon ended.
type outcome struct {
	rss  int64
	code int
	log  string
	rows map[string]int64
}

// catchUp runs the daemon until it has everything.
func (w *world) catchUp(commit, tables string) outcome {
	w.t.Helper()
	conf := filepath.Join(w.dir, "ingestd.yaml")
	text := fmt.Sprintf(`pipeline: limits
sources:
  main: {type: kafka, brokers: ["%s"]}
catalog: {type: sqlite, path: "%s/catalog.db", warehouse: "file://%s/warehouse"}
commit: %s
memory: {limit: %s}
admin: {listen: "off"}
log: {level: info, format: json}
tables:
%s`, w.broker, w.dir, w.dir, commit, memoryLimit, tables)
	require.NoError(w.t, os.WriteFile(conf, []byte(text), 0o600))
	run := exec.CommandContext(w.t.Context(), *binary, "run", "-c", conf, "--until-latest")
	var log bytes.Buffer
	run.Stdout, run.Stderr = &log, &log
	began := time.Now()
	require.NoError(w.t, run.Start())
	rss := w.peak(run)
	o := outcome{rss: rss, code: run.ProcessState.ExitCode(), log: log.String(), rows: w.rows(conf)}
	w.t.Logf("exit %d after %.1f s, peak RSS %d MiB, rows %v", o.code, time.Since(began).Seconds(), o.rss>>20, o.rows)
	if w.t.Failed() || o.code != 0 {
		w.t.Logf("%s", tail(o.log))
	}
	require.LessOrEqual(w.t, o.rss, int64(most), "peak of resident memory")
	return o
}

// peak waits for a process to end and gives the most resident memory that it had. The kernel's mark is read again and
// again: the one that is left behind at the end counts this process, too, from which it was forked.
func (w *world) peak(run *exec.Cmd) (bytes int64) {
	w.t.Helper()
	ended := make(chan error, 1)
	g := rungroup.New(w.t.Context())
	g.Go(func(context.Context) error {
		ended <- run.Wait()
		return nil
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", run.Process.Pid))
		if _, rest, ok := strings.Cut(string(text), "VmHWM:"); err == nil && ok {
			if kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64); err == nil {
				bytes = max(bytes, kib<<10)
			}
		}
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				require.NoError(w.t, err)
			}
			require.Positive(w.t, bytes, "this test needs Linux")
			return bytes
		case <-tick.C:
		}
	}
}

func tail(s string) string {
	const most = 3000
	return s[max(0, len(s)-most):]
}

// rows are those of each table, as its state counts them.
func (w *world) rows(conf string) map[string]int64 {
	w.t.Helper()
	out, err := exec.CommandContext(w.t.Context(), *binary, "status", "-c", conf, "-o", "json").Output()
	require.NoError(w.t, err)
	var report struct {
		Tables []struct {
			Table string `json:"table"`
			Rows  int64  `json:"rows"`
		} `json:"tables"`
	}
	require.NoError(w.t, json.Unmarshal(out, &report))
	rows := map[string]int64{}
	for _, t := range report.Tables {
		rows[t.Table] = t.Rows
	}
	return rows
}

// files counts the data files of a table that have a text in their path.
func (w *world) files(text string) (n int) {
	w.t.Helper()
	require.NoError(w.t, filepath.WalkDir(filepath.Join(w.dir, "warehouse"), func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".parquet") && strings.Contains(path, text) {
			n++
		}
		return err
	}))
	return n
}

// bomb produces n records as one batch.
func (w *world) bomb(topic string, n int, value func(i int) []byte) {
	w.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: topic, Partition: 0, Value: value(i)}
	}
	require.NoError(w.t, w.client.ProduceSync(w.t.Context(), records...).FirstErr())
}
