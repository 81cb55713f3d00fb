package sim

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// hangs is how long a run may take in real time. One that hangs does so in virtual time: the clock stands, or something
// goes round without waiting.
const hangs = time.Minute

// watch ends the process when a run hangs. What it was doing comes last, where logs are read first: of the goroutines
// only those that keep the virtual clock from going on.
func watch(p Plan, lines *tail) (stop func() bool) {
	return time.AfterFunc(hangs, func() {
		fmt.Fprintf(os.Stderr, "%s\n%s\nseed %d hangs after the lines above, in\n%s\n", p, lines, p.Seed, busy())
		os.Exit(2)
	}).Stop
}

// busy are the goroutines of a bubble that do not wait for its clock.
func busy() string {
	b := make([]byte, 64<<20)
	var out []string
	for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if strings.Contains(head, "synctest bubble") && !strings.Contains(head, "(durable)") {
			out = append(out, g)
		}
	}
	return strings.Join(out, "\n\n")
}
