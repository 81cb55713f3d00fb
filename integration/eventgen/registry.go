package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/ingestd/ingestd/integration/events"
)

// register puts the event schema under a subject and gives its id.
func register(ctx context.Context, base, subject string) (int, error) {
	body, err := json.Marshal(map[string]string{"schema": events.Schema})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/subjects/"+url.PathEscape(subject)+"/versions", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("registry answered %s: %s", res.Status, answer)
	}
	var out struct{ ID int }
	if err := json.Unmarshal(answer, &out); err != nil {
		return 0, err
	}
	return out.ID, nil
}
