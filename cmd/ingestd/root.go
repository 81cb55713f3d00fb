package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// app is what the commands of one process share.
type app struct {
	Streams
	// started is set once a command's own code runs: before, every error is one of usage.
	started bool
}

const rootLong = `ingestd turns Kafka topics into Apache Iceberg tables, exactly once.

One static binary and one YAML file. Rows and the offsets they came from land in the same Iceberg snapshot, so a
crash, a second process or a lost answer never loses or doubles a record.

Exit codes: 0 done, 1 failed, 2 wrong usage, 75 try again later, 78 wrong configuration.`

const rootExample = `  ingestd demo                                see it work: needs nothing but this binary
  ingestd init > ingestd.yaml                 a commented configuration to start from
  ingestd validate -c ingestd.yaml            every mistake at once, and whether everything answers
  ingestd explain -c ingestd.yaml             what would happen, table by table
  ingestd run -c ingestd.yaml                 do it
  ingestd status -c ingestd.yaml              how far the tables are, and why
  ingestd tables -c ingestd.yaml              what has halted, and the command that resolves it
  ingestd verify -c ingestd.yaml              prove it`

// Execute runs one command line and gives the process's exit code.
func Execute(args []string, s Streams) int {
	return execute(context.Background(), args, s)
}

func execute(ctx context.Context, args []string, s Streams) int {
	a := &app{Streams: s}
	root := a.root() //nolint:contextcheck // commands take the context from cobra when they run
	// Nil would make cobra look for arguments elsewhere.
	root.SetArgs(append([]string{}, args...))
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return failure.ExitOK
	}
	var usage usageError
	if !a.started || errors.As(err, &usage) {
		fmt.Fprintf(s.Err, "ingestd: %v\nTry: %s --help\n", err, cmd.CommandPath())
		return failure.ExitUsage
	}
	return a.report(err)
}

// report writes an error for people and gives its exit code.
func (a *app) report(err error) int {
	var problems config.Problems
	var silent silentError
	switch {
	case errors.As(err, &silent):
		return failure.ExitCode(silent.error)
	case errors.As(err, &problems):
		fmt.Fprintln(a.Err, problems.Error())
		return failure.ExitConfig
	default:
		fmt.Fprintln(a.Err, "ingestd:", failure.Describe(err))
		return failure.ExitCode(err)
	}
}

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// silentError sets the exit code; what it has to say stands in the command's result already.
type silentError struct{ error }

// Unwrap gives the error with the class.
func (e silentError) Unwrap() error { return e.error }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "ingestd",
		Short:         "Kafka topics to Apache Iceberg tables, exactly once",
		Long:          rootLong,
		Example:       rootExample,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       readBuild().Version,
	}
	root.SetVersionTemplate("ingestd {{.Version}}\n")
	root.AddGroup(&cobra.Group{ID: groupRun, Title: "Run:"}, &cobra.Group{ID: groupLook, Title: "Look:"}, &cobra.Group{ID: groupSetUp, Title: "Set up:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupRun, a.runCommand(), a.maintainCommand(), a.demoCommand())
	add(groupLook, a.statusCommand(), a.tablesCommand(), a.verifyCommand(), a.previewCommand(), a.explainCommand())
	add(groupSetUp, a.initCommand(), a.validateCommand(), a.configCommand(), a.versionCommand())
	a.mark(root)
	return root
}

// mark notes when a command's own code begins.
func (a *app) mark(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			return run(cmd, args)
		}
	}
	for _, child := range c.Commands() {
		a.mark(child)
	}
}

// The groups of commands in the help.
const (
	groupRun   = "run"
	groupLook  = "look"
	groupSetUp = "setup"
)
