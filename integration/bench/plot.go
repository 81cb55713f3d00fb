package main

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// plotKind is one picture per format: a bar for the median, a dot for each round.
type plotKind struct {
	name, title string
	of          func(measurement) float64
	// second is drawn as a thinner bar, and named.
	second     func(measurement) float64
	secondName string
}

func plotKinds() []plotKind {
	return []plotKind{
		{
			name: "cpu", title: "Records per CPU-second, start included",
			of:     func(m measurement) float64 { return float64(m.Check.Rows) / m.CPU },
			second: measurement.steady, secondName: "between the first commit and the last",
		},
		{name: "memory", title: "Peak resident memory of all processes, MiB", of: func(m measurement) float64 { return float64(m.PeakMiB) }},
		{name: "size", title: "Bytes of data files per row", of: func(m measurement) float64 { return float64(m.Check.Bytes) / float64(m.Check.Rows) }},
	}
}

func (k plotKind) file(format string) string {
	return "docs/img/bench-" + k.name + "-" + format + ".svg"
}

// plots are the files and what is in them.
func plots(r *results) map[string]string {
	out := map[string]string{}
	for _, f := range r.formats() {
		for _, k := range plotKinds() {
			out[k.file(f)] = draw(k, f, r)
		}
	}
	return out
}

// Sizes of a picture, in its own units.
const (
	plotWidth = 760
	plotLeft  = 170 // the names
	plotRight = 90  // the numbers behind the longest bar
	plotTop   = 40
	rowHeight = 34
	barHeight = 16
	thin      = 5
	dotRadius = 2.5
)

// draw makes a picture that needs nothing from outside and reads on light and dark pages.
func draw(k plotKind, format string, r *results) string {
	var rows []caseResult
	for _, c := range r.Cases {
		if c.Format == format {
			rows = append(rows, c)
		}
	}
	scale := float64(plotWidth-plotLeft-plotRight) / longest(k, rows)
	height := plotTop + rowHeight*len(rows) + 28
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,sans-serif" font-size="13">`+"\n", plotWidth, height)
	b.WriteString(`<style>text{fill:#24292f}.own{fill:#0969da}.peer{fill:#8c959f}.steady{fill:#bf8700}.dot{fill:#24292f}` +
		`@media(prefers-color-scheme:dark){text,.dot{fill:#e6edf3}.peer{fill:#6e7681}.own{fill:#2f81f7}}</style>` + "\n")
	fmt.Fprintf(&b, `<text x="8" y="20" font-weight="600">%s (%s)</text>`+"\n", html.EscapeString(k.title), formatName(format))
	for i, c := range rows {
		drawRow(&b, k, c, scale, plotTop+i*rowHeight)
	}
	note := fmt.Sprintf("bar: median; dots: %s", plural(r.Rounds, "round"))
	if k.second != nil {
		note += "; thin bar: " + k.secondName
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="11">%s</text>`+"\n</svg>\n", plotLeft, height-8, html.EscapeString(note))
	return b.String()
}

func longest(k plotKind, rows []caseResult) float64 {
	most := 0.0
	for _, c := range rows {
		for _, m := range c.good() {
			most = max(most, k.of(m))
			if k.second != nil {
				most = max(most, k.second(m))
			}
		}
	}
	return math.Max(most, 1)
}

func drawRow(b *strings.Builder, k plotKind, c caseResult, scale float64, top int) {
	middle := float64(top) + barHeight/2
	fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-8, middle+4.5, html.EscapeString(c.Name))
	if len(c.good()) == 0 {
		fmt.Fprintf(b, `<text x="%d" y="%.1f" font-style="italic">not run</text>`+"\n", plotLeft, middle+4.5)
		return
	}
	class := "peer"
	if strings.HasPrefix(c.Name, ingestdName) {
		class = "own"
	}
	value, end := c.median(k.of), 0.0
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n", class, plotLeft, top, value*scale, barHeight)
	for _, m := range c.good() {
		end = max(end, k.of(m))
		fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="%.1f"/>`+"\n", plotLeft+k.of(m)*scale, middle, dotRadius)
	}
	if k.second != nil {
		if second := c.median(k.second); second > 0 {
			fmt.Fprintf(b, `<rect class="steady" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n", plotLeft, top+barHeight+2, second*scale, thin)
		}
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text>`+"\n", plotLeft+end*scale+8, middle+4.5, short(value))
}

// short is a number as it is written behind a bar.
func short(v float64) string {
	const small = 100
	if v < small {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return thousands(v)
}
