package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

// This file translates the configuration into the options of the rooms. Nothing is decided here that a room could
// decide itself.

// pipelineOptions translates everything but what has to be opened first.
func pipelineOptions(c *config.Config) (ingest.Options, error) {
	o := ingest.Options{
		Pipeline: c.Pipeline,
		Writer:   uuid.NewString(),
		Lanes:    lanes(c),
		Trigger:  trigger(c),
	}
	for name, s := range c.Sources {
		so, err := sourceOptions(c, name, s)
		if err != nil {
			return o, err
		}
		o.Sources = append(o.Sources, so)
	}
	for _, t := range c.Tables {
		to, err := tableOptions(t)
		if err != nil {
			return o, err
		}
		o.Tables = append(o.Tables, to)
	}
	return o, nil
}

func trigger(c *config.Config) ingest.Trigger {
	return ingest.Trigger{
		Interval:         c.Commit.Interval.Std(),
		MaxRows:          c.Commit.MaxRows,
		MaxBytes:         int64(c.Commit.MaxBytes),
		ProgressInterval: c.Commit.ProgressInterval.Std(),
	}
}

// sourceOptions translates one source.
func sourceOptions(c *config.Config, name string, s config.Source) (ingest.SourceOptions, error) {
	k, err := kafkaOptions(s)
	if err != nil {
		return ingest.SourceOptions{}, fmt.Errorf("source %s: %w", name, err)
	}
	so := ingest.SourceOptions{
		Name:  name,
		Kafka: k,
		Fetch: kafka.Fetch{MaxBytes: fetchBytes(c, s), MaxBatchBytes: int32(s.Consumer.MaxBatchBytes)},
	}
	so.GroupID = s.Consumer.GroupID
	if s.Consumer.Mode == config.ConsumerGroup {
		so.Group = &ingest.GroupOptions{InstanceID: s.Consumer.InstanceID, SessionTimeout: s.Consumer.SessionTimeout.Std()}
	}
	if s.Registry != nil {
		if so.Registry, err = registryClient(*s.Registry); err != nil {
			return so, fmt.Errorf("source %s: %w", name, err)
		}
	}
	return so, nil
}

func kafkaOptions(s config.Source) (kafka.Options, error) {
	o := kafka.Options{Brokers: s.Brokers, ClientID: s.ClientID}
	var err error
	if o.TLS, err = tlsConfig(s.TLS); err != nil {
		return o, err
	}
	if s.SASL != nil {
		o.SASL = kafka.SASL{Mechanism: string(s.SASL.Mechanism), Username: s.SASL.Username, Password: s.SASL.Password.Reveal()}
		o.SASL.Token = tokenSource(*s.SASL)
	}
	return o, nil
}

func registryClient(r config.Registry) (*schemareg.Client, error) {
	t, err := tlsConfig(r.TLS)
	if err != nil {
		return nil, err
	}
	return schemareg.NewClient(schemareg.ClientOptions{
		URLs: r.URLs, Username: r.Username, Password: r.Password.Reveal(), Token: r.Token.Reveal(), TLS: t, NegativeTTL: r.NegativeTTL.Std(),
	})
}

// tlsConfig reads the files of a TLS block; nil means plain text.
func tlsConfig(t *config.TLS) (*tls.Config, error) {
	c, err := t.ClientConfig()
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, "E_TLS_FILE", "check the files of the tls block", "setting up TLS")
	}
	return c, nil
}

// storeOptions translates the storage block.
func storeOptions(c *config.Config) store.Options {
	var o store.Options
	if s := c.Storage.S3; s != nil {
		o.S3 = store.S3Options{
			Endpoint: s.Endpoint, Region: s.Region, AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey.Reveal(),
			SessionToken: s.SessionToken.Reveal(), PartSize: int64(s.PartSize),
		}
		if s.PathStyle {
			o.S3.PathStyle = &s.PathStyle
		}
		if e := s.Encryption; e != nil {
			o.S3.Encryption, o.S3.KMSKeyID, o.S3.CustomerKey = store.Encryption(e.Type), e.KMSKeyID, e.CustomerKey.Reveal()
		}
	}
	if a := c.Storage.Azure; a != nil {
		o.Azure = store.AzureOptions{
			Endpoint: a.Endpoint, AccountKey: a.AccountKey.Reveal(), SASToken: a.SASToken.Reveal(),
			TenantID: a.TenantID, ClientID: a.ClientID, ClientSecret: a.ClientSecret.Reveal(),
		}
	}
	if g := c.Storage.GCS; g != nil {
		o.GCS = store.GCSOptions{Endpoint: g.Endpoint, Credentials: g.Credentials.Reveal(), Anonymous: g.Anonymous}
	}
	o.Parts = uploadParts(c, cmp.Or(o.S3.PartSize, int64(config.DefaultPartSize)))
	return o
}

