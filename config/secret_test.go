package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const hidden = "hunter2"

// TestSecretHidesItself tries every way a value leaves the process.
func TestSecretHidesItself(t *testing.T) {
	holder := struct {
		Password Secret            `yaml:"password"`
		Pointer  *Secret           `yaml:"pointer"`
		Map      map[string]Secret `yaml:"map"`
	}{Password: NewSecret(hidden), Map: map[string]Secret{"a": NewSecret(hidden)}}
	holder.Pointer = &holder.Password
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb, holder.Password)
		fmt.Fprintf(&out, verb, holder)
	}
	text, err := json.Marshal(holder)
	require.NoError(t, err)
	out.Write(text)
	text, err = yaml.Marshal(holder)
	require.NoError(t, err)
	out.Write(text)
	out.WriteString(throughZap(holder.Password, holder))
	var buffer bytes.Buffer
	slog.New(slog.NewJSONHandler(&buffer, nil)).Info("x", "secret", holder.Password, "holder", holder)
	out.Write(buffer.Bytes())
	require.NotContains(t, out.String(), hidden)
	require.Contains(t, out.String(), redacted)
	require.Equal(t, hidden, holder.Password.Reveal())
}

func throughZap(values ...any) string {
	var buffer bytes.Buffer
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&buffer), zap.DebugLevel)
	log := zap.New(core)
	for _, v := range values {
		log.Info("x", zap.Any("value", v), zap.Reflect("reflected", v))
		log.Sugar().Infow("x", "value", v)
		log.Sugar().Infof("%v %+v", v, v)
	}
	return buffer.String()
}

func TestUnsetSecretShowsNothing(t *testing.T) {
	var s Secret
	require.True(t, s.IsZero())
	require.Empty(t, s.String())
	require.Equal(t, "", fmt.Sprint(s))
}

func TestReadSecretFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, text := range []string{"hunter2", "hunter2\n", "hunter2\r\n"} {
		s, err := ReadSecretFile(write("secret", text))
		require.NoError(t, err)
		require.Equal(t, hidden, s.Reveal())
	}
	s, err := ReadSecretFile(write("spaces", " a b \n"))
	require.NoError(t, err)
	require.Equal(t, " a b ", s.Reveal(), "only the line break is dropped")

	_, err = ReadSecretFile(write("large", strings.Repeat("x", maxSecret+1)))
	require.EqualError(t, err, "the secret file has more than 65536 bytes")
	_, err = ReadSecretFile(dir)
	require.ErrorContains(t, err, "is a directory")
}

// TestLoadChecksThePermission writes the same file twice: a secret in it is refused only where others can read it.
func TestLoadChecksThePermission(t *testing.T) {
	text := strings.Replace(minimal, "brokers: [\"localhost:9092\"]",
		"brokers: [\"localhost:9092\"], tls: {}, sasl: {mechanism: PLAIN, username: me, password: hunter2}", 1)
	path := filepath.Join(t.TempDir(), "ingestd.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, _, err := Load(path, Options{LookupEnv: testEnv})
	require.NoError(t, err)
	require.Equal(t, hidden, c.Sources["main"].SASL.Password.Reveal())

	require.NoError(t, os.Chmod(path, 0o644))
	_, _, err = Load(path, Options{LookupEnv: testEnv})
	require.ErrorContains(t, err, "the secret stands in a file that everybody can read (mode 0644) — chmod 600 "+path)
	require.NotContains(t, err.Error(), hidden)
}
