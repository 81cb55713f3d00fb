package main

import (
	"net/url"
	"strconv"

	"github.com/ingestd/ingestd/compaction/handover"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

// outside gives the engine of that name that rewrites data files instead of ingestd; nil is ingestd itself.
func outside(c *config.Config, name config.MaintenanceEngine) (handover.Engine, error) {
	m := c.Maintenance
	switch {
	case name == config.EngineLocal:
		return nil, nil
	case name == config.EngineTrino && m.Trino != nil:
		t := m.Trino
		encryption, err := tlsConfig(t.TLS)
		return handover.Trino{
			URI: t.URI, User: t.User, Password: t.Password.Reveal(), Token: t.Token.Reveal(), Catalog: t.Catalog, TLS: encryption,
		}, err
	case name == config.EngineSpark && m.Spark != nil:
		s := m.Spark
		encryption, err := tlsConfig(s.TLS)
		if err != nil {
			return nil, err
		}
		address, err := url.Parse(s.URI)
		if err != nil {
			return nil, err
		}
		port, err := strconv.Atoi(address.Port())
		if encryption != nil && encryption.ServerName == "" {
			encryption.ServerName = address.Hostname()
		}
		return handover.Spark{
			Host: address.Hostname(), Port: port, Catalog: s.Catalog, User: s.User, Password: s.Password.Reveal(), TLS: encryption,
		}, err
	case name == config.EngineTrino || name == config.EngineSpark:
		return nil, failure.New(failure.Config, "E_CONFIG", "add maintenance."+string(name)+": {uri: ..., catalog: ...}", "it is not known where %s is", name)
	}
	return nil, failure.New(failure.Config, "E_CONFIG", "known are: local, trino, spark", "there is no engine %q", name)
}
