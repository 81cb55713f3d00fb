package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
)

// The answers of a check.
const (
	statusOK   = "ok"
	statusWarn = "warn"
	statusFail = "fail"
)

// check is one question to the environment and its answer.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

func (c check) text() string {
	s := c.Detail
	if c.Code != "" {
		s += " [" + c.Code + "]"
	}
	if c.Hint != "" {
		s += " — " + c.Hint
	}
	return s
}

// checks asks one question after the other and collects the answers.
type checks struct {
	env  *environment
	list []check
	errs []error
}

// checkEnvironment asks everything the configuration names. The error is the one to exit with.
func checkEnvironment(ctx context.Context, c *config.Config) ([]check, error) {
	env, err := newEnvironment(c)
	if err != nil {
		return nil, err
	}
	defer env.close()
	k := &checks{env: env}
	for _, s := range sortedSources(env.options.Sources) {
		k.ask("kafka "+s.Name, func() (string, error) { return k.cluster(ctx, s) })
		k.topics(ctx, s.Name)
		if s.Registry != nil {
			k.registry(ctx, s.Name)
		}
	}
	k.ask("catalog", func() (string, error) { return k.catalog(ctx) })
	if env.lake == nil {
		k.tables(ctx)
	}
	k.engine(ctx)
	return k.list, worst(k.errs)
}

// ask notes the answer of one question.
func (k *checks) ask(name string, question func() (string, error)) (ok bool) {
	detail, err := question()
	if err != nil {
		k.errs = append(k.errs, err)
		k.list = append(k.list, check{Name: name, Status: statusFail, Detail: err.Error(), Code: failure.CodeOf(err), Hint: failure.HintOf(err)})
		return false
	}
	k.list = append(k.list, check{Name: name, Status: statusOK, Detail: detail})
	return true
}

func (k *checks) warn(name, detail, hint string) {
	k.list = append(k.list, check{Name: name, Status: statusWarn, Detail: detail, Hint: hint})
}

