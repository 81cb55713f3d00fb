package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ingestd/ingestd/internal/rungroup"
	"github.com/ingestd/ingestd/schemareg/regserver"
)

// The demo's topics.
const (
	clicksTopic = "shop.clicks"
	logsTopic   = "shop.logs"
)

const (
	clicksPartitions = 4
	logsPartitions   = 2
	// tables is how many tables the two topics become.
	tables        = 2
	loopback      = "127.0.0.1:0"
	headerTimeout = 10 * time.Second
)

// services are the broker and the registry of the demo, both in this process and on loopback ports.
type services struct {
	brokers  []string
	registry string
	// clicks is the registry's id of the clicks' schema.
	clicks uint32

	cluster *kfake.Cluster
	http    *http.Server
	group   *rungroup.Group
}

// startServices starts both. The broker keeps its topics below dir and finds them again at the next start, under the
// same topic and cluster ids; the registry gives the same schemas the same ids.
func startServices(ctx context.Context, dir string) (*services, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback)
	if err != nil {
		return nil, fmt.Errorf("opening a port for the registry: %w", err)
	}
	registry := regserver.New()
	schema, err := registry.Register(clicksTopic+"-value", "AVRO", clickSchema)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("registering the schema of the clicks: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("ingestd-demo"),
		kfake.SeedTopics(clicksPartitions, clicksTopic),
		kfake.SeedTopics(logsPartitions, logsTopic),
		kfake.DataDir(filepath.Join(dir, "broker")),
	)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	s := &services{
		brokers: cluster.ListenAddrs(), registry: "http://" + listener.Addr().String(), clicks: uint32(schema.ID),
		cluster: cluster, http: &http.Server{Handler: registry.Handler(), ReadHeaderTimeout: headerTimeout},
		// The services outlive the context: the daemon drains through them after it has ended.
		group: rungroup.New(context.WithoutCancel(ctx)),
	}
	s.group.Go(func(context.Context) error {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving the registry: %w", err)
		}
		return nil
	})
	return s, nil
}

// close ends both and leaves the broker's log in order.
func (s *services) close() error {
	s.cluster.Close()
	closed := s.http.Close()
	return errors.Join(closed, s.group.Wait())
}
