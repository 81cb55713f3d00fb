package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// ClientConfig builds the client side of a connection: TLS 1.2 or newer, host names always verified.
// It reads the files anew, so that renewed certificates take effect on the next call. Nil when t is nil or
// not enabled.
func (t *TLS) ClientConfig() (*tls.Config, error) {
	if t == nil || !t.Enabled {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, tlsError{"ca_file", cause(err)}
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, tlsError{"ca_file", errors.New("no certificate found in the file")}
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, tlsError{"cert_file", cause(err)}
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// tlsError names the setting whose file is at fault.
type tlsError struct {
	setting string
	err     error
}

func (e tlsError) Error() string { return fmt.Sprintf("reading %s: %v", e.setting, e.err) }
func (e tlsError) Unwrap() error { return e.err }
