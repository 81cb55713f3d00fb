package config

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"time"
)

// rules runs the package's checks over a decoded configuration. A block with decoding faults is left out: what
// it lacks is probably what could not be decoded.
type rules struct {
	*report
	c *Config
	// offline says that files and variables of the environment are not there.
	offline bool
}

// validate reports every broken rule, then lets the checks of other packages look at what is sound so far.
func validate(c *Config, r *report, opts Options) {
	v := rules{report: r, c: c, offline: opts.NoEnvironment}
	clean := !r.broken("")
	v.basics()
	for _, name := range sortedKeys(c.Sources) {
		if path := joinPath("sources", name); !r.broken(path) {
			v.source(name, c.Sources[name], path)
		}
	}
	if !r.broken("catalog") {
		v.catalog(c.Catalog)
	}
	if !r.broken("storage") && !r.broken("catalog") {
		v.storage(c.Storage)
	}
	v.tables()
	if clean {
		v.crossings()
	}
	if r.broken("") {
		return
	}
	for _, check := range opts.Checks {
		for _, f := range check(c) {
			r.add(f.Warning, v.written(f.Path), f.Hint, f.Message)
		}
	}
}

const (
	minCommitInterval = Duration(100 * time.Millisecond)
	minCommitBytes    = 1 * MiB
	minMemory         = 64 * MiB
	maxLanes          = 1024
)

// basics checks what belongs to the daemon as a whole.
func (v rules) basics() {
	c := v.c
	if reason := badName(c.Pipeline, "-."); v.set("pipeline") && !v.broken("pipeline") && reason != "" {
		v.fault("pipeline", "", "%s is no name for a pipeline: %s", quoteShort(c.Pipeline), reason)
	}
	if c.Lanes < 0 || c.Lanes > maxLanes {
		v.fault("lanes", "0 takes one for each CPU", "want a number from 0 to %d", maxLanes)
	}
	if c.Memory.Limit.Bytes != 0 && c.Memory.Limit.Bytes < minMemory {
		v.fault("memory.limit", "", "want at least %s", minMemory)
	}
	v.commit(c.Commit)
	v.maintenance(c)
	v.admin(c.Admin)
}

func (v rules) commit(c Commit) {
	if c.Interval < minCommitInterval {
		v.fault("commit.interval", "every commit is a snapshot and costs a catalog call", "want at least %s", minCommitInterval)
	}
	if c.MaxRows < 0 {
		v.fault("commit.max_rows", "0 sets no bound", "want a number that is not negative")
	}
	if c.MaxBytes < minCommitBytes {
		v.fault("commit.max_bytes", "smaller files slow every reader", "want at least %s", minCommitBytes)
	}
	if c.ProgressInterval < c.Interval {
		v.fault("commit.progress_interval", "", "want at least commit.interval (%s)", c.Interval)
	}
	if limit := v.c.Memory.Limit.Bytes; limit >= minMemory && v.set("commit.max_bytes") && c.MaxBytes >= limit {
		v.fault("commit.max_bytes", "", "has no effect: memory.limit (%s) is reached first", limit)
	}
}

// listenOff is the value of admin.listen that switches the listener off.
const listenOff = "off"

func (v rules) admin(a Admin) {
	const path, remote = "admin.listen", "admin.allow_remote"
	if a.Listen == listenOff {
		v.uselessIf(a.AllowMaintenance, "admin.allow_maintenance", "there is no listener")
		v.uselessIf(a.AllowRemote, remote, "there is no listener")
		return
	}
	host, port, err := net.SplitHostPort(a.Listen)
	if err != nil || !isPort(port, 0) {
		v.fault(path, "write 127.0.0.1:8282, or off", "%s is no address to listen on", quoteShort(a.Listen))
		return
	}
	if isLoopback(host) {
		v.uselessIf(a.AllowRemote, remote, "admin.listen is loopback")
	} else if !a.AllowRemote {
		v.fault(path, "listen on 127.0.0.1, or set admin.allow_remote: true behind a proxy that authenticates",
			"other machines could reach the listener, which has no authentication")
	}
}

func isPort(text string, least int) bool {
	n := 0
	for _, c := range []byte(text) {
		if c < '0' || c > '9' || n > 1<<16 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return text != "" && n >= least && n < 1<<16
}

// isLoopback reports whether a host is this machine. An empty host listens on all interfaces.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// httpAddress checks an address and returns it parsed, or nil after a fault.
func (v rules) httpAddress(path, address string) *url.URL {
	if v.unknown[path] {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		hint := ""
		if !strings.Contains(address, "://") {
			hint = "write http://" + address
		}
		v.fault(path, hint, "want an http or https address")
		return nil
	case u.User != nil:
		v.fault(path, "use the settings for user names, passwords and tokens", "an address must not hold credentials")
		return nil
	}
	return u
}

// remotePlain reports whether what is sent to the address can be read on a network.
func remotePlain(u *url.URL) bool { return u.Scheme == "http" && !isLoopback(u.Hostname()) }

// tls checks a TLS block; nil is none.
func (v rules) tls(path string, t *TLS) {
	switch {
	case t == nil:
		return
	case !t.Enabled:
		for _, key := range []string{"ca_file", "cert_file", "key_file", "server_name"} {
			v.useless(joinPath(path, key), "enabled is false")
		}
		return
	case (t.CertFile == "") != (t.KeyFile == ""):
		v.fault(path, "", "cert_file and key_file go together")
		return
	case v.offline:
		return
	}
	if _, err := t.ClientConfig(); err != nil {
		var named tlsError
		if errors.As(err, &named) {
			path = joinPath(path, named.setting)
		}
		v.fault(path, "", "%s", err.Error())
	}
}

// exactlyOne reports when not one of several settings is given, and returns whether it is one.
func (v rules) exactlyOne(path string, keys ...string) bool {
	var given []string
	for _, key := range keys {
		if v.given(joinPath(path, key)) {
			given = append(given, key)
		}
	}
	switch len(given) {
	case 1:
		return true
	case 0:
		v.fault(path, "", "one of %s is needed", strings.Join(keys, ", "))
	default:
		v.fault(joinPath(path, given[1]), "keep one of them", "%s cannot be combined", strings.Join(given, " and "))
	}
	return false
}

// uselessIf is useless for a switch that is on; one that is off says what holds anyway.
func (v rules) uselessIf(on bool, path, why string) {
	if on {
		v.useless(path, why)
	}
}

// given reports whether a setting stands in the file, a secret also by the name of its file.
func (v rules) given(path string) bool { return v.set(path) || v.set(path+secretFileSuffix) }

// uselessSecret is useless for a secret, which may be given as a file.
func (v rules) uselessSecret(path, why string) {
	v.useless(path, why)
	v.useless(path+secretFileSuffix, why)
}
