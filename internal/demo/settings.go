package demo

import (
	"context"
	_ "embed" // the configuration file
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed ingestd.yaml.tmpl
var settingsTemplate string

const (
	// commitInterval is short, so that something is to be seen soon.
	commitInterval = 2 * time.Second
	memoryLimit    = "512MiB"
	configFile     = "ingestd.yaml"
	catalogFile    = "catalog.db"
	warehouseDir   = "warehouse"
	// DefaultListen is where the admin listener is when nobody asks for another address and it is free.
	DefaultListen = "127.0.0.1:8282"
)

// settings is what varies between the configuration files of two demos.
type settings struct {
	Brokers            []string
	Registry           string
	Catalog, Warehouse string
	Interval           time.Duration
	Memory             string
	Listen             string
	Clicks, Logs       string
}

// writeSettings writes the configuration file below dir and gives its path.
func writeSettings(dir string, s *services, listen string) (string, error) {
	var text strings.Builder
	t, err := template.New(configFile).Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(settingsTemplate)
	if err != nil {
		return "", fmt.Errorf("reading the template of the configuration: %w", err)
	}
	err = t.Execute(&text, settings{
		Brokers: s.brokers, Registry: s.registry, Catalog: filepath.Join(dir, catalogFile), Warehouse: filepath.Join(dir, warehouseDir),
		Interval: commitInterval, Memory: memoryLimit, Listen: listen, Clicks: clicksTopic, Logs: logsTopic,
	})
	if err != nil {
		return "", fmt.Errorf("filling in the configuration: %w", err)
	}
	path := filepath.Join(dir, configFile)
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		return "", fmt.Errorf("writing the configuration: %w", err)
	}
	return path, nil
}

// prepareDir makes the folder of the demo and gives its absolute path; "" makes a temporary one, which is kept.
func prepareDir(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "ingestd-demo-")
		if err != nil {
			return "", fmt.Errorf("making a folder for the demo: %w", err)
		}
		return made, nil
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("making the folder of the demo: %w", err)
	}
	return dir, nil
}

// chooseListen gives the address of the admin listener with its port: the one asked for, the usual one, or, when that
// is taken, any other.
func chooseListen(ctx context.Context, asked string) (string, error) {
	candidates := []string{asked}
	if asked == "" {
		candidates = []string{DefaultListen, loopback}
	}
	var err error
	for _, address := range candidates {
		var l net.Listener
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", address); err == nil {
			chosen := l.Addr().String()
			return chosen, l.Close()
		}
	}
	return "", fmt.Errorf("opening the admin listener: %w", err)
}
