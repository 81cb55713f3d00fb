package store

import (
	"net/url"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// objectPath is a parsed S3 location. Keys are taken as they stand: object names are opaque, nothing is
// unescaped.
type objectPath struct{ scheme, bucket, key string }

func parseObject(path string) (objectPath, error) {
	sch, rest, ok := strings.Cut(path, "://")
	if !ok {
		return objectPath{}, failure.New(failure.Config, CodeScheme, "write s3://bucket/path", "reading location %s: no bucket", path)
	}
	bucket, key, _ := strings.Cut(rest, "/")
	if bucket == "" {
		return objectPath{}, failure.New(failure.Config, CodeScheme, "write s3://bucket/path", "reading location %s: no bucket", path)
	}
	return objectPath{scheme: sch, bucket: bucket, key: key}, nil
}

// parseKey is parseObject for a path that must name an object.
func parseKey(path string) (objectPath, error) {
	o, err := parseObject(path)
	if err == nil && o.key == "" {
		err = failure.New(failure.Config, CodeScheme, "write s3://bucket/path", "reading location %s: no object name", path)
	}
	return o, err
}

func (o objectPath) uri(key string) string { return o.scheme + "://" + o.bucket + "/" + key }

// localPath gives the file that a file: URI or plain path names, by the rules iceberg-go reads them with: URIs
// are percent-decoded, plain paths are not.
func localPath(path string) (string, error) {
	if scheme(path) == "" {
		return path, nil
	}
	u, err := url.Parse(path)
	if err != nil {
		return "", failure.Wrap(err, failure.Config, CodeScheme, "write file:///path", "reading location %s", path)
	}
	if u.Scheme != "file" || (u.Host != "" && !strings.EqualFold(u.Host, "localhost")) {
		return "", failure.New(failure.Config, CodeScheme, "write file:///path, with three slashes",
			"reading location %s: it names a host", path)
	}
	if u.Opaque != "" {
		return url.PathUnescape(u.Opaque)
	}
	return u.Path, nil
}
