package store

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/ingestd/ingestd/internal/failure"
)

const azureLoginHint = "set storage.azure account_key, sas_token or client_secret, or give the process a workload or managed identity"

// answered is what an object store has answered, judged by the one who knows its language.
type answered struct {
	status     int
	code, text string
	verdict    verdict
	cause      error
}

func (a *answered) Error() string {
	text := fmt.Sprintf("HTTP %d %s", a.status, a.code)
	if a.text != "" && a.text != a.code {
		text += ": " + a.text
	}
	return text
}

func (a *answered) Unwrap() error { return a.cause }

// azureError makes an error of the SDK one of ours; it is nil for nil.
func azureError(err error) error {
	var login *loginError
	if errors.As(err, &login) {
		return azureLoginError(login)
	}
	var re *azcore.ResponseError
	if !errors.As(err, &re) {
		return err
	}
	a := &answered{status: re.StatusCode, code: re.ErrorCode, text: azureMessage(re.RawResponse), cause: err}
	a.verdict = judgeAzure(a)
	return notExist(a)
}

// azureMessage reads the first line of an answer's text; what follows are names for Azure's support.
func azureMessage(r *http.Response) string {
	if r == nil || r.Body == nil {
		return ""
	}
	body, err := runtime.Payload(r)
	if err != nil {
		return ""
	}
	var e struct {
		Message string `xml:"Message"`
		Detail  string `xml:"AuthenticationErrorDetail"`
	}
	if xml.Unmarshal(body, &e) != nil {
		return ""
	}
	text, _, _ := strings.Cut(e.Message, "\n")
	if strings.HasPrefix(e.Detail, "Signature not valid in the specified time frame") || strings.HasPrefix(e.Detail, "Lifetime validation failed") {
		text = e.Detail
	}
	return strings.TrimSpace(text)
}

func judgeAzure(a *answered) verdict {
	switch a.code {
	case "ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "FilesystemNotFound":
		return verdict{failure.Config, CodeBucket, ""}
	case "BlobNotFound", "PathNotFound":
		return verdict{failure.Retry, codeMissing, ""}
	case "InvalidResourceName":
		return verdict{failure.Config, CodeBucket, "correct the container's name in the location"}
	case "AuthenticationFailed", "InvalidAuthenticationInfo":
		if strings.Contains(a.text, "time frame") || strings.Contains(strings.ToLower(a.text), "lifetime validation failed") {
			return verdict{failure.Retry, codeToken, "the credentials have run out; they are renewed on the next try, or must be renewed where they come from"}
		}
		return verdict{failure.Config, codeAuth, "check storage.azure account_key or sas_token, or where the environment takes them from"}
	case "AuthorizationPermissionMismatch", "AuthorizationFailure", "InsufficientAccountPermissions", "AuthorizationResourceTypeMismatch",
		"AuthorizationServiceMismatch", "AuthorizationProtocolMismatch", "AuthorizationSourceIPMismatch", "AccountIsDisabled", "KeyBasedAuthenticationNotPermitted":
		return verdict{failure.Config, codeAuth, "the login may not do this; grant read, write, list and delete of blobs (the role Storage Blob Data Contributor)"}
	case "Md5Mismatch", "Crc64Mismatch", "InvalidMd5", "InvalidBlockList", "InvalidBlobOrBlock", "BlockListMismatch":
		return verdict{failure.Retry, codeDamaged, ""}
	case "ServerBusy", "InternalError", "OperationTimedOut", "ResourceTypeMismatch":
		return verdict{failure.Retry, codeBusy, "the object store is not well or asks for a slower pace"}
	}
	return judgeAnswer(a.status, "storage.azure")
}

// judgeAnswer judges by the status alone; block names the settings.
func judgeAnswer(s int, block string) verdict {
	v := judgeStatus(s)
	switch v.code {
	case codeAuth:
		v.hint = "check the login in " + block + ", and that it may read, write, list and delete here"
	case codeRegion:
		v.hint = "set " + block + ".endpoint to where the data lives"
	case codeRefused:
		v.hint = "the object store does not take this request; check " + block + ".endpoint"
	}
	return v
}

// azureLoginError judges a failed login: a refusal and a lack of credentials are the operator's to mend.
func azureLoginError(e *loginError) error {
	var failed *azidentity.AuthenticationFailedError
	if errors.As(e.cause, &failed) && failed.RawResponse != nil {
		s := failed.RawResponse.StatusCode
		v := verdict{failure.Config, codeAuth, azureLoginHint}
		if s >= http.StatusInternalServerError || s == http.StatusTooManyRequests {
			v = verdict{failure.Retry, codeBusy, "the login service is not well"}
		}
		return &answered{status: s, code: "login refused", text: loginMessage(e.cause), verdict: v, cause: e}
	}
	var sent *sendError
	if errors.As(e.cause, &sent) {
		return failure.Wrap(e, failure.Retry, codeNetwork, "check that the login service can be reached", "asking for a token")
	}
	return failure.Wrap(&short{"no credentials were found", e}, failure.Config, codeAuth, azureLoginHint, "opening Azure")
}

// loginMessage finds the line of a login's error that says why.
func loginMessage(err error) string {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if _, text, ok := strings.Cut(line, `"error_description": "`); ok {
			return strings.TrimRight(text, `",`)
		}
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
