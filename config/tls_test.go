package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writePair writes a self-signed certificate and its key.
func writePair(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	return cert, key
}

func TestClientConfig(t *testing.T) {
	cert, key := writePair(t, t.TempDir())
	block := &TLS{Enabled: true, CAFile: cert, CertFile: cert, KeyFile: key, ServerName: "kafka"}
	c, err := block.ClientConfig()
	require.NoError(t, err)
	require.Equal(t, uint16(tls.VersionTLS12), c.MinVersion)
	require.Equal(t, "kafka", c.ServerName)
	require.Len(t, c.Certificates, 1)
	require.NotNil(t, c.RootCAs)
	require.False(t, c.InsecureSkipVerify)

	c, err = (&TLS{Enabled: true}).ClientConfig()
	require.NoError(t, err)
	require.Nil(t, c.RootCAs, "the system's")
	for _, off := range []*TLS{nil, {CAFile: "unread"}} {
		c, err = off.ClientConfig()
		require.NoError(t, err)
		require.Nil(t, c)
	}
	_, err = (&TLS{Enabled: true, CertFile: cert, KeyFile: cert}).ClientConfig()
	require.ErrorContains(t, err, "reading cert_file: tls:")
}

// TestTLSFilesAreChecked loads a configuration whose certificates are sound.
func TestTLSFilesAreChecked(t *testing.T) {
	cert, key := writePair(t, t.TempDir())
	parseText(t, strings.Replace(minimal, `9092"]`, `9092"], tls: {ca_file: `+cert+`, cert_file: `+cert+`, key_file: `+key+`}`, 1))
}
