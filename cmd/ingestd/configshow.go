package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/config"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the configuration, or its JSON Schema",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(a.configShowCommand(), a.configSchemaCommand())
	return c
}

func (a *app) configShowCommand() *cobra.Command {
	var file string
	var effective bool
	var out format
	c := &cobra.Command{
		Use:   "show",
		Short: "Print a configuration as it was understood, secrets redacted",
		Example: `  ingestd config show -c ingestd.yaml
  ingestd config show -c ingestd.yaml --effective     with every default, "defaults:" merged into the tables`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.load(file)
			if err != nil {
				return err
			}
			show := c.YAML
			if out == formatJSON {
				show = c.JSON
			}
			text, err := show(effective)
			if err != nil {
				return err
			}
			_, err = a.Out.Write(text)
			return err
		},
	}
	addConfig(c, &file)
	addFormat(c, &out)
	c.Flags().BoolVar(&effective, "effective", false, "every setting that has an effect, defaults included")
	return c
}

func (a *app) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the configuration, for editors",
		Example: `  ingestd config schema > ingestd.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.Out, strings.TrimSuffix(config.Schema(), "\n"))
			return err
		},
	}
}