func (k *checks) cluster(ctx context.Context, s ingest.SourceOptions) (string, error) {
	client, err := k.env.kafka(ctx, s.Name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("cluster %s at %s", client.Cluster(), strings.Join(s.Kafka.Brokers, ",")), nil
}

// topics asks for the topics of every table of a source; nothing when the source does not answer.
func (k *checks) topics(ctx context.Context, source string) {
	for _, t := range k.env.options.Tables {
		if t.Source != source || k.env.clients[source].err != nil {
			continue
		}
		name := "topics of " + t.Name()
		topics, err := k.env.topics(ctx, t)
		if err == nil && len(topics) == 0 {
			k.warn(name, fmt.Sprintf("no topic matches %s", t.Pattern), "the table begins when one appears")
			continue
		}
		k.ask(name, func() (string, error) {
			partitions := 0
			for _, topic := range topics {
				partitions += int(topic.Partitions)
			}
			return fmt.Sprintf("%s: %s", strings.Join(topicNames(topics), ", "), count(partitions, "partition")), err
		})
	}
}

// registry asks for the newest schema of every topic that needs one.
func (k *checks) registry(ctx context.Context, source string) {
	name := "registry " + source
	var found []string
	var missing error
	for _, subject := range k.subjects(ctx, source) {
		_, err := k.env.source(source).Registry.Latest(ctx, subject)
		switch {
		case err == nil:
			found = append(found, subject)
		case failure.CodeOf(err) == schemareg.CodeNotFound:
			missing = err
		default:
			k.ask(name, func() (string, error) { return "", err })
			return
		}
	}
	if missing != nil {
		k.warn(name, missing.Error(), failure.HintOf(missing)+" (a new table without one takes its columns from the first record)")
		return
	}
	k.ask(name, func() (string, error) { return "answers; found " + orNothing(strings.Join(found, ", ")), nil })
}

// subjects are the usual subjects of the topics of a source's tables.
func (k *checks) subjects(ctx context.Context, source string) (out []string) {
	for _, t := range k.env.options.Tables {
		if t.Source != source {
			continue
		}
		list := t.Topics
		if t.Pattern != nil {
			// Without an answer there is another line that says so.
			topics, _ := k.env.topics(ctx, t)
			list = topicNames(topics)
		}
		for _, topic := range list {
			if t.Value.Format == ingest.FormatAvro {
				out = append(out, topic+"-"+schemareg.Value.String())
			}
			if t.Key.Format == ingest.FormatAvro {
				out = append(out, topic+"-"+schemareg.Key.String())
			}
		}
	}
	return out
}

func (k *checks) catalog(ctx context.Context) (string, error) {
	if err := k.env.openLake(ctx); err != nil {
		return "", err
	}
	c := k.env.config.Catalog
	switch c.Type {
	case config.CatalogSQLite:
		return "SQLite file " + c.Path, nil
	case config.CatalogPostgres:
		return "PostgreSQL at " + c.URI, nil
	case config.CatalogHive:
		return "Hive Metastore at " + c.URI, nil
	case config.CatalogREST:
	}
	return "REST catalog at " + c.URI, nil
}

// engine asks who is to rewrite data files, where that is not ingestd itself.
func (k *checks) engine(ctx context.Context) {
	m := k.env.config.Maintenance
	if m.Engine == config.EngineLocal {
		return
	}
	k.ask("maintenance "+string(m.Engine), func() (string, error) {
		other, err := outside(k.env.config, m.Engine)
		if err != nil {
			return "", err
		}
		return "answers, and knows the catalog", other.Ping(ctx)
	})
}

// tables loads every table and tries the storage each one is in, once per place.
func (k *checks) tables(ctx context.Context) {
	var places []string
	if isLocation(k.env.config.Catalog) {
		places = append(places, k.env.config.Catalog.Warehouse)
	}
	for i, t := range k.env.options.Tables {
		k.ask("table "+t.Name(), func() (string, error) {
			loaded, err := k.env.load(ctx, t)
			switch {
			case err != nil:
				return "", err
			case loaded.Exists():
				places = append(places, loaded.Location())
				return fmt.Sprintf("exists, %s", count(len(loaded.Metadata().Snapshots()), "snapshot")), nil
			case !k.env.config.Tables[i].AutoCreate:
				return "", failure.New(failure.Config, commit.CodeMissing, "create it, or set auto_create: true", "table %s does not exist", t.Name())
			}
			return k.newTable(ctx, t)
		})
	}
	for _, place := range distinctPlaces(places) {
		k.ask("storage "+place, func() (string, error) { return "one file written, read and deleted", k.probe(ctx, place) })
	}
}

// newTable looks for what would keep run from creating a table. Where its columns cannot be found out yet, the lines
// about the topics and the registry say why.
func (k *checks) newTable(ctx context.Context, t ingest.TableOptions) (string, error) {
	list, err := k.env.fillings(ctx, t)
	if err != nil {
		return "does not exist yet; run creates it when its columns are known", nil
	}
	return "does not exist yet; run creates it", checkNew(list, t.Create.Readers, t)
}

// isLocation says whether the warehouse is a place, and not the name that a REST catalog knows one by.
func isLocation(c config.Catalog) bool {
	return c.Type != config.CatalogREST || strings.Contains(c.Warehouse, "://")
}

// distinctPlaces leaves out the folders below others.
func distinctPlaces(locations []string) (out []string) {
	for _, location := range locations {
		place := strings.TrimPrefix(location, "file://")
		within := func(known string) bool {
			return place == known || strings.HasPrefix(place, strings.TrimSuffix(known, "/")+"/")
		}
		if !slices.ContainsFunc(out, within) {
			out = append(out, place)
		}
	}
	return out
}

// probe writes a small file, looks at it and deletes it.
func (k *checks) probe(ctx context.Context, place string) error {
	s, err := k.env.options.Stores.For(place)
	if err != nil {
		return err
	}
	path := strings.TrimSuffix(place, "/") + "/.ingestd-check-" + uuid.NewString()
	text := []byte("written by ingestd validate, which should have deleted it\n")
	err = s.Put(ctx, path, int64(len(text)), func(w io.Writer) error { _, err := w.Write(text); return err })
	if err != nil {
		return err
	}
	if _, err := s.Stat(ctx, path); err != nil {
		return err
	}
	return s.Delete(ctx, path)
}

// sortedSources puts the sources into the order of their names: they come out of a map.
func sortedSources(list []ingest.SourceOptions) []ingest.SourceOptions {
	return slices.SortedFunc(slices.Values(list), func(a, b ingest.SourceOptions) int { return strings.Compare(a.Name, b.Name) })
}
