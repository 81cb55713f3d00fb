package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ingestd/ingestd/internal/failure"
)

// CodeBucket is the code of a bucket that does not exist: at the start of a process a wrong setting, later a loss.
const CodeBucket = "E_STORE_BUCKET"

// CodeScheme is the code of a location nobody here can open.
const CodeScheme = "E_STORE_SCHEME"

// The other codes of this package's errors.
const (
	codeSettings = "E_STORE_SETTINGS" // settings that cannot work
	codeAuth     = "E_STORE_AUTH"     // no, wrong or insufficient credentials
	codeToken    = "E_STORE_TOKEN"    // credentials that have run out
	codeRegion   = "E_STORE_REGION"   // the bucket lives elsewhere
	codeRefused  = "E_STORE_REFUSED"  // the server does not take the request
	codeBusy     = "E_STORE_BUSY"     // the server asks for patience
	codeNetwork  = "E_STORE_NETWORK"  // no answer
	codeFull     = "E_STORE_FULL"     // no space left
	codeAccess   = "E_STORE_ACCESS"   // the file system refuses
	codeDamaged  = "E_STORE_DAMAGED"  // what is stored is not what was written
	codeMissing  = "E_STORE_MISSING"  // the file is not there
	codeKey      = "E_STORE_KEY"      // the encryption key cannot be used
	codeWrite    = "E_STORE_WRITE"    // any other fault of the file system
)

// verdict is a classification before it has a text.
type verdict struct {
	class failure.Class
	code  string
	hint  string
}

// classified wraps err as "<verb> <path>: err" with the verdict of what happened. An error that is classified
// already keeps its verdict, a caller's cancellation stays recognizable by errors.Is.
func classified(err error, verb, path string) error {
	if err == nil {
		return nil
	}
	v := judge(err)
	if v.code == CodeBucket && failure.CodeOf(err) == "" && v.hint == "" {
		v.hint = createBucket(path)
	}
	return failure.Wrap(shortened(err), v.class, v.code, v.hint, "%s %s", verb, path)
}

// probed is classified for the bucket of a location.
func probed(err error, verb, location string) error {
	o, _ := parseObject(location)
	if v := judge(err); err != nil && v.code == CodeBucket && v.hint == "" {
		return failure.Wrap(err, v.class, v.code, createBucket(location), "%s %s", verb, o.bucket)
	}
	return classified(err, verb, o.bucket)
}

// createBucket is the hint for a bucket that is not there.
func createBucket(location string) string {
	hint := "create the bucket, or correct the warehouse or table location"
	if o, err := parseObject(location); err == nil {
		if container, host, ok := strings.Cut(o.bucket, "@"); ok {
			return "create container " + container + " of " + host + ", or correct the warehouse or table location"
		}
		hint = "create bucket " + o.bucket + ", or correct the warehouse or table location"
	}
	return hint
}

// shortened gives an error that is still err for errors.Is and errors.As, but says in a few words what the SDK
// spreads over several lines.
func shortened(err error) error {
	var api smithy.APIError
	var noCreds *credentialsError
	var sent *url.Error
	switch {
	case failure.CodeOf(err) != "":
		return err
	case errors.As(err, &noCreds):
		return &short{"no credentials were found", err}
	case errors.As(err, &api):
		text := fmt.Sprintf("HTTP %d %s", status(err), api.ErrorCode())
		if m := api.ErrorMessage(); m != "" && m != api.ErrorCode() {
			text += ": " + m
		}
		return &short{text, err}
	case errors.As(err, &sent):
		return &short{sent.Error(), err}
	}
	return err
}

type short struct {
	text  string
	cause error
}

func (s *short) Error() string { return s.text }
func (s *short) Unwrap() error { return s.cause }

func classOr(err error, other failure.Class) failure.Class {
	if failure.CodeOf(err) != "" {
		return failure.ClassOf(err)
	}
	return other
}

func judge(err error) verdict {
	if code := failure.CodeOf(err); code != "" {
		return verdict{failure.ClassOf(err), code, failure.HintOf(err)}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return verdict{failure.Retry, codeNetwork, ""}
	}
	var a *answered
	if errors.As(err, &a) {
		return a.verdict
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return judgeAPI(api, status(err))
	}
	if s := status(err); s != 0 {
		return judgeStatus(s)
	}
	if v, ok := judgeFile(err); ok {
		return v
	}
	return judgeNetwork(err)
}

