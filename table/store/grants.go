package store

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// renewBefore is how long before their end credentials are renewed; those that live short, at half of their life.
	renewBefore = 5 * time.Minute
	// renewPause is the least time between two askings: a catalog that keeps its answers or gives none, or a clock that
	// is wrong, must not make every request ask.
	renewPause = 15 * time.Second

	keyS3Expiry   = "s3.session-token-expires-at-ms"
	keySASExpiry  = "adls.sas-token-expires-at-ms"
	keyGCSExpiry  = "gcs.oauth2.token-expires-at"
	keyAnyExpiry  = "expiration-time"
	schemeS3      = "s3://"
	schemeS3Alias = "s3a://"
)

// Grant is what a catalog hands out for the files below a prefix: credentials, and when they end.
type Grant struct {
	Prefix     string
	Properties map[string]string
}

// Grants are the credentials that a catalog vends for one table. Each file is reached with those of the longest
// prefix of its path, and they are renewed before they end. It may be used by several goroutines.
type Grants struct {
	renew func(context.Context) (map[string]string, []Grant, error)
	now   func() time.Time
	// asking is held by the one who asks the catalog.
	asking chan struct{}

	mu struct {
		sync.Mutex
		sets   []granted // the first has no prefix
		issued time.Time
		asked  time.Time // when somebody last asked
		denied bool      // that asking failed
	}
}

// granted is a grant over the properties of table and catalog.
type granted struct {
	prefix string
	props  map[string]string
	ends   time.Time // zero: never
}

// NewGrants makes Grants of a catalog's answer: the properties of the table with those of the catalog, and what was
// granted beside them. renew asks for a newer answer; nil: there is none.
func NewGrants(props map[string]string, list []Grant, renew func(context.Context) (map[string]string, []Grant, error), now func() time.Time) *Grants {
	g := &Grants{renew: renew, now: now, asking: make(chan struct{}, 1)}
	g.set(props, list)
	return g
}

func (g *Grants) set(props map[string]string, list []Grant) {
	sets := []granted{{props: props, ends: expiry(props)}}
	for _, l := range list {
		merged := laidOver(props, l.Properties)
		sets = append(sets, granted{prefix: plainScheme(l.Prefix), props: merged, ends: expiry(merged)})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.sets, g.mu.issued = sets, g.now()
}

// laidOver puts a grant over other properties. Keys go together: a pair that comes without a session token never
// meets another's, and an end belongs to the token it came with.
func laidOver(props, grant map[string]string) map[string]string {
	out := maps.Clone(props)
	if out == nil {
		out = map[string]string{}
	}
	families := [][]string{
		{iceio.S3AccessKeyID, iceio.S3SecretAccessKey, iceio.S3SessionToken, keyS3Expiry},
		{iceio.GCSOAuthToken, keyGCSExpiry},
	}
	for _, family := range families {
		for _, key := range family {
			if _, ok := grant[key]; ok {
				for _, other := range family {
					delete(out, other)
				}
				break
			}
		}
	}
	for key := range grant {
		if host, ok := strings.CutPrefix(key, iceio.ADLSSasTokenPrefix); ok {
			delete(out, keySASExpiry+"."+host)
		}
	}
	maps.Copy(out, grant)
	return out
}

// expiry is the earliest end that properties name, zero if they name none.
func expiry(props map[string]string) time.Time {
	var first time.Time
	for key, value := range props {
		switch {
		case key == keyS3Expiry, key == keyGCSExpiry, key == keyAnyExpiry, key == keySASExpiry, strings.HasPrefix(key, keySASExpiry+"."):
		default:
			continue
		}
		ms, err := strconv.ParseInt(value, 10, 64)
		if err != nil || ms <= 0 {
			continue
		}
		if at := time.UnixMilli(ms); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// Expires says whether properties name an end of the credentials in them.
func Expires(props map[string]string) bool { return !expiry(props).IsZero() }

// plainScheme makes the two names of S3 one, since a catalog may grant s3: and lay the table at s3a:.
func plainScheme(path string) string {
	if rest, ok := strings.CutPrefix(path, schemeS3Alias); ok {
		return schemeS3 + rest
	}
	return path
}

// match gives the set with the longest prefix of a path.
func match(sets []granted, path string) granted {
	path = plainScheme(path)
	best := sets[0]
	for _, s := range sets[1:] {
		if strings.HasPrefix(path, s.prefix) && len(s.prefix) >= len(best.prefix) {
			best = s
		}
	}
	return best
}

// prefix tells the grants of paths apart.
func (g *Grants) prefix(path string) string {
	if g == nil {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return match(g.mu.sets, path).prefix
}

// pick gives the set for a path, and whether it is time to renew it or too late to use it.
func (g *Grants) pick(path string) (set granted, due, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	set = match(g.mu.sets, path)
	now := g.now()
	if set.ends.IsZero() || g.renew == nil {
		return set, false, false
	}
	half := max(set.ends.Sub(g.mu.issued)/2, 0)
	due, over = !now.Before(set.ends.Add(-min(renewBefore, half))), !now.Before(set.ends)
	if pause := min(renewPause, half); half == 0 {
		due = due && (g.mu.asked.IsZero() || g.mu.denied || now.Sub(g.mu.asked) >= renewPause)
	} else if !over && now.Sub(g.mu.asked) < pause {
		due = false
	}
	return set, due, over
}

// properties gives what a path is reached with, renewed if its end is near. Credentials that still live are used on
// when the catalog does not answer; nobody waits for another's asking before they have ended.
func (g *Grants) properties(ctx context.Context, path string) (map[string]string, error) {
	set, due, over := g.pick(path)
	if !due {
		return set.props, nil
	}
	if over {
		select {
		case g.asking <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	} else {
		select {
		case g.asking <- struct{}{}:
		default:
			return set.props, nil
		}
	}
	defer func() { <-g.asking }()
	if set, due, over = g.pick(path); !due {
		return set.props, nil // somebody has just renewed them
	}
	props, list, err := g.renew(ctx)
	g.asked(err)
	if err != nil && over {
		return nil, failure.Wrap(err, failure.Retry, codeToken, "the catalog must hand out new credentials; see its log",
			"renewing the credentials of %s, which ended at %s", path, set.ends.UTC().Format(time.RFC3339))
	}
	if err != nil {
		return set.props, nil
	}
	g.set(props, list)
	set, _, _ = g.pick(path)
	return set.props, nil
}

func (g *Grants) asked(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.asked, g.mu.denied = g.now(), err != nil
}

type grantsKey struct{}

// WithGrants lets the factories that Register installs reach files with g instead of with the properties they get.
func WithGrants(ctx context.Context, g *Grants) context.Context {
	return context.WithValue(ctx, grantsKey{}, g)
}

func grantsOf(ctx context.Context) *Grants {
	g, _ := ctx.Value(grantsKey{}).(*Grants)
	return g
}
