package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/examples"
)

func (a *app) initCommand() *cobra.Command {
	var small bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Print a configuration to start from",
		Long: `Print a configuration to start from: the settings people usually meet, with comments. It is valid as it is; the
addresses are those of a broker, a registry and a catalog on this machine.`,
		Example: `  ingestd init > ingestd.yaml
  ingestd init --small > ingestd.yaml       only what cannot be left out`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := examples.Sample()
			if small {
				text = examples.Small()
			}
			_, err := fmt.Fprint(a.Out, text)
			return err
		},
	}
	c.Flags().BoolVar(&small, "small", false, "only what cannot be left out")
	return c
}