// tableOptions translates one table.
func tableOptions(t config.Table) (ingest.TableOptions, error) {
	o := ingest.TableOptions{
		Identifier: strings.Split(t.Name, "."),
		Source:     t.Source,
		Topics:     t.Topics,
		Branch:     t.Branch,
		AddColumns: t.AddColumns,
		Audit:      t.AuditColumns,
		Errors:     policies(t.Errors),
		Parquet:    parquetOptions(t.Parquet),
		Upkeep:     upkeep(t.History),
		Meaning:    t.MeaningHash(),
		Key:        ingest.KeyOptions{Prefix: t.Key.Prefix, Column: t.Key.Column},
		Value:      ingest.ValueOptions{NullRows: t.Value.Nulls == config.NullsRow},
	}
	if t.Start == config.StartLatest {
		o.Start = ingest.Latest
	}
	if t.TopicsRegex != "" {
		re, err := regexp.Compile("^(?:" + t.TopicsRegex + ")$")
		if err != nil {
			return o, failure.Wrap(err, failure.Config, "E_CONFIG", "correct topics_regex", "table %s", t.Name)
		}
		o.Pattern = re
	}
	if err := formats(&o, t); err != nil {
		return o, fmt.Errorf("table %s: %w", t.Name, err)
	}
	return o, creation(&o, t)
}

// upkeep translates the numbers of tags: none is spelled as a negative number there.
func upkeep(h config.History) commit.Upkeep {
	none := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return commit.Upkeep{Hourly: none(h.HourlyTags), Daily: none(h.DailyTags)}
}

func policies(e config.Errors) ingest.Policies {
	p := func(v config.ErrorPolicy) ingest.Policy {
		if v == config.PolicySkip {
			return ingest.Skip
		}
		return ingest.Fail
	}
	return ingest.Policies{Frame: p(e.Frame), Registry: p(e.Registry), Decode: p(e.Decode), Convert: p(e.Convert)}
}

func formats(o *ingest.TableOptions, t config.Table) (err error) {
	switch t.Value.Format {
	case config.ValueAvro:
		o.Value.Format = ingest.FormatAvro
	case config.ValueRaw:
		o.Value.Format = ingest.FormatRaw
	case config.ValueJSON:
		o.Value.Format = ingest.FormatJSON
		if o.Value.Schema, err = jsonSchema(t.Value.Schema, t.Value.UnknownFields, t.Value.InvalidText); err != nil {
			return err
		}
	}
	switch t.Key.Format {
	case config.KeyAvro:
		o.Key.Format = ingest.FormatAvro
	case config.KeyRaw:
		o.Key.Format = ingest.FormatRaw
	case config.KeyOff:
		o.Key.Format = ingest.FormatOff
	case config.KeyJSON:
		o.Key.Format = ingest.FormatJSON
		o.Key.Schema, err = jsonSchema(t.Key.Schema, config.UnknownRefuse, config.InvalidTextRefuse)
	}
	return err
}

func parquetOptions(p config.Parquet) parquet.Options {
	codec := map[config.Compression]parquet.Codec{
		config.CompressionZstd: parquet.Zstd, config.CompressionSnappy: parquet.Snappy, config.CompressionLZ4: parquet.LZ4,
		config.CompressionGzip: parquet.Gzip, config.CompressionNone: parquet.None,
	}
	o := parquet.Options{Codec: codec[p.Compression], Level: p.Level, PageRows: p.PageRows}
	if p.Encoding == config.EncodingDelta {
		o.Encoding = parquet.Delta
	}
	return o
}

// jsonSchema translates a declared schema.
func jsonSchema(fields []config.Field, unknown config.UnknownFields, text config.InvalidText) (*jsonrec.Schema, error) {
	c := jsonrec.Config{Unknown: jsonrec.Refuse}
	if unknown == config.UnknownRest {
		c.Unknown = jsonrec.Rest
	}
	if text == config.InvalidTextReplace {
		c.Text = jsonrec.ReplaceInvalid
	}
	for _, f := range fields {
		c.Fields = append(c.Fields, columnField(f, &c.Hints, []string{f.Name}))
	}
	return jsonrec.NewSchema(c)
}

