package store

import (
	"context"
	"net/url"

	iceio "github.com/apache/iceberg-go/io"
)

// Register makes iceberg-go read and write metadata through these stores: the factories of file: (and of plain
// paths) and of the object stores are replaced in its registry, which belongs to the whole process. ctx lends its values to
// what the factories make, its end does not stop them: the last commit of a shutdown still writes metadata.
// restore puts iceberg-go's local access back and leaves the object stores unregistered.
func (s *Stores) Register(ctx context.Context) (restore func()) {
	base := context.WithoutCancel(ctx)
	localFactory := func(context.Context, *url.URL, map[string]string) (iceio.IO, error) {
		return localIO{store: s.local}, nil
	}
	replace("file", localFactory)
	replace("", localFactory)
	for _, name := range objectSchemes() {
		replace(name, func(ctx context.Context, u *url.URL, props map[string]string) (iceio.IO, error) {
			st, err := s.objects(name+"://"+u.Host, props, grantsOf(ctx))
			if err != nil {
				return nil, err
			}
			return &objectIO{s: st, base: base}, nil
		})
	}
	return func() {
		plain := func(context.Context, *url.URL, map[string]string) (iceio.IO, error) { return iceio.LocalFS{}, nil }
		replace("file", plain)
		replace("", plain)
		for _, name := range objectSchemes() {
			iceio.Unregister(name)
		}
	}
}

// objectSchemes are those of the locations that lie in an object store.
func objectSchemes() []string { return []string{"s3", "s3a", "abfss", "abfs", "wasbs", "wasb", "gs"} }

func replace(scheme string, factory iceio.SchemeFactory) {
	iceio.Unregister(scheme)
	iceio.Register(scheme, factory)
}

// IO is the file access that Register's factories hand out, for callers who hold no table: `verify` reads data
// files through it.
func (s *Stores) IO(ctx context.Context, location string, props map[string]string) (iceio.IO, error) {
	if isLocal(location) {
		return localIO{store: s.local}, nil
	}
	st, err := s.objects(location, props, grantsOf(ctx))
	if err != nil {
		return nil, err
	}
	return &objectIO{s: st, base: context.WithoutCancel(ctx)}, nil
}

func isLocal(location string) bool { return scheme(location) == "" || scheme(location) == "file" }
