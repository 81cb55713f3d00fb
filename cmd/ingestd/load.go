package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/config"
)

// addConfig gives a command the flag -c.
func addConfig(c *cobra.Command, file *string) {
	c.Flags().StringVarP(file, "config", "c", "", "configuration `file`; - reads standard input")
	// The flag exists, so the error would be a bug that every test finds.
	_ = c.MarkFlagFilename("config", "yaml", "yml")
}

// load reads the configuration a command needs; warnings go to stderr.
func (a *app) load(file string) (*config.Config, error) {
	if file == "" {
		return nil, usagef("no configuration: name a file with -c FILE")
	}
	c, warnings, err := config.Load(file, config.Options{Checks: configChecks()})
	for _, w := range warnings {
		fmt.Fprintln(a.Err, w)
	}
	return c, err
}

// chosen gives the tables a command is about: the one that is named, or all.
func chosen(c *config.Config, args []string) ([]config.Table, error) {
	if len(args) == 0 {
		return c.Tables, nil
	}
	t, ok := c.Table(args[0])
	if !ok {
		names := make([]string, len(c.Tables))
		for i, t := range c.Tables {
			names[i] = t.Name
		}
		return nil, usagef("the configuration has no table %q; it has %s", args[0], strings.Join(names, ", "))
	}
	return []config.Table{t}, nil
}

// completeTable offers the tables of the configuration that stands on the command line already.
func completeTable(file *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || *file == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		c, _, err := config.Load(*file, config.Options{NoEnvironment: true})
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []cobra.Completion
		for _, t := range c.Tables {
			names = append(names, t.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
