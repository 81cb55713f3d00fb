//go:build integration

package integration

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/integration/events"
)

// The sums of the whole event set, as every program that was ever compared found them.
const (
	wholeSet         = 5_000_000
	wholeSetAmount   = 61444591.92
	wholeSetDuration = 99950609.07
)

// name makes topic and table names that no other test uses, so that a kept stack can be used again.
func unique(t *testing.T, prefix string) string {
	t.Helper()
	return prefix + "_" + strconv.FormatInt(time.Now().UnixNano()/1e6, 36)
}

// produce fills topics with the event set and waits for it.
func produce(t *testing.T, within time.Duration, args ...string) {
	t.Helper()
	run(t, within, "eventgen", generatorArgs(args)...)
}

func generatorArgs(args []string) []string {
	if !contains(args, "-brokers") {
		args = append(args, "-brokers", env.stack.Brokers())
	}
	return append(args, "-registry", env.stack.Registry())
}

func contains(args []string, want string) bool {
	for _, a := range args {
		if strings.TrimLeft(a, "-") == strings.TrimLeft(want, "-") {
			return true
		}
	}
	return false
}

// secure are the generator's flags for the listener with TLS and SCRAM.
func secure() []string {
	return []string{
		"-brokers", env.stack.SecureBrokers(), "-ca", env.stack.CertificateAuthority(),
		"-user", env.stack.Value("KAFKA_USER"), "-password", env.stack.Value("KAFKA_PASSWORD"),
	}
}

// contents is what a correct table holds.
type contents struct {
	rows, distinct   int64
	amount, duration float64
}

// firstEvents sums the first n events of the set.
func firstEvents(t *testing.T, n int) contents {
	t.Helper()
	if n == wholeSet {
		return contents{rows: wholeSet, distinct: wholeSet, amount: wholeSetAmount, duration: wholeSetDuration}
	}
	return sumEvents(n, func(*events.Event) int { return 1 })
}

// sumEvents sums the first n events, each as often as times says.
func sumEvents(n int, times func(*events.Event) int) contents {
	g := events.NewGenerator()
	var e events.Event
	var c contents
	var cents, millis int64
	for range n {
		g.Next(&e)
		k := int64(times(&e))
		if k == 0 {
			continue
		}
		c.rows += k
		c.distinct++
		if e.HasAmount() {
			cents += k * int64(math.Round(e.Amount*100))
		}
		millis += k * int64(math.Round(e.Duration*1000))
	}
	c.amount = float64(cents) / 100
	c.duration = math.Round(float64(millis)/10) / 100
	return c
}

func TestSumsOfPartOfTheSet(t *testing.T) {
	c := firstEvents(t, 1_000_000)
	require.Equal(t, contents{rows: 1_000_000, distinct: 1_000_000, amount: 12239791.22, duration: 19975469.87}, c)
}
