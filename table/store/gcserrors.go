package store

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	gcsLoginHint = "set storage.gcs.credentials_file, or give the process a service account"
	maxComplaint = 64 << 10 // of an error's text
)

// gcsError reads the answer to a request that failed.
func gcsError(res *http.Response, with gcsAccess) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxComplaint)) // what there is says more than nothing
	_ = res.Body.Close()
	var said struct {
		Error struct {
			Message string `json:"message"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	a := &answered{status: res.StatusCode, code: http.StatusText(res.StatusCode)}
	if json.Unmarshal(body, &said) == nil {
		a.text, _, _ = strings.Cut(said.Error.Message, "\n")
		if len(said.Error.Errors) > 0 {
			a.code = said.Error.Errors[0].Reason
		}
	} else if res.Header.Get("Content-Type") == "" || strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		a.text, _, _ = strings.Cut(string(body), "\n")
	}
	a.verdict = judgeGCS(a, with.token != "")
	return a
}

// judgeGCS judges an answer; vended says that the token is a catalog's.
func judgeGCS(a *answered, vended bool) verdict {
	text := strings.ToLower(a.text)
	switch {
	case a.status == http.StatusUnauthorized && vended:
		return verdict{failure.Retry, codeToken, "the credentials have run out; they are renewed on the next try, or must be renewed where they come from"}
	case a.status == http.StatusNotFound && strings.Contains(text, "bucket does not exist"):
		return verdict{failure.Config, CodeBucket, ""}
	case a.code == "rateLimitExceeded", a.code == "userRateLimitExceeded", a.code == "backendError":
		return verdict{failure.Retry, codeBusy, "the object store asks for a slower pace"}
	case a.code == "quotaExceeded":
		return verdict{failure.Retry, codeFull, "make room in the object store"}
	case a.status == http.StatusBadRequest && (strings.Contains(text, "crc32c") || strings.Contains(text, "md5")):
		return verdict{failure.Retry, codeDamaged, ""}
	case a.status == http.StatusForbidden:
		return verdict{failure.Config, codeAuth, "the login may not do this; grant it the role Storage Object User on the bucket"}
	case a.status == http.StatusBadRequest && strings.Contains(text, "invalid bucket name"):
		return verdict{failure.Config, CodeBucket, "correct the bucket's name in the location"}
	}
	return judgeAnswer(a.status, "storage.gcs")
}

// noBucket judges a request that names no object that could be missing: what is not there is the bucket.
func noBucket(err error) error {
	var a *answered
	if errors.As(err, &a) && a.verdict.code == codeMissing {
		a.verdict = verdict{failure.Config, CodeBucket, ""}
	}
	return err
}

// passing says whether a request may fare better the next time.
func passing(err error) bool {
	var a *answered
	if errors.As(err, &a) {
		return a.verdict.class == failure.Retry && (a.verdict.code == codeBusy || a.verdict.code == codeNetwork)
	}
	if code := failure.CodeOf(err); code != "" {
		return code == codeBusy || code == codeNetwork || code == codeDamaged
	}
	return true // the connection broke
}

// gcsLoginError judges a failed login: a refusal and a lack of credentials are the operator's to mend.
func gcsLoginError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		s := refused.Response.StatusCode
		a := &answered{status: s, code: "login refused", cause: err, verdict: verdict{failure.Config, codeAuth, gcsLoginHint}}
		var said struct {
			Description string `json:"error_description"`
		}
		if json.Unmarshal(refused.Body, &said) == nil { // the library reads it for some kinds of login only
			a.text = said.Description
		}
		if s >= http.StatusInternalServerError || s == http.StatusTooManyRequests {
			a.verdict = verdict{failure.Retry, codeBusy, "the login service is not well"}
		}
		return a
	}
	if strings.Contains(err.Error(), "could not find default credentials") {
		return failure.Wrap(&short{"no credentials were found", err}, failure.Config, codeAuth, gcsLoginHint, "opening Google Cloud Storage")
	}
	var net interface{ Timeout() bool }
	if errors.As(err, &net) {
		return failure.Wrap(err, failure.Retry, codeNetwork, "check that the login service can be reached", "asking for a token")
	}
	return failure.Wrap(err, failure.Config, codeAuth, gcsLoginHint, "opening Google Cloud Storage")
}
