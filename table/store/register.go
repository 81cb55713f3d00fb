package store

import (
	"context"
	"net/url"

	iceio "github.com/apache/iceberg-go/io"
)

// Register makes iceberg-go read and write metadata through these stores: the factories of file:, s3: and s3a:
// (and of plain paths) are replaced in its registry, which belongs to the whole process. ctx lends its values to
// what the factories make, its end does not stop them: the last commit of a shutdown still writes metadata.
// restore puts iceberg-go's local access back and leaves S3 unregistered.
func (s *Stores) Register(ctx context.Context) (restore func()) {
	base := context.WithoutCancel(ctx)
	localFactory := func(context.Context, *url.URL, map[string]string) (iceio.IO, error) {
		return localIO{store: s.local}, nil
	}
	s3Factory := func(ctx context.Context, _ *url.URL, props map[string]string) (iceio.IO, error) {
		st, err := s.s3(props, grantsOf(ctx))
		if err != nil {
			return nil, err
		}
		return &s3IO{s: st, base: base}, nil
	}
	replace("file", localFactory)
	replace("", localFactory)
	replace("s3", s3Factory)
	replace("s3a", s3Factory)
	return func() {
		plain := func(context.Context, *url.URL, map[string]string) (iceio.IO, error) { return iceio.LocalFS{}, nil }
		replace("file", plain)
		replace("", plain)
		iceio.Unregister("s3")
		iceio.Unregister("s3a")
	}
}

func replace(scheme string, factory iceio.SchemeFactory) {
	iceio.Unregister(scheme)
	iceio.Register(scheme, factory)
}

// IO is the file access that Register's factories hand out, for callers who hold no table: `verify` reads data
// files through it.
func (s *Stores) IO(ctx context.Context, location string, props map[string]string) (iceio.IO, error) {
	switch scheme(location) {
	case "", "file":
		return localIO{store: s.local}, nil
	case "s3", "s3a":
		st, err := s.s3(props, grantsOf(ctx))
		if err != nil {
			return nil, err
		}
		return &s3IO{s: st, base: context.WithoutCancel(ctx)}, nil
	default:
		return nil, unsupported(location)
	}
}
