package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files instead of comparing them")

// asIngestd makes the test binary be ingestd, so that tests can run it as a process of its own.
const asIngestd = "INGESTD_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asIngestd) != "" {
		os.Exit(Execute(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	flag.Parse()
	os.Exit(m.Run())
}

// testdata is where the golden files are, also for tests that change the working directory.
var testdata = func() string {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		panic(err)
	}
	return dir
}()

// result is how a command line ended.
type result struct {
	code     int
	out, err string
}

// command runs a command line in this process.
func command(t *testing.T, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := execute(t.Context(), args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return result{code: code, out: out.String(), err: errs.String()}
}

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join(testdata, name)
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "see go test ./cmd/ingestd -rewrite")
}

// child is ingestd as a process of its own.
type child struct {
	t         *testing.T
	cmd       *exec.Cmd
	out, errs lockedBuffer
	ended     chan struct{}
}

// lockedBuffer is a buffer that may be read while the process writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start runs ingestd as a process; it is killed at the end of the test if it still runs.
func start(t *testing.T, args ...string) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	d := &child{t: t, cmd: exec.Command(self, args...), ended: make(chan struct{})}
	d.cmd.Env = append(os.Environ(), asIngestd+"=1")
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.errs
	require.NoError(t, d.cmd.Start())
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait() // the code is in ProcessState
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // it may have ended
		<-d.ended
		if t.Failed() {
			t.Logf("stdout of %v:\n%s\nstderr:\n%s", args, d.out.String(), d.errs.String())
		}
	})
	return d
}

// wait gives the exit code.
func (d *child) wait(within time.Duration) int {
	d.t.Helper()
	select {
	case <-d.ended:
		return d.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		d.t.Fatalf("%v did not end within %s", d.cmd.Args[1:], within)
		return 0
	}
}

// await waits until the process has printed a text.
func (d *child) await(text string, within time.Duration) {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		select {
		case <-d.ended:
			d.t.Fatalf("%v ended before it printed %q", d.cmd.Args[1:], text)
		default:
		}
		return strings.Contains(d.out.String(), text)
	}, within, 20*time.Millisecond, "waiting for %q", text)
}