func columnField(f config.Field, hints *[]jsonrec.Hint, path []string) column.Field {
	out := column.Field{Name: f.Name, Doc: f.Doc, Required: f.Required, Type: column.Type{
		Kind: kinds()[f.Type.Kind], Precision: f.Type.Precision, Scale: f.Type.Scale, Length: f.Type.Length,
	}}
	if f.From != "" || f.Unit != "" && f.Unit != config.UnitISO {
		*hints = append(*hints, jsonrec.Hint{Path: append([]string(nil), path...), From: f.From, Unit: units()[f.Unit]})
	}
	nest := func(m config.Field, name string) column.Field {
		m.Name = name
		return columnField(m, hints, append(append([]string(nil), path...), name))
	}
	for _, m := range f.Fields {
		out.Type.Fields = append(out.Type.Fields, nest(m, m.Name))
	}
	if f.Element != nil {
		out.Type.Fields = append(out.Type.Fields, nest(*f.Element, "element"))
	}
	if f.Key != nil && f.Value != nil {
		key := nest(*f.Key, "key")
		key.Required = true
		out.Type.Fields = append(out.Type.Fields, key, nest(*f.Value, "value"))
	}
	return out
}

func kinds() map[string]column.Kind {
	out := map[string]column.Kind{}
	for k := column.Boolean; k <= column.Map; k++ {
		out[k.String()] = k
	}
	return out
}

func units() map[config.Unit]jsonrec.Unit {
	return map[config.Unit]jsonrec.Unit{
		config.UnitISO: jsonrec.ISO, config.UnitSeconds: jsonrec.Seconds, config.UnitMillis: jsonrec.Millis,
		config.UnitMicros: jsonrec.Micros, config.UnitNanos: jsonrec.Nanos, config.UnitDays: jsonrec.Days,
	}
}

// choose is what a table may contain.
func choose(t config.Table) (table.Choice, error) {
	c, err := table.Choose(t.Readers)
	return c.At(t.FormatVersion), err
}

// creation translates what a new table gets; the readers decide format, encodings and types.
func creation(o *ingest.TableOptions, t config.Table) error {
	o.Create = ingest.CreateOptions{Auto: t.AutoCreate, Properties: t.Properties}
	for _, p := range t.PartitionBy {
		o.Create.PartitionBy = append(o.Create.PartitionBy, p.String())
	}
	for _, s := range t.SortBy {
		o.SortBy = append(o.SortBy, table.SortTerm(s))
	}
	choice, err := choose(t)
	if err != nil {
		return err
	}
	o.Create.Readers = choice
	if err := choice.CheckFormat(); err != nil {
		return err
	}
	if err := choice.CheckCodec(o.Parquet.Codec); err != nil {
		return err
	}
	return choice.CheckEncoding(o.Parquet.Encoding)
}

// openLake opens file access and catalog, and puts them into the options.
func openLake(ctx context.Context, c *config.Config, o *ingest.Options) error {
	stores, err := store.Open(storeOptions(c))
	if err != nil {
		return err
	}
	o.Stores = stores
	co, err := catalogOptions(c)
	if err != nil {
		return err
	}
	o.Catalog, err = catalog.Open(ctx, co)
	return err
}

func catalogOptions(c *config.Config) (catalog.Options, error) {
	k := c.Catalog
	o := catalog.Options{
		Type: catalog.Type(k.Type), Name: k.Name, URI: k.URI, Password: k.Password.Reveal(), Path: k.Path, Warehouse: k.Warehouse, Token: k.Token.Reveal(), Credential: k.Credential.Reveal(),
		OAuth2ServerURI: k.OAuth2ServerURI, Scope: k.Scope, Headers: map[string]string{},
	}
	for name, v := range k.Headers {
		o.Headers[name] = v.Reveal()
	}
	if k.SigV4 != nil {
		o.SigV4 = &catalog.SigV4{Region: k.SigV4.Region, Service: k.SigV4.Service}
	}
	var err error
	o.TLS, err = tlsConfig(k.TLS)
	return o, err
}

func tableNames(c *config.Config) []string {
	names := make([]string, len(c.Tables))
	for i, t := range c.Tables {
		names[i] = t.Name
	}
	return names
}

func sourceNames(c *config.Config) []string { return slices.Sorted(maps.Keys(c.Sources)) }
