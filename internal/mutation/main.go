package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
}

// run checks the mutations that the arguments select, and fails when one survives.
func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mutation", flag.ContinueOnError)
	match := fs.String("run", "", "only mutations whose name contains this")
	verbose := fs.Bool("v", false, "show what the tests of survivors printed")
	if err := fs.Parse(args); err != nil {
		return err
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	chosen := selected(mutations(), *match)
	if len(chosen) == 0 {
		return fmt.Errorf("no mutation is called %q", *match)
	}
	// Before anything is compiled: a run must not end in its tenth minute with a check that has moved.
	for _, m := range chosen {
		if _, err := m.mutated(root); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "mutation-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &builder{root: root, dir: dir}
	if err := b.baseline(ctx, chosen, out); err != nil {
		return err
	}
	return b.report(ctx, chosen, out, *verbose)
}

func selected(all []mutation, match string) []mutation {
	var out []mutation
	for _, m := range all {
		if strings.Contains(m.name, match) {
			out = append(out, m)
		}
	}
	return out
}

// baseline demands that the unmodified code passes every test that is going to be used against a mutation.
func (b *builder) baseline(ctx context.Context, chosen []mutation, out io.Writer) error {
	tests := map[string][]string{}
	var order []string
	for _, m := range chosen {
		if tests[m.pkg] == nil {
			order = append(order, m.pkg)
		}
		tests[m.pkg] = append(tests[m.pkg], m.test)
	}
	for _, pkg := range order {
		v, err := b.try(ctx, nil, pkg, tests[pkg])
		if err != nil {
			return err
		}
		if v.fate != survived {
			return fmt.Errorf("%s: the code as it is does not pass (%s):\n%s", pkg, v.fate, indent(v.output))
		}
		fmt.Fprintf(out, "%s passes as it is, %.1f s\n", pkg, v.took.Seconds())
	}
	return nil
}

// report tries every mutation and prints what became of it. Linking keeps one core busy and some tests wait for something
// that never comes, so that there are as many tries at a time as there are cores.
func (b *builder) report(ctx context.Context, chosen []mutation, out io.Writer, verbose bool) error {
	var printing sync.Mutex
	fates := make([]fate, len(chosen))
	tries, ctx := errgroup.WithContext(ctx)
	tries.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range chosen {
		tries.Go(func() error {
			v, err := b.try(ctx, &m, m.pkg, []string{m.test})
			if err != nil {
				return err
			}
			fates[i] = v.fate
			printing.Lock()
			defer printing.Unlock()
			show(out, &m, v, verbose)
			return nil
		})
	}
	if err := tries.Wait(); err != nil {
		return err
	}
	var alive []string
	for i, m := range chosen {
		if fates[i] != killed {
			alive = append(alive, m.name)
		}
	}
	if len(alive) > 0 {
		return fmt.Errorf("%d of %d checks can be taken out unnoticed: %s", len(alive), len(chosen), strings.Join(alive, ", "))
	}
	fmt.Fprintf(out, "%d checks, each held by its test\n", len(chosen))
	return nil
}

// show prints a try, and what is known of a check that nobody missed.
func show(out io.Writer, m *mutation, v verdict, verbose bool) {
	fmt.Fprintf(out, "%-18s %-28s %-62s %-9s %5.1f s\n", m.name, m.file, strings.TrimPrefix(m.pkg, "./")+"."+m.test, v.fate, v.took.Seconds())
	if v.fate == killed {
		return
	}
	fmt.Fprintf(out, "  its check: %s\n", m.why)
	if verbose || v.fate != survived {
		fmt.Fprintln(out, indent(v.output))
	}
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ")
}

// findRoot goes up to the folder of go.mod.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("there is no go.mod here or above")
		}
		dir = up
	}
}
