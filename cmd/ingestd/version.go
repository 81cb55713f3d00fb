package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildInfo says what this binary was made of.
type buildInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// readBuild takes the version from the linker, and from the build information where the linker was told nothing.
func readBuild() buildInfo {
	b := buildInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			case "vcs.time":
				b.Time = s.Value
			}
		}
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	var out format
	c := &cobra.Command{
		Use:   "version",
		Short: "Say which ingestd this is",
		Example: `  ingestd version
  ingestd version -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			if out == formatJSON {
				return writeJSON(a.Out, b)
			}
			_, err := fmt.Fprintf(a.Out, "ingestd %s\n", b.Version)
			if err == nil && b.Commit != "" {
				_, err = fmt.Fprintf(a.Out, "commit %s %s\n", b.Commit, b.Time)
			}
			if err == nil {
				_, err = fmt.Fprintf(a.Out, "%s %s\n", b.Go, b.Platform)
			}
			return err
		},
	}
	addFormat(c, &out)
	return c
}
