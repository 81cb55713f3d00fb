package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The lines of docs/BENCHMARKS.md between which the section is made from the results.
const (
	sectionBegin = "<!-- begin: made by make bench-public from integration/bench/results.json -->\n"
	sectionEnd   = "<!-- end: made by make bench-public -->\n"
)

const documentFile = "docs/BENCHMARKS.md"

// writeDocuments makes the section of the document and the plots.
func writeDocuments(root string, r *results) error {
	name := filepath.Join(root, documentFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	made, err := replaceSection(string(text), section(r))
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, []byte(made), 0o644); err != nil {
		return err
	}
	for file, svg := range plots(r) {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// replaceSection puts a text between the marks.
func replaceSection(document, text string) (string, error) {
	before, rest, ok := strings.Cut(document, sectionBegin)
	_, after, closed := strings.Cut(rest, sectionEnd)
	if !ok || !closed {
		return "", fmt.Errorf("%s lacks the marks of the made section", documentFile)
	}
	return before + sectionBegin + text + sectionEnd + after, nil
}

// section is what the document says of a run.
func section(r *results) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("")
	line("`%s`, %s: %s records, %s. %s, %d cores, %d GiB, Linux %s, %s.", r.Command, r.Started.Format("2006-01-02"),
		thousands(float64(r.Records)), rounds(r), r.Machine.CPU, r.Machine.Cores, r.Machine.MemoryGiB, r.Machine.Kernel, r.Machine.Go)
	line("%s", noise(r))
	line("")
	b.WriteString(resultTable(r))
	line("")
	for _, f := range r.formats() {
		for _, p := range plotKinds() {
			line("![%s, %s](%s)", p.title, formatName(f), strings.TrimPrefix(p.file(f), "docs/"))
		}
	}
	line("")
	line("What was run, and where the work is not equal:")
	line("")
	for _, c := range r.Cases {
		if c.Format != r.Cases[0].Format {
			continue
		}
		line("- **%s** (%s): %s. Unequal: %s", c.Name, c.Version, c.Setting, c.Unequal)
	}
	line("")
	return b.String()
}

// noise is what the results themselves say about the machine.
func noise(r *results) string {
	lowest, highest := r.spread(func(m measurement) float64 { return m.Load })
	least, most := r.spread(func(m measurement) float64 { return m.Calibration })
	if least <= 0 || most < least {
		return ""
	}
	text := fmt.Sprintf("Load average at the start of a run: %.1f to %.1f. A fixed piece of work, measured before each run, cost %.0f to %.0f ms of CPU, a factor of %.1f.",
		lowest, highest, 1000*least, 1000*most, most/least)
	const calm = 1.15
	if most/least > calm || highest > float64(r.Machine.Cores) {
		return text + " The machine was busy with other things: times say little, and CPU-seconds that differ by less than that factor nothing."
	}
	return text + " A calm machine."
}

// resultTable has a line for each program and format.
func resultTable(r *results) string {
	var b strings.Builder
	b.WriteString("| program | format | records/CPU-s | ingestd is | steady (ingestd is) | CPU s of the rounds | start, CPU s | wall s | peak RSS MiB | bytes/row | files | commits | rows |\n")
	b.WriteString("|---|---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|---|\n")
	for _, c := range r.Cases {
		b.WriteString("| " + strings.Join(cells(r, c), " | ") + " |\n")
	}
	return b.String()
}

func cells(r *results, c caseResult) []string {
	out := []string{c.Name, formatName(c.Format)}
	if len(c.good()) == 0 {
		return append(out, "not run: "+oneLine(reason(c)), "", "", "", "", "", "", "", "", "", "")
	}
	number := func(digits int, of func(measurement) float64) string {
		return strconv.FormatFloat(c.median(of), 'f', digits, 64)
	}
	var all []string
	for _, m := range c.good() {
		all = append(all, strconv.FormatFloat(m.CPU, 'f', 1, 64))
	}
	return append(out, thousands(c.rate()), ratio(r, c.Format, c.rate()), steady(r, c), strings.Join(all, " "), started(c),
		number(0, func(m measurement) float64 { return m.Wall }), number(0, func(m measurement) float64 { return float64(m.PeakMiB) }),
		number(1, func(m measurement) float64 { return float64(m.Check.Bytes) / float64(m.Check.Rows) }),
		number(0, func(m measurement) float64 { return float64(m.Check.Files) }),
		number(0, func(m measurement) float64 { return float64(len(m.Commits)) }), rowCheck(c))
}

// ratio is how many times the records ingestd gets through with a CPU-second, its start included, on the same topic.
func ratio(r *results, format string, rate float64) string {
	own, ok := r.of(ingestdName, format)
	if !ok || own.rate() == 0 {
		return ""
	}
	return strconv.FormatFloat(own.rate()/rate, 'f', 1, 64) + "x"
}

// steady is the rate between commits, and how it compares with ingestd's whole run.
func steady(r *results, c caseResult) string {
	rate := c.median(measurement.steady)
	if rate == 0 {
		return "too short"
	}
	if own := ratio(r, c.Format, rate); own != "" {
		return thousands(rate) + " (" + own + ")"
	}
	return thousands(rate)
}

func rounds(r *results) string {
	if r.Rounds == 1 {
		return "1 round"
	}
	return plural(r.Rounds, "round") + ", medians"
}

func started(c caseResult) string {
	if !c.Java || c.median(measurement.steady) == 0 {
		return ""
	}
	return strconv.FormatFloat(c.median(measurement.start), 'f', 1, 64)
}

// rowCheck tells runs that failed beside those that did not.
func rowCheck(c caseResult) string {
	failed := len(c.Runs) - len(c.good())
	if failed == 0 {
		return "right"
	}
	return fmt.Sprintf("right; %s failed: %s", plural(failed, "run"), oneLine(reason(c)))
}

// reason is why there is no result, or not one for every round.
func reason(c caseResult) string {
	if c.NotRun != "" {
		return c.NotRun
	}
	for _, m := range c.Runs {
		if m.Failure != "" {
			return m.Failure
		}
	}
	return "no run"
}

// oneLine is the first line of a reason, fit for a table.
func oneLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return strings.ReplaceAll(text, "|", "/")
}

func formatName(f string) string {
	if f == "avro" {
		return "Avro"
	}
	return strings.ToUpper(f)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// thousands writes a whole number with commas.
func thousands(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
