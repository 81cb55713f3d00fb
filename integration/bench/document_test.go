package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write the section of docs/BENCHMARKS.md and the plots from results.json")

const repository = "../.."

// docs/BENCHMARKS.md and the plots are what results.json says.
func TestDocumentsAreCurrent(t *testing.T) {
	r, err := loadResults("results.json")
	require.NoError(t, err)
	if *rewrite {
		require.NoError(t, writeDocuments(repository, r))
	}
	text, err := os.ReadFile(filepath.Join(repository, documentFile))
	require.NoError(t, err)
	want, err := replaceSection(string(text), section(r))
	require.NoError(t, err)
	require.Equal(t, want, string(text), "go test ./integration/bench -run TestDocumentsAreCurrent -rewrite")
	made := plots(r)
	for name, svg := range made {
		got, err := os.ReadFile(filepath.Join(repository, name))
		require.NoError(t, err)
		require.Equal(t, svg, string(got), name)
		require.Contains(t, string(text), "("+strings.TrimPrefix(name, "docs/")+")")
	}
	kept, err := filepath.Glob(filepath.Join(repository, "docs", "img", "bench-*.svg"))
	require.NoError(t, err)
	require.Len(t, kept, len(made), "pictures that nothing makes")
}

// Every program is in the kept results: one that did not run has a reason, one that ran has right tables.
func TestKeptResultsAreWhole(t *testing.T) {
	r, err := loadResults("results.json")
	require.NoError(t, err)
	want := expected(r.Records)
	for _, p := range programs() {
		for _, format := range r.formats() {
			c, ok := r.of(p.name, format)
			require.True(t, ok, "%s, %s", p.name, format)
			require.True(t, c.NotRun != "" || len(c.Runs) == r.Rounds, "%s, %s: %d runs", p.name, format, len(c.Runs))
			for _, m := range c.good() {
				require.NoError(t, m.Check.compare(want, p.audit), "%s, %s", p.name, format)
				require.Positive(t, m.CPU)
				require.NotEmpty(t, m.Commits)
				require.Equal(t, "ZSTD", m.Check.Codec)
			}
			if p.ours {
				require.Len(t, c.good(), r.Rounds)
			}
		}
	}
}

func someResults() *results {
	right := check{Rows: 1000, Bytes: 20_000, Files: 2}
	run := func(cpu float64) measurement {
		return measurement{Round: 1, Load: 1, Calibration: 0.1, CPU: cpu, Wall: 10 * cpu, PeakMiB: int64(100 * cpu), Check: right, Commits: []commit{{1, cpu, 1000}}}
	}
	java := run(20)
	java.Commits = []commit{{At: 10, CPU: 12, Rows: 200}, {At: 20, CPU: 16, Rows: 600}, {At: 30, CPU: 20, Rows: 1000}}
	failed := measurement{Round: 3, Load: 5, Calibration: 0.3, Failure: "exit status 1\nlog | of it"}
	return &results{
		Command: "make bench-public", Started: time.Unix(0, 0).UTC(), Records: 1000, Rounds: 3,
		Machine: machine{CPU: "Some CPU", Cores: 2, MemoryGiB: 4, Kernel: "6.1", Go: "go1.26"},
		Cases: []caseResult{
			{Name: ingestdName, Format: "avro", Runs: []measurement{run(2), run(1), run(4)}},
			{Name: naiveName, Format: "avro", Runs: []measurement{run(6), run(5), failed}},
			{Name: "Spark", Format: "avro", Java: true, Runs: []measurement{java, java, java}},
			{Name: "Flink", Format: "avro", Java: true, NotRun: "it could not be installed: no network"},
			{Name: "Kafka Connect", Format: "avro", Java: true, Runs: []measurement{failed}},
		},
	}
}

func TestFiguresOfARun(t *testing.T) {
	r := someResults()
	require.InDelta(t, 500, r.Cases[0].rate(), 1e-9)
	require.InDelta(t, (1000.0/5+1000.0/6)/2, r.Cases[1].rate(), 1e-9, "the middle of what succeeded")
	java := r.Cases[2].Runs[0]
	require.InDelta(t, 100, java.steady(), 1e-9)
	require.InDelta(t, 10, java.start(), 1e-9)
	require.Zero(t, r.Cases[0].Runs[0].steady())
	require.Zero(t, r.Cases[0].Runs[0].start())
	require.Zero(t, measurement{Commits: []commit{{1, 2, 3}, {2, 2, 5}}}.steady(), "no CPU between")
	require.Zero(t, measurement{Commits: []commit{{1, 2, 97}, {2, 3, 100}}}.steady(), "hardly anything between")
	require.Zero(t, r.Cases[4].rate())
	low, high := r.spread(func(m measurement) float64 { return m.Load })
	require.InDelta(t, 1, low, 1e-9)
	require.InDelta(t, 5, high, 1e-9)
}

func TestTableTellsEverything(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(resultTable(someResults())), "\n")
	require.Equal(t, []string{
		"| ingestd | Avro | 500 | 1.0x | too short | 2.0 1.0 4.0 |  | 20 | 200 | 20.0 | 2 | 1 | right |",
		"| naive Go | Avro | 183 | 2.7x | too short | 6.0 5.0 |  | 55 | 550 | 20.0 | 2 | 1 | right; 1 run failed: exit status 1 |",
		"| Spark | Avro | 50 | 10.0x | 100 (5.0x) | 20.0 20.0 20.0 | 10.0 | 200 | 2000 | 20.0 | 2 | 3 | right |",
		"| Flink | Avro | not run: it could not be installed: no network |  |  |  |  |  |  |  |  |  |  |",
		"| Kafka Connect | Avro | not run: exit status 1 |  |  |  |  |  |  |  |  |  |  |",
	}, lines[2:])
	for _, l := range lines[1:] {
		require.Equal(t, strings.Count(lines[0], "|"), strings.Count(l, "|"), l)
	}
}

func TestSectionSaysHowNoisyItWas(t *testing.T) {
	r := someResults()
	require.Contains(t, section(r), "a factor of 3.0. The machine was busy")
	for i := range r.Cases {
		r.Cases[i].Runs = r.Cases[i].good()
	}
	require.Contains(t, section(r), "A calm machine")
	require.Contains(t, section(r), "(img/bench-cpu-avro.svg)")
	_, err := replaceSection("a document without marks", section(r))
	require.Error(t, err)
	got, err := replaceSection("a\n"+sectionBegin+"old\n"+sectionEnd+"z\n", "new\n")
	require.NoError(t, err)
	require.Equal(t, "a\n"+sectionBegin+"new\n"+sectionEnd+"z\n", got)
}

func TestPlots(t *testing.T) {
	svg := draw(plotKinds()[0], "avro", someResults())
	require.Equal(t, 1, strings.Count(svg, `class="steady"`))
	require.Equal(t, 3+2+3, strings.Count(svg, `class="dot"`))
	require.Equal(t, 2, strings.Count(svg, "not run"))
	require.Contains(t, svg, ">500<")
	for _, tag := range []string{"svg", "style", "text"} {
		require.Equal(t, strings.Count(svg, "<"+tag), strings.Count(svg, "</"+tag+">"), tag)
	}
	require.Equal(t, "1,234,567", thousands(1234567))
	require.Equal(t, "999", thousands(999))
	require.Equal(t, "19.2", short(19.18))
}
