package config

import (
	"net/url"
	"strings"
	"time"
)

const (
	// A look at a table reads its manifests; a rewrite holds a page of every column.
	minMaintenance       = Duration(time.Minute)
	minMaintenanceMemory = 64 * MiB
)

func (v rules) maintenance(c *Config) {
	m := c.Maintenance
	const off = "maintenance.enabled is not set"
	v.uselessIf(!m.Enabled && m.Interval != DefaultMaintenanceInterval, "maintenance.interval", off)
	v.uselessIf(!m.Enabled && m.MinInputFiles != DefaultMinInputFiles, "maintenance.min_input_files", off)
	v.uselessIf(!m.Enabled && m.BytesPerDay != 0, "maintenance.bytes_per_day", off)
	v.uselessIf(!m.Enabled && m.PauseBehind != DefaultPauseBehind, "maintenance.pause_behind", off)
	v.uselessIf(!m.Enabled && !c.Admin.AllowMaintenance && m.Memory != DefaultMaintenanceMemory, "maintenance.memory", off)
	v.uselessIf(!m.Enabled && len(m.Windows) > 0, "maintenance.windows", off)
	v.uselessIf(len(m.Windows) == 0 && m.TimeZone.String() != "UTC", "maintenance.time_zone", "there are no windows")
	v.every(m, off)
	if m.CPU < 0 || m.CPU > maxLanes {
		v.fault("maintenance.cpu", "0 takes all", "want a number from 0 to %d", maxLanes)
	}
	if m.Interval < minMaintenance {
		v.fault("maintenance.interval", "every look reads the tables' metadata", "want at least %s", minMaintenance)
	}
	if m.MinInputFiles < 2 {
		v.fault("maintenance.min_input_files", "", "want at least 2")
	}
	if m.PauseBehind <= 0 {
		v.fault("maintenance.pause_behind", "", "want a positive duration")
	}
	if m.Memory < minMaintenanceMemory {
		v.fault("maintenance.memory", "", "want at least %s", minMaintenanceMemory)
	}
	v.engine(m)
}

// every checks how often procedures are due: at most with each look.
func (v rules) every(m Maintenance, off string) {
	for _, p := range []struct {
		name string
		time Duration
	}{
		{"rewrite_manifests", m.Every.RewriteManifests}, {"expire_snapshots", m.Every.ExpireSnapshots}, {"remove_orphan_files", m.Every.RemoveOrphanFiles},
	} {
		path := "maintenance.every." + p.name
		v.uselessIf(!m.Enabled && p.time != 0, path, off)
		if p.time != 0 && p.time < m.Interval {
			v.fault(path, "0 is never", "want at least maintenance.interval (%s)", m.Interval)
		}
	}
}

// engine checks who rewrites. Addresses may stand there without being used: `maintain --engine` takes them.
func (v rules) engine(m Maintenance) {
	missing := m.Engine == EngineTrino && m.Trino == nil || m.Engine == EngineSpark && m.Spark == nil
	if missing && !v.broken(joinPath("maintenance", string(m.Engine))) {
		v.fault("maintenance.engine", "add maintenance."+string(m.Engine)+": {uri: ..., catalog: ...}", "it is not known where %s is", m.Engine)
	}
	for i, t := range v.c.Tables {
		if m.Enabled && m.Engine != EngineLocal && t.Maintenance.Enabled && t.Branch != DefaultBranch && !v.broken("tables") {
			v.fault(itemPath("tables", i)+".branch", "set maintenance: {enabled: false} in the table", "%s rewrites branch %s only", m.Engine, DefaultBranch)
		}
	}
	if m.Trino != nil {
		v.trino(*m.Trino, "maintenance.trino")
	}
	if m.Spark != nil {
		v.spark(*m.Spark, "maintenance.spark")
	}
}

func (v rules) trino(t Trino, path string) {
	v.tls(path+".tls", t.TLS)
	password, token := v.given(path+".password"), v.given(path+".token")
	if password && token {
		v.fault(path, "keep one of them", "a password and a token cannot be combined")
	}
	if !v.set(path + ".uri") {
		return
	}
	u := v.httpAddress(path+".uri", t.URI)
	if u == nil {
		return
	}
	encrypted := u.Scheme == "https"
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		v.fault(path+".uri", "catalog and user are settings of their own", "the address of a coordinator ends with its port")
	}
	if password && !encrypted {
		v.fault(path+".uri", "use an https address", "Trino takes passwords over https only")
	}
	if !encrypted {
		v.useless(path+".tls", "the address is not https")
	}
	v.plaintext(path, "uri", token && remotePlain(u), t.AllowPlaintext)
}

func (v rules) spark(s Spark, path string) {
	v.tls(path+".tls", s.TLS)
	if !v.set(path+".uri") || v.unknown[path+".uri"] {
		return
	}
	u, err := url.Parse(s.URI)
	if err != nil || u.Scheme != "thrift" || u.Hostname() == "" || !isPort(u.Port(), 1) || strings.Trim(u.Path, "/") != "" || u.User != nil {
		v.fault(path+".uri", "write thrift://host:10000; user and password are settings of their own", "want the address of a Spark Thrift server")
		return
	}
	encrypted := s.TLS != nil && s.TLS.Enabled
	revealing := v.given(path+".password") && !encrypted && !isLoopback(u.Hostname())
	if revealing && !s.AllowPlaintext {
		v.fault(path+".uri", "set tls: {}, or allow_plaintext: true", "the password would be sent in plain text")
	}
	v.uselessIf(s.AllowPlaintext && !revealing, path+".allow_plaintext", "no password is sent in plain text")
}
