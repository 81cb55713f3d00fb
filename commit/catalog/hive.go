package catalog

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/internal/failure"
)

// metastorePort is where a Metastore listens unless it is told otherwise.
const metastorePort = "9083"

// hiveCatalog is a Hive Metastore. A table of it points to a metadata file, and moves on by an alteration that names
// the file it was made on, which the Metastore compares (HIVE-26882) with one UPDATE in its database (HIVE-28121).
type hiveCatalog struct {
	filed
	client *metastore.Client
	owner  metastore.Owner
	locks  hiveLocks
	// statement wraps the look at a table and its alteration.
	statement func(name string, ident table.Identifier, do func() error) error
}

// hiveLocks are the locks whose end is not known.
type hiveLocks struct {
	mu struct {
		sync.Mutex
		tables map[string]hiveLock
	}
}

func openHive(ctx context.Context, o Options) (Catalog, error) {
	if o.Warehouse == "" {
		return nil, failure.New(failure.Config, CodeWarehouse, "set catalog.warehouse to a directory or URI that the Metastore can use as well", "a hive catalog needs a warehouse for its databases")
	}
	warehouse, err := warehouseURI(o.Warehouse)
	if err != nil {
		return nil, err
	}
	addresses, user, err := metastores(o.URI)
	if err != nil {
		return nil, err
	}
	props := o.properties()
	props["warehouse"] = warehouse
	c := &hiveCatalog{client: metastore.NewClient(addresses, o.TLS.Clone()), owner: metastore.Owner{User: user, Host: "ingestd"}, statement: o.Statement}
	if c.statement == nil {
		c.statement = func(_ string, _ table.Identifier, do func() error) error { return do() }
	}
	c.filed = filed{classified: classified{&hiveTables{c, props, o.Now}, classifyHive}, props: props, at: c, creates: true}
	if err := c.check(ctx); err != nil {
		return nil, errors.Join(classifyHiveOpen(err, "opening catalog "+redact(o.URI)), c.client.Close())
	}
	return c, nil
}

// metastores reads the address: thrift://user@host:port, and more of them after commas.
func metastores(uri string) (addresses []string, user string, err error) {
	user = "ingestd"
	for _, text := range strings.Split(uri, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Scheme != "thrift" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
			return nil, "", failure.New(failure.Config, CodeURI, "set catalog.uri to thrift://host:9083; HTTP, SASL and Kerberos are not served",
				"catalog address %q is none of a Hive Metastore", redact(text))
		}
		port := u.Port()
		if port == "" {
			port = metastorePort
		}
		addresses = append(addresses, net.JoinHostPort(u.Hostname(), port))
		if name := u.User.Username(); name != "" {
			user = name
		}
	}
	return addresses, user, nil
}

// check asks for the version: an older Metastore ignores what a commit expects, or compares without a lock of the row.
func (c *hiveCatalog) check(ctx context.Context) error {
	var version string
	err := c.client.Do(ctx, func(conn *metastore.Conn) (err error) {
		version, err = conn.Version(ctx)
		return err
	})
	if err == nil && !compares(version) {
		err = failure.New(failure.Config, CodeRefused, "upgrade the Metastore to 4.0.1 or later, or put an Iceberg REST catalog in front of it",
			"Hive Metastore %s cannot compare and set (HIVE-26882 with HIVE-28121): a commit could be lost", version)
	}
	return err
}

// compares says whether a version compares and sets: 4.0.1 and later, and 2.3 from 2.3.10 on.
func compares(version string) bool {
	var n [3]int
	for i, part := range strings.SplitN(version, ".", 3) {
		digits := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 0 {
			digits = len(part)
		}
		n[i], _ = strconv.Atoi(part[:digits])
	}
	switch {
	case n[0] == 2:
		return n[1] == 3 && n[2] >= 10 && n[2] < 100
	case n[0] == 4:
		return n[1] > 0 || n[2] >= 1
	}
	return n[0] > 4
}

// Capabilities implements commit.Capable. Superseded metadata files are left to the writer.
func (*hiveCatalog) Capabilities() commit.Capabilities {
	return commit.Capabilities{NullPin: true, Refs: true}
}

// Close implements Catalog.
func (c *hiveCatalog) Close() error { return c.client.Close() }

// StageTable implements commit.StagedCreator.
func (c *hiveCatalog) StageTable(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	return c.stage(ctx, ident, sc, opts...)
}

// classifyHive says how to react to an error of a Metastore.
func classifyHive(err error, doing string) error {
	if err == nil || passed(err) {
		return err
	}
	if f := classifyTLS(err, doing); f != nil {
		return f
	}
	var answer *metastore.Exception
	var network net.Error
	switch {
	case errors.As(err, &answer):
		return classifyException(err, answer, doing)
	case errors.As(err, &network), errors.Is(err, net.ErrClosed), errors.Is(err, errUnsent), isEnd(err):
		return failure.Wrap(err, failure.Retry, CodeUnreachable, "check catalog.uri and whether the Metastore runs", "%s", doing)
	}
	return notOurs(err, doing)
}

// classifyException does so for what the Metastore itself has answered.
func classifyException(err error, e *metastore.Exception, doing string) error {
	denied := strings.Contains(e.Message, "AccessControlException") || strings.Contains(e.Message, "Permission denied") || strings.Contains(e.Message, "not authorized")
	switch {
	case denied:
		return failure.Wrap(err, failure.Config, CodeForbidden, "grant the user in catalog.uri, and the Metastore itself, the right to do this", "%s", doing)
	case e.Kind == metastore.InvalidOperation && strings.Contains(e.Message, "incompatible with the existing columns"):
		return failure.Wrap(err, failure.Config, CodeRefused, "set metastore.disallow.incompatible.col.type.changes to false in the Metastore: what is compatible is Iceberg's to say", "%s", doing)
	case e.Kind == metastore.InvalidOperation, e.Kind == metastore.InvalidObject:
		return failure.Wrap(err, failure.Config, CodeRefused, "the Metastore does not accept this request; see its log", "%s", doing)
	case e.Kind == metastore.Application && strings.Contains(e.Message, "Invalid method name"):
		return failure.Wrap(err, failure.Config, CodeURI, "catalog.uri must be the address of a Hive Metastore, not of a HiveServer2", "%s", doing)
	}
	return failure.Wrap(err, failure.Retry, CodeUnreachable, "see the Metastore's log", "%s", doing)
}

// classifyHiveOpen says what is wrong with a Metastore that could not be opened.
func classifyHiveOpen(err error, doing string) error {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return failure.Wrap(err, failure.Config, CodeURI, "check the host in catalog.uri", "%s", doing)
	}
	if isEnd(err) {
		return failure.Wrap(err, failure.Retry, CodeUnreachable, "a Metastore with TLS wants catalog.tls; one with SASL, Kerberos or HTTP is not served", "%s", doing)
	}
	return classifyHive(err, doing)
}