func judgeAPI(api smithy.APIError, httpStatus int) verdict {
	switch api.ErrorCode() {
	case "NoSuchBucket":
		return verdict{failure.Config, CodeBucket, ""}
	case "NoSuchKey", "NotFound":
		return verdict{failure.Retry, codeMissing, ""}
	case "NoSuchUpload":
		return verdict{failure.Retry, codeBusy, "the upload was removed while it ran; check the bucket's lifecycle rules"}
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return verdict{failure.Retry, codeToken, "the credentials have run out; they are renewed on the next try, or must be renewed where they come from"}
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		return verdict{failure.Config, codeAuth, "the credentials may not do this; grant get, put, list and delete on the location"}
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException", "MissingSecurityHeader", "MissingAuthenticationToken":
		return verdict{failure.Config, codeAuth, "check storage.s3 access_key_id and secret_access_key, or where the environment takes them from"}
	case "RequestTimeTooSkewed":
		return verdict{failure.Config, codeAuth, "the clock of this machine is wrong; synchronize it"}
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "TemporaryRedirect":
		return verdict{failure.Config, codeRegion, "set storage.s3.region to the bucket's region, and the endpoint that belongs to it"}
	case "BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "IncompleteBody", "RequestTimeout", "InvalidPart":
		return verdict{failure.Retry, codeDamaged, ""}
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "ServiceUnavailable", "InternalError", "Throttling", "ThrottlingException", "TooManyRequests", "OperationAborted":
		return verdict{failure.Retry, codeBusy, "the object store asks for a slower pace"}
	case "InvalidBucketName":
		return verdict{failure.Config, CodeBucket, "correct the bucket's name in the location"}
	case "QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity":
		return verdict{failure.Retry, codeFull, "make room in the object store"}
	}
	if strings.HasPrefix(api.ErrorCode(), "KMS.") || strings.HasPrefix(api.ErrorCode(), "KMSInvalid") {
		return verdict{failure.Config, codeKey, "check storage.s3.encryption.kms_key_id, the key's state, and that the credentials may use it"}
	}
	return judgeStatus(httpStatus)
}

func judgeStatus(s int) verdict {
	switch {
	case s == http.StatusNotFound:
		return verdict{failure.Retry, codeMissing, ""}
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return verdict{failure.Config, codeAuth, "check storage.s3 access_key_id and secret_access_key, and that they may get, put, list and delete here"}
	case s == http.StatusMovedPermanently || s == http.StatusTemporaryRedirect:
		return verdict{failure.Config, codeRegion, "set storage.s3.region and endpoint to where the bucket lives"}
	case s == http.StatusRequestTimeout || s == http.StatusTooManyRequests || s >= 500 && s != http.StatusNotImplemented:
		return verdict{failure.Retry, codeBusy, "the object store is not well or asks for a slower pace"}
	case s >= 400:
		return verdict{failure.Config, codeRefused, "the object store does not take this request; storage.s3 encryption or path_style may not suit it"}
	}
	return verdict{failure.Retry, codeNetwork, "check that the object store's endpoint can be reached"}
}

func judgeFile(err error) (verdict, bool) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return verdict{failure.Retry, codeMissing, ""}, true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return verdict{failure.Retry, codeFull, "make room on the file system"}, true
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR),
		errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENAMETOOLONG):
		return verdict{failure.Config, codeAccess, "the process must be able to make directories and files under the location"}, true
	}
	var pe *fs.PathError
	var le *os.LinkError
	if errors.As(err, &pe) || errors.As(err, &le) {
		return verdict{failure.Fatal, codeWrite, ""}, true
	}
	return verdict{}, false
}

func judgeNetwork(err error) verdict {
	var noCreds *credentialsError
	if errors.As(err, &noCreds) {
		return verdict{failure.Config, codeAuth, "set storage.s3 access_key_id and secret_access_key, or give the process a role"}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return verdict{failure.Retry, codeNetwork, "the endpoint's host name does not resolve; check storage.s3.endpoint and path_style"}
	}
	return verdict{failure.Retry, codeNetwork, "check that the object store's endpoint can be reached"}
}

// status is the HTTP status of a failed request, 0 when there was no answer.
func status(err error) int {
	var re *smithyhttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	var a *answered
	if errors.As(err, &a) {
		return a.status
	}
	return 0
}

// missing says whether err means that the object or file is not there. A HEAD answers 404 without a body, so the
// bucket may be missing as well.
func missing(err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket" {
		return false
	}
	var a *answered
	if errors.As(err, &a) {
		return a.verdict.code == codeMissing
	}
	return status(err) == http.StatusNotFound
}

// notExist makes err satisfy errors.Is(err, fs.ErrNotExist) if it means a missing file.
func notExist(err error) error {
	if err != nil && missing(err) && !errors.Is(err, fs.ErrNotExist) {
		return &absent{err}
	}
	return err
}

type absent struct{ cause error }

func (a *absent) Error() string        { return a.cause.Error() }
func (a *absent) Unwrap() error        { return a.cause }
func (a *absent) Is(target error) bool { return target == fs.ErrNotExist }
