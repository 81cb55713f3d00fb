//go:build integration

package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/rungroup"
)

// process is a child of the test: the real binary, its output collected.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  output
	errs output
	done chan struct{}
	code int
}

// output is a buffer that may be read while the process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// start runs a built binary in the background; it is killed at the test's end if it still runs.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return launch(t, exec.Command(filepath.Join(env.bin, name), args...))
}

func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.errs
	require.NoError(t, cmd.Start())
	reaper := rungroup.New(context.WithoutCancel(t.Context()))
	reaper.Go(func(context.Context) error {
		defer close(p.done)
		err := cmd.Wait()
		var exit *exec.ExitError
		switch {
		case err == nil:
		case errors.As(err, &exit):
			p.code = exit.ExitCode() // -1 when a signal ended it
		default:
			p.code = -1
		}
		return nil
	})
	t.Cleanup(func() {
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGKILL)
		if err := reaper.Wait(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s ended with %d\nstdout: %s\nstderr: %s", filepath.Base(cmd.Path), p.code, tail(p.out.String()), tail(p.errs.String()))
		}
	})
	return p
}

// tail keeps a failure report readable.
func tail(s string) string {
	const most = 6000
	if len(s) > most {
		return "..." + s[len(s)-most:]
	}
	return s
}

// signal sends a signal to a process that may be gone.
func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Logf("signal %s: %v", s, err)
	}
}

// wait gives the exit code.
func (p *process) wait(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.code
	case <-time.After(within):
		p.signal(syscall.SIGQUIT) // a Go program prints its goroutines
		p.t.Fatalf("%v did not end within %s", p.cmd.Args, within)
		return 0
	}
}

// ended says whether the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// run runs a built binary to its end, which must be a success.
func run(t *testing.T, within time.Duration, name string, args ...string) *process {
	t.Helper()
	p := start(t, name, args...)
	require.Zero(t, p.wait(within), "%s %v: %s", name, args, tail(p.errs.String()))
	return p
}

// terminate asks for a drain and expects a clean end.
func (p *process) terminate(within time.Duration) {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	require.Zero(p.t, p.wait(within), "after SIGTERM: %s", tail(p.errs.String()))
}

// kill ends the process at once.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	<-p.done
}

// shell runs a line as a person would paste it, with the readers in the path.
func shell(t *testing.T, within time.Duration, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Env = env.stack.ReaderEnv()
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", line, out)
	return string(out)
}
