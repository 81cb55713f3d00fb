package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
)

// environment is what commands that look, but do not run the daemon, open: each thing when it is asked for, at most
// once, and a failed attempt is not repeated. One goroutine uses it.
type environment struct {
	config *config.Config
	// options are those of the daemon; catalog and stores are filled in when somebody needs them.
	options ingest.Options
	clients map[string]opened[*kafka.Client]
	lake    error
	hasLake bool
	release func()
}

// opened is the outcome of opening something.
type opened[T any] struct {
	value T
	err   error
}

func newEnvironment(c *config.Config) (*environment, error) {
	o, err := pipelineOptions(c)
	if err != nil {
		return nil, err
	}
	return &environment{config: c, options: o, clients: map[string]opened[*kafka.Client]{}, release: func() {}}, nil
}

// close ends every connection.
func (e *environment) close() {
	for _, c := range e.clients {
		if c.err == nil {
			c.value.Close()
		}
	}
	e.release()
}

// source gives the daemon's options of a source.
func (e *environment) source(name string) ingest.SourceOptions {
	for _, s := range e.options.Sources {
		if s.Name == name {
			return s
		}
	}
	return ingest.SourceOptions{}
}

// table gives the daemon's options of a table.
func (e *environment) table(name string) ingest.TableOptions {
	for _, t := range e.options.Tables {
		if t.Name() == name {
			return t
		}
	}
	return ingest.TableOptions{}
}

// kafka connects to a source.
func (e *environment) kafka(ctx context.Context, source string) (*kafka.Client, error) {
	c, ok := e.clients[source]
	if !ok {
		c.value, c.err = kafka.Connect(ctx, e.source(source).Kafka)
		e.clients[source] = c
	}
	return c.value, c.err
}

// registry gives a source's registry.
func (e *environment) registry(source string) (schemareg.Registry, error) {
	r := e.source(source).Registry
	if r == nil {
		return nil, failure.New(failure.Config, "E_REGISTRY_MISSING", "set registry.urls of the source", "source %s has no schema registry", source)
	}
	return r, nil
}

// topics asks for the topics of a table.
func (e *environment) topics(ctx context.Context, t ingest.TableOptions) ([]kafka.Topic, error) {
	client, err := e.kafka(ctx, t.Source)
	if err != nil {
		return nil, err
	}
	if t.Pattern != nil {
		return client.Matching(ctx, t.Pattern)
	}
	return client.Topics(ctx, t.Topics...)
}

// openLake opens file access and catalog.
func (e *environment) openLake(ctx context.Context) error {
	if !e.hasLake {
		e.hasLake = true
		if e.lake = openLake(ctx, e.config, &e.options); e.lake == nil {
			unregister := e.options.Stores.Register(ctx)
			e.release = func() {
				unregister()
				if c, ok := e.options.Catalog.(io.Closer); ok {
					_ = c.Close() // nothing was written through it
				}
			}
		}
	}
	return e.lake
}

// load looks at a table as its writer would, without taking part: nothing is written. A table that does not exist yet
// is no error.
func (e *environment) load(ctx context.Context, t ingest.TableOptions) (*commit.Table, error) {
	if err := e.openLake(ctx); err != nil {
		return nil, err
	}
	return commit.Open(ctx, e.options.Catalog, commit.Spec{
		Identifier: t.Identifier, Pipeline: e.options.Pipeline, Branch: t.Branch, MayCreate: true,
	}, commit.Env{})
}

// topicNames are the names of topics.
func topicNames(topics []kafka.Topic) []string {
	list := make([]string, len(topics))
	for i, t := range topics {
		list[i] = t.Name
	}
	return list
}

// worst picks the error whose exit code a command should end with: what only people can mend comes first, what may
// pass by itself last.
func worst(errs []error) error {
	var retry, other error
	for _, err := range errs {
		switch failure.ClassOf(err) {
		case failure.Config:
			return err
		case failure.Retry, failure.Unknown:
			retry = err
		default:
			other = err
		}
	}
	if other != nil {
		return other
	}
	return retry
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
