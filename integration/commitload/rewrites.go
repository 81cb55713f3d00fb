package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// interval is a stretch of time.
type interval struct{ from, to time.Time }

// poll is how often a job is looked at.
const poll = 10 * time.Millisecond

// freeAddress is one at which nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// listen is where the daemon listens, if that is needed.
func (o options) listen() string {
	if o.heavy > 0 {
		return o.admin
	}
	return "off"
}

// phases is the time in which the daemon is measured. Every other phase is one of rewrites, one after the other.
func (o options) phases(ctx context.Context, pause func(time.Duration) error) (out []interval, err error) {
	if o.heavy == 0 {
		return nil, pause(o.measure)
	}
	for end := time.Now().Add(o.measure); time.Now().Before(end); {
		if err := pause(o.phase); err != nil {
			return out, err
		}
		for phase := time.Now().Add(o.phase); time.Now().Before(phase); {
			began := time.Now()
			if err := o.rewrite(ctx, pause); err != nil {
				return out, err
			}
			out = append(out, interval{began, time.Now()})
		}
	}
	return out, nil
}

// job is what the daemon says of a rewrite.
type job struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Error string `json:"error"`
}

// rewrite has the heavy table rewritten, and waits for it.
func (o options) rewrite(ctx context.Context, pause func(time.Duration) error) error {
	j, err := o.call(ctx, http.MethodPost, "/api/v1/tables/commitload."+heavy+"/maintenance/rewrite_data_files")
	for err == nil && j.Error == "" && (j.State == "queued" || j.State == "running") {
		if err = pause(poll); err == nil {
			j, err = o.call(ctx, http.MethodGet, "/api/v1/jobs/"+j.ID)
		}
	}
	if err == nil && (j.Error != "" || j.State != "done") {
		err = fmt.Errorf("the rewrite is %s: %s", j.State, j.Error)
	}
	return err
}

func (o options) call(ctx context.Context, method, path string) (j job, err error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+o.admin+path, http.NoBody)
	if err != nil {
		return j, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return j, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return j, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return j, json.NewDecoder(resp.Body).Decode(&j)
}

// landed is a line of the daemon's log.
type landed struct {
	Time  time.Time `json:"time"`
	Msg   string    `json:"msg"`
	Table string    `json:"table"`
	// Took is the time of the commit, Flushed that of making its files, Lag the age of its oldest record by then, in seconds.
	Took, Flushed, Lag float64
}

// times are those of commits in milliseconds, without a rewrite beside them and with one.
type times struct{ delays, ages [2][]float64 }

// read finds the commits in the log, from the phase before the first rewrite on.
func (o options) read(log string, rewrites []interval) (t times, err error) {
	f, err := os.Open(log)
	if err != nil {
		return t, err
	}
	defer f.Close()
	all := interval{rewrites[0].from.Add(-o.phase), rewrites[len(rewrites)-1].to}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l landed
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.Msg != "committed" || strings.HasSuffix(l.Table, heavy) || !all.holds(l.Time) {
			continue
		}
		k := 0
		if slices.ContainsFunc(rewrites, func(r interval) bool { return r.holds(l.Time) }) {
			k = 1
		}
		t.delays[k] = append(t.delays[k], 1000*(l.Took+l.Flushed))
		t.ages[k] = append(t.ages[k], 1000*l.Lag)
	}
	return t, lines.Err()
}

func (i interval) holds(t time.Time) bool { return !t.Before(i.from) && !t.After(i.to) }

// judge compares the commits that landed beside rewrites with those that landed in between.
func (o options) judge(log string, rewrites []interval) error {
	if len(rewrites) < 2 {
		return fmt.Errorf("%d rewrites", len(rewrites))
	}
	t, err := o.read(log, rewrites)
	if err != nil {
		return err
	}
	const least = 100
	if n := [2]int{len(t.ages[0]), len(t.ages[1])}; min(n[0], n[1]) < least {
		return fmt.Errorf("%d commits without rewrites and %d beside them are too few", n[0], n[1])
	}
	fmt.Printf("%d rewrites of %d rows; commits without them and beside them:\n", len(rewrites), o.heavy)
	fmt.Printf("  number                 %7d %7d\n", len(t.ages[0]), len(t.ages[1]))
	for _, p := range []float64{0.5, 0.99} {
		fmt.Printf("  making files, commit   %7.1f %7.1f ms, p%.0f\n", percentile(t.delays[0], p), percentile(t.delays[1], p), 100*p)
		fmt.Printf("  age of oldest record   %7.1f %7.1f ms, p%.0f\n", percentile(t.ages[0], p), percentile(t.ages[1], p), 100*p)
	}
	if was, is := percentile(t.ages[0], 0.99), percentile(t.ages[1], 0.99); is > was*(1+o.growth/100) {
		return fmt.Errorf("records are visible after %.0f ms instead of %.0f; the gate is %.0f %% more", is, was, o.growth)
	}
	return nil
}

func percentile(v []float64, p float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[min(len(s)-1, int(p*float64(len(s))))]
}
