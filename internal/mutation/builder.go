package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// deadline bounds the tests of one try. A test that needs it proves nothing.
	deadline = time.Minute
	// grace is what the runner waits beyond, for the test binary to say so itself.
	grace = 10 * time.Second
)

// fate is what became of a mutation.
type fate string

const (
	// killed: the test failed by an assertion.
	killed fate = "killed"
	// survived: the test passed.
	survived fate = "SURVIVED"
	// broken: the mutated code does not compile.
	broken fate = "DOES NOT COMPILE"
	// panicked and late are no assertions.
	panicked fate = "PANICKED"
	late     fate = "TIMED OUT"
	// unrun: the test does not exist, or was skipped.
	unrun fate = "NOT RUN"
)

// verdict is the fate of one try.
type verdict struct {
	fate   fate
	output string
	took   time.Duration
}

// builder compiles and runs tests below root, with its own files in dir. Several tries may run at once.
type builder struct {
	root, dir string
	n         atomic.Int64
}

// try compiles the tests of pkg, with m if there is one, and runs those named.
func (b *builder) try(ctx context.Context, m *mutation, pkg string, tests []string) (verdict, error) {
	began := time.Now()
	own := filepath.Join(b.dir, strconv.FormatInt(b.n.Add(1), 10))
	binary := own + ".test"
	defer os.Remove(binary)
	// Nobody debugs these binaries, and linking is most of the time.
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}
	if m != nil {
		overlay, err := b.overlay(m, own)
		if err != nil {
			return verdict{}, err
		}
		args = append(args, "-overlay", overlay)
	}
	compile := exec.CommandContext(ctx, "go", append(args, pkg)...)
	compile.Dir = b.root
	if out, err := compile.CombinedOutput(); err != nil {
		var exit *exec.ExitError
		if ctx.Err() != nil || !errors.As(err, &exit) {
			return verdict{}, fmt.Errorf("compiling %s: %w", pkg, errors.Join(ctx.Err(), err))
		}
		return verdict{broken, string(out), time.Since(began)}, nil
	}
	out, err := b.runTests(ctx, binary, pkg, tests)
	if err != nil {
		return verdict{}, err
	}
	return verdict{judge(out, tests), out, time.Since(began)}, nil
}

// runTests gives what the tests printed. How the binary ended is not asked: the output says more.
func (b *builder) runTests(ctx context.Context, binary, pkg string, tests []string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, deadline+grace)
	defer cancel()
	run := exec.CommandContext(limited, binary,
		"-test.run", "^("+strings.Join(tests, "|")+")$", "-test.v", "-test.count", "1", "-test.timeout", deadline.String())
	run.Dir = filepath.Join(b.root, filepath.FromSlash(pkg))
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	err := run.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		return "", fmt.Errorf("running %s: %w", pkg, errors.Join(ctx.Err(), err))
	}
	if limited.Err() != nil {
		out.WriteString("\n" + timedOut)
	}
	return out.String(), nil
}

// overlay writes the mutated file and the description by which the go command reads it instead of the original. The
// names of both begin with own.
func (b *builder) overlay(m *mutation, own string) (string, error) {
	text, err := m.mutated(b.root)
	if err != nil {
		return "", err
	}
	file := own + ".go"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", err
	}
	description, err := json.Marshal(map[string]map[string]string{"Replace": {m.path(b.root): file}})
	if err != nil {
		return "", err
	}
	overlay := own + ".json"
	return overlay, os.WriteFile(overlay, description, 0o600)
}

// timedOut is how the testing package reports its deadline.
const timedOut = "panic: test timed out"

var panicLine = regexp.MustCompile(`(?m)^(panic: |fatal error: )`)

// judge reads the verbose output of the tests.
func judge(out string, tests []string) fate {
	switch {
	case strings.Contains(out, timedOut):
		return late
	case panicLine.MatchString(out):
		return panicked
	}
	verdict := survived
	for _, t := range tests {
		switch {
		case said(out, "FAIL", t):
			verdict = killed
		case !said(out, "PASS", t):
			return unrun
		}
	}
	return verdict
}

// said finds the line by which the testing package ends a test.
func said(out, how, test string) bool {
	return regexp.MustCompile(`(?m)^--- ` + how + `: ` + regexp.QuoteMeta(test) + ` \(`).MatchString(out)
}
