package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	// maxBody bounds a request; the only bodies there are belong to mounted handlers.
	maxBody = 1 << 20
	// maxHeader bounds the headers of a request.
	maxHeader = 32 << 10
	// maxConnections bounds the clients at a time.
	maxConnections = 128

	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	// stopTimeout is how long running requests may take when the daemon stops.
	stopTimeout = 5 * time.Second
)

// Options describe the listener.
type Options struct {
	// Listen is host:port. Port 0 takes a free one.
	Listen string
	// AllowRemote permits an address that other machines can reach.
	AllowRemote bool
	Version     Version
	Status      Status
	// Maintenance starts procedures; nil refuses to.
	Maintenance Maintenance
	// Metrics serves /metrics; nil leaves the route out.
	Metrics http.Handler
	// Mounts are further handlers by the prefix of their paths ("/catalog"), which is taken off before they are asked.
	Mounts map[string]http.Handler
}

// Server is a bound listener.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen checks the options and binds the address. Nothing is served before Run.
func Listen(ctx context.Context, o Options) (*Server, error) {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, "E_ADMIN_LISTEN", "write host:port, as in 127.0.0.1:8282", "opening the admin listener")
	}
	if !o.AllowRemote && !isLoopback(host) {
		return nil, failure.New(failure.Config, "E_ADMIN_REMOTE",
			"listen on 127.0.0.1, or set admin.allow_remote: true behind a proxy that authenticates",
			"opening the admin listener: other machines could reach %s, and it has no authentication", o.Listen)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, "E_ADMIN_LISTEN", "set admin.listen to a free address, or off", "opening the admin listener")
	}
	return &Server{
		listener: newLimited(l, maxConnections),
		http: &http.Server{
			Handler:           Handler(o),
			ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			MaxHeaderBytes: maxHeader,
			// net/http would tell about every client that breaks off.
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		},
	}, nil
}

// Addr is the bound address.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, then lets running requests finish for a moment. It returns when everything has stopped.
func (s *Server) Run(ctx context.Context) error {
	group := rungroup.New(ctx)
	group.Go(func(context.Context) error {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return failure.Wrap(err, failure.Fatal, "E_ADMIN_SERVE", "", "serving the admin listener")
		}
		return nil
	})
	group.Go(func(ctx context.Context) error {
		<-ctx.Done()
		polite, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if s.http.Shutdown(polite) != nil {
			return s.http.Close()
		}
		return nil
	})
	return group.Wait()
}

// Close frees the address of a server that does not Run.
func (s *Server) Close() error { return s.listener.Close() }

// isLoopback says whether only this machine can reach host.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
