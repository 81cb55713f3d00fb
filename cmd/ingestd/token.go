package main

import (
	"context"
	"os"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

// tokenSource gives the bearer tokens of OAUTHBEARER: fetched with client credentials, read from a file again for
// every login, or fixed.
func tokenSource(s config.SASL) func(context.Context) (string, error) {
	if s.OAuth == nil {
		return func(context.Context) (string, error) {
			if s.TokenFile == "" {
				return s.Token.Reveal(), nil
			}
			b, err := os.ReadFile(s.TokenFile)
			if err != nil {
				return "", failure.Wrap(err, failure.Config, "E_TOKEN_FILE", "check sasl.token_file", "reading the bearer token")
			}
			return strings.TrimSpace(string(b)), nil
		}
	}
	c := clientcredentials.Config{
		ClientID: s.OAuth.ClientID, ClientSecret: s.OAuth.ClientSecret.Reveal(), TokenURL: s.OAuth.TokenURL, Scopes: s.OAuth.Scopes,
	}
	var once sync.Once
	var cached oauth2.TokenSource
	return func(ctx context.Context) (string, error) {
		// Every new connection asks; the token is fetched again when it is about to expire. The source outlives the call
		// that made it.
		once.Do(func() { cached = c.TokenSource(context.WithoutCancel(ctx)) })
		t, err := cached.Token()
		if err != nil {
			return "", failure.Wrap(err, failure.Retry, "E_OAUTH", "check sasl.oauth of the source", "fetching a bearer token from %s", s.OAuth.TokenURL)
		}
		return t.AccessToken, nil
	}
}
