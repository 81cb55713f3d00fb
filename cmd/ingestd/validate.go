package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

// validation is the result of `validate -o json`.
type validation struct {
	File   string  `json:"file"`
	Valid  bool    `json:"valid"`
	Faults []fault `json:"faults"`
	Checks []check `json:"checks"`
}

// fault is one mistake in the file, or a warning about it.
type fault struct {
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

func (a *app) validateCommand() *cobra.Command {
	var file string
	var out format
	var noEnvironment bool
	c := &cobra.Command{
		Use:     "validate -c FILE",
		Aliases: []string{"lint"},
		Short:   "Find every mistake in a configuration, and whether everything it names answers",
		Long: `Find every mistake in a configuration at once, then ask brokers, registry, catalog and storage what it names: do they
answer, are the rights sufficient, do the topics and tables exist. Nothing is created or changed, except for one small
file in the storage that is deleted again.`,
		Example: `  ingestd validate -c ingestd.yaml
  ingestd validate -c ingestd.yaml --no-environment     the file alone: for a pipeline that builds it`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usagef("no configuration: name a file with -c FILE")
			}
			v := validation{File: file, Faults: []fault{}, Checks: []check{}}
			c, warnings, err := config.Load(file, config.Options{NoEnvironment: noEnvironment, Checks: configChecks()})
			v.add(warnings)
			var problems config.Problems
			if errors.As(err, &problems) {
				v.add(problems)
				return a.writeValidation(v, out, failure.Wrap(err, failure.Config, "E_CONFIG", "", "reading the configuration"))
			}
			if err != nil {
				return err
			}
			v.Valid = true
			if noEnvironment {
				return a.writeValidation(v, out, nil)
			}
			v.Checks, err = checkEnvironment(cmd.Context(), c)
			v.Valid = err == nil
			return a.writeValidation(v, out, err)
		},
	}
	addConfig(c, &file)
	addFormat(c, &out)
	c.Flags().BoolVar(&noEnvironment, "no-environment", false, "look at the file alone: no connections, no secrets, no variables")
	return c
}

func (v *validation) add(problems config.Problems) {
	for _, p := range problems {
		v.Faults = append(v.Faults, fault{Line: p.Line, Column: p.Col, Path: p.Path, Message: p.Message, Hint: p.Hint, Warning: p.Warning})
	}
}

// writeValidation writes the result; err only sets the exit code, it stands in the result.
func (a *app) writeValidation(v validation, out format, err error) error {
	if err != nil {
		err = silentError{err}
	}
	if out == formatJSON {
		return errors.Join(writeJSON(a.Out, v), err)
	}
	for _, f := range v.Faults {
		p := config.Problem{File: v.File, Line: f.Line, Col: f.Column, Path: f.Path, Message: f.Message, Hint: f.Hint, Warning: f.Warning}
		fmt.Fprintln(a.Out, p)
	}
	rows := [][]string{}
	for _, c := range v.Checks {
		rows = append(rows, []string{c.Status, c.Name, c.text()})
	}
	if err := writeColumns(a.Out, "", rows); err != nil {
		return err
	}
	if v.Valid {
		fmt.Fprintf(a.Out, "%s is valid\n", v.File)
	}
	return err
}
