//go:build integration

package integration

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The lines of the systemd unit do what systemd expects of them: readiness, the watchdog, reload, a polite stop, and
// an exit code that is not tried again for a wrong configuration.
func TestServiceUnit(t *testing.T) {
	topic := unique(t, "service")
	table := "it." + topic
	produce(t, produceDeadline, "-n", "1000", "-avro", topic)
	config := writeConfig(t, settings{Pipeline: topic, Interval: time.Second, Tables: []tableSettings{{Name: table, Topic: topic}}})
	unit := readUnit(t)
	require.Equal(t, []string{"notify"}, unit["Type"])
	require.Empty(t, unit["ExecStartPre"], "its exit code is not looked at by RestartPreventExitStatus")
	require.Equal(t, []string{"2 78"}, unit["RestartPreventExitStatus"])

	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(t.TempDir(), "n")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, socket.Close()) })
	require.Len(t, unit["ExecStart"], 1)
	cmd := unitCommand(t, unit["ExecStart"][0], config)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket.LocalAddr().String(), "WATCHDOG_USEC=600000")
	p := launch(t, cmd)
	notified(t, socket, "READY=1")
	awaitRows(t, time.Minute, table, 1000)
	notified(t, socket, "WATCHDOG=1")

	require.Len(t, unit["ExecReload"], 2)
	require.Zero(t, launch(t, unitCommand(t, unit["ExecReload"][0], config)).wait(time.Minute))
	require.Equal(t, "/bin/kill -HUP $MAINPID", unit["ExecReload"][1])
	p.signal(syscall.SIGHUP)
	eventually(t, time.Minute, "the reload is logged", func() bool { return len(p.logged("reloaded")) == 1 })
	p.signal(sigterm)
	notified(t, socket, "STOPPING=1")
	require.Zero(t, p.wait(drainDeadline))

	require.NoError(t, os.WriteFile(config, []byte("nonsense: true\n"), 0o600))
	require.Equal(t, 78, launch(t, unitCommand(t, unit["ExecStart"][0], config)).wait(time.Minute))
}

// readUnit gives the unit's settings.
func readUnit(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(env.root, "deploy", "systemd", "ingestd.service"))
	require.NoError(t, err)
	unit := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if found && !strings.HasPrefix(key, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	return unit
}

// unitCommand is a line of the unit with our binary and our configuration.
func unitCommand(t *testing.T, line, config string) *exec.Cmd {
	t.Helper()
	words := strings.Fields(line)
	require.Equal(t, "/usr/bin/ingestd", words[0])
	for i, w := range words {
		if w == "/etc/ingestd/ingestd.yaml" {
			words[i] = config
		}
	}
	return exec.Command(filepath.Join(env.bin, "ingestd"), words[1:]...)
}

// notified waits for a message to the service manager.
func notified(t *testing.T, socket *net.UnixConn, want string) {
	t.Helper()
	require.NoError(t, socket.SetReadDeadline(time.Now().Add(time.Minute)))
	buf := make([]byte, 4096)
	for {
		n, err := socket.Read(buf)
		require.NoError(t, err, "no %s", want)
		if string(buf[:n]) == want {
			return
		}
	}
}
