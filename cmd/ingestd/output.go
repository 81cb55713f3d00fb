package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// format is the shape of a result.
type format string

// The shapes of results.
const (
	formatText format = "text"
	formatJSON format = "json"
)

// String implements pflag.Value.
func (f *format) String() string { return string(*f) }

// Type implements pflag.Value; it is what the help shows.
func (f *format) Type() string { return "text|json" }

// Set implements pflag.Value.
func (f *format) Set(s string) error {
	if !slices.Contains([]format{formatText, formatJSON}, format(s)) {
		return fmt.Errorf("want text or json, not %q", s)
	}
	*f = format(s)
	return nil
}

// addFormat gives a command the flag -o.
func addFormat(c *cobra.Command, f *format) {
	*f = formatText
	c.Flags().VarP(f, "output", "o", "`format` of the result: text or json")
	// The values are fixed, so the error would be a bug that every test finds.
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]cobra.Completion{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// writeJSON writes one object, indented: people read it as well.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// writeColumns aligns rows of cells.
func writeColumns(w io.Writer, indent string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.StripEscape)
	for _, row := range rows {
		line := strings.TrimRight(strings.Join(row, "\t"), "\t")
		if _, err := fmt.Fprintf(t, "%s%s\n", indent, line); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}
