package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfig feeds any bytes to the parser. It must end in a configuration or in problems, never in a panic; the
// problems must have a position; a good configuration must show itself, hash, and equal itself.
func FuzzConfig(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yml", "../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 1<<14 {
				f.Add(data)
			}
		}
	}
	opts := Options{LookupEnv: testEnv, NoEnvironment: true, Mode: testMode}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return // the parser's time grows with the square; TestLimits holds the bound
		}
		c, _, err := Parse("fuzz", data, opts)
		if err != nil {
			for _, p := range err.(Problems) {
				if p.Line < 1 || p.Message == "" || strings.ContainsAny(p.String(), "\n\r\x1b") {
					t.Fatalf("bad problem: %+v", p)
				}
			}
			return
		}
		for _, effective := range []bool{false, true} {
			if _, err := c.YAML(effective); err != nil {
				t.Fatal(err)
			}
			if _, err := c.JSON(effective); err != nil {
				t.Fatal(err)
			}
		}
		if apply, refused := Reloadable(c, c); len(apply)+len(refused) > 0 {
			t.Fatal("a configuration differs from itself")
		}
		for _, table := range c.Tables {
			if _, err := table.Matcher(); err != nil || table.MeaningHash() == "" {
				t.Fatal(err)
			}
		}
	})
}
