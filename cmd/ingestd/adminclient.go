package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingestd/ingestd/internal/admin"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// adminTimeout bounds one question to a daemon, which is on this machine or near.
	adminTimeout = 5 * time.Second
	maxAnswer    = 16 << 20
)

// adminClient asks a running daemon.
type adminClient struct {
	base string
	http *http.Client
}

func newAdminClient(base string) *adminClient {
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	return &adminClient{base: strings.TrimSuffix(base, "/"), http: &http.Client{Timeout: adminTimeout}}
}

// tables gives the daemon's tables by name.
func (c *adminClient) tables(ctx context.Context) (map[string]admin.Table, error) {
	list, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]admin.Table{}
	for _, t := range list {
		out[t.Name] = t
	}
	return out, nil
}

func (c *adminClient) list(ctx context.Context) ([]admin.Table, error) {
	var answer struct {
		Tables []admin.Table `json:"tables"`
	}
	err := c.get(ctx, "/api/v1/tables", &answer)
	return answer.Tables, err
}

// budget asks who holds how much memory; a daemon that does not know the question is no error.
func (c *adminClient) budget(ctx context.Context) *admin.Budget {
	var b admin.Budget
	if c.get(ctx, "/debug/budget", &b) != nil {
		return nil
	}
	return &b
}

// report is a status made of the daemon's answers alone.
func (c *adminClient) report(ctx context.Context, names []string) (statusReport, error) {
	r := statusReport{Daemon: c.base, Budget: c.budget(ctx), Tables: []tableStatus{}}
	if len(names) == 0 {
		list, err := c.list(ctx)
		if err != nil {
			return r, err
		}
		for _, t := range list {
			names = append(names, t.Name)
		}
	}
	for _, name := range names {
		var t admin.Table
		if err := c.get(ctx, "/api/v1/tables/"+url.PathEscape(name), &t); err != nil {
			return r, err
		}
		r.Tables = append(r.Tables, liveStatus(t))
	}
	return r, nil
}

// liveStatus is what the daemon alone knows: rows and outcomes are those since its start.
func liveStatus(t admin.Table) tableStatus {
	s := tableStatus{
		Table: t.Name, Exists: t.LastCommit != nil, Rows: t.Rows, Outcomes: t.Outcomes, Partitions: []partitionStatus{}, Problems: []problemPlan{},
	}
	s.fromDaemon(t)
	if c := t.LastCommit; c != nil {
		s.LastCommit = &commitStatus{SnapshotID: c.SnapshotID, At: c.At, Rows: c.Rows}
	}
	for _, p := range t.Partitions {
		s.Partitions = append(s.Partitions, partitionStatus{Topic: p.Topic, Partition: fmt.Sprint(p.Partition), Lag: &p.LagRecords})
	}
	if s.Why == "" {
		s.Why = "caught up"
		if t.LagRecords > 0 {
			s.Why = count64(t.LagRecords, "offset") + " to go"
		}
	}
	return s
}

func (c *adminClient) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return usagef("%q is no address of an admin listener", c.base)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return failure.Wrap(err, failure.Retry, "E_ADMIN_UNREACHABLE", "is it running, and is this the address of its admin listener?", "asking the daemon")
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return failure.Wrap(err, failure.Retry, "E_ADMIN_UNREACHABLE", "", "reading the daemon's answer")
	}
	if resp.StatusCode != http.StatusOK {
		var p struct{ Detail, Code, Hint string }
		if json.Unmarshal(body, &p) == nil && p.Detail != "" {
			return failure.New(failure.Fatal, p.Code, p.Hint, "%s", p.Detail)
		}
		return failure.New(failure.Fatal, "E_ADMIN_ANSWER", "is this the address of ingestd's admin listener?", "the daemon answered %s", resp.Status)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return failure.Wrap(err, failure.Fatal, "E_ADMIN_ANSWER", "is this the address of ingestd's admin listener?", "reading the daemon's answer")
	}
	return nil
}
