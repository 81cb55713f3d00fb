//go:build integration

package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingestd/ingestd/integration/stack"
)

// scale is how many events the large scenario uses: the set that sums are known for, unless a hurried person says less.
var scale = flag.Int("events", 5_000_000, "events of the large scenario")

// suite is what TestMain makes once and every test uses; it is not changed afterwards.
type suite struct {
	stack *stack.Stack
	bin   string // folder of the built binaries
	root  string
}

var env suite

const (
	stackDeadline = 15 * time.Minute // downloads included
	buildDeadline = 10 * time.Minute
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		code = 1
	}
	os.Exit(code)
}

func testMain(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if env.root, err = stack.Root(); err != nil {
		return 1, err
	}
	if env.stack, err = stack.Find(os.Stderr); err != nil {
		return 1, err
	}
	if env.bin, err = os.MkdirTemp("", "ingestd-integration-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(env.bin)
	if err := build(ctx, "./integration/eventgen"); err != nil {
		return 1, err
	}
	if binary := os.Getenv("INGESTD_BINARY"); binary != "" {
		err = os.Symlink(binary, filepath.Join(env.bin, "ingestd"))
	} else {
		err = build(ctx, "./cmd/ingestd")
	}
	if err != nil {
		return 1, err
	}
	keep := os.Getenv("INGESTD_STACK_KEEP") != ""
	if !keep {
		if err := env.stack.Stop(ctx, true); err != nil {
			return 1, err
		}
		defer func() {
			if stopErr := env.stack.Stop(ctx, code == 0); stopErr != nil && err == nil {
				code, err = 1, stopErr
			}
		}()
	}
	starting, cancel := context.WithTimeout(ctx, stackDeadline)
	defer cancel()
	if err := env.stack.Start(starting); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// build makes the binaries under test.
func build(ctx context.Context, packages ...string) error {
	ctx, cancel := context.WithTimeout(ctx, buildDeadline)
	defer cancel()
	for _, p := range packages {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(env.bin, filepath.Base(p)), p)
		cmd.Dir, cmd.Stdout, cmd.Stderr = env.root, os.Stderr, os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building %s: %w", p, err)
		}
	}
	return nil
}

// eventually polls until the condition holds; it fails the test when it does not in time. what says what was awaited.
func eventually(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	const every = 200 * time.Millisecond
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}
