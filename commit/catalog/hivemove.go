package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/internal/failure"
)

// errUnsent marks errors from before the request that could change something.
var errUnsent = errors.New("nothing was changed")

func unsent(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errUnsent, err)
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// hiveName is a table's name as the Metastore keeps it.
type hiveName struct{ database, table string }

func hiveNamed(ident table.Identifier) hiveName {
	return hiveName{strings.ToLower(ident[0]), strings.ToLower(ident[1])}
}

// where implements pointers.
func (c *hiveCatalog) where(ctx context.Context, ident table.Identifier) (location string, err error) {
	if !plain(ident) {
		return "", nil
	}
	var t metastore.Struct
	err = c.statement("lookup", ident, func() error {
		return c.client.Do(ctx, func(conn *metastore.Conn) (err error) {
			t, err = conn.Table(ctx, hiveNamed(ident).database, hiveNamed(ident).table)
			return err
		})
	})
	if metastore.Is(err, metastore.NoSuchObject) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return standsAt(t)
}

// standsAt is the location of a table's metadata file.
func standsAt(t metastore.Struct) (string, error) {
	params := parameters(t)
	if !strings.EqualFold(params[paramTableType], icebergTable) || params[paramLocation] == "" {
		return "", failure.New(failure.Config, CodeRefused, "choose another name, or drop the table",
			"%s.%s is a table of Hive, not of Iceberg", t.Text(metastore.TableDatabase), t.Text(metastore.TableName))
	}
	return params[paramLocation], nil
}

// move implements pointers. The Metastore's lock keeps out writers that only lock, as Iceberg's Java library does unless
// it is told otherwise; what the Metastore compares keeps out everybody else, and those whose lock has run out.
func (c *hiveCatalog) move(ctx context.Context, ident table.Identifier, from string, next standing) error {
	if from == "" {
		return c.create(ctx, ident, next)
	}
	return c.client.Once(ctx, func(conn *metastore.Conn) error {
		if next.meta.Properties()[propLock] == "false" && conn.Proven {
			return c.alter(ctx, conn, ident, from, next)
		}
		lock, err := c.lock(ctx, conn, hiveNamed(ident))
		if err != nil {
			return unsent(err)
		}
		err = c.alter(ctx, conn, ident, from, next)
		if err == nil || c.settled(err) || c.over(ctx, ident, from) {
			c.unlock(ctx, conn, lock)
			return err
		}
		// The alteration may still be under way, and would overwrite one that takes the lock now and does not compare.
		c.locks.keep(lock)
		return err
	})
}

// over says that a table does not stand any more where an alteration expects it.
func (c *hiveCatalog) over(ctx context.Context, ident table.Identifier, from string) bool {
	stands, err := c.where(context.WithoutCancel(ctx), ident)
	return err == nil && stands != from
}

// create makes a table, if there is none.
func (c *hiveCatalog) create(ctx context.Context, ident table.Identifier, next standing) error {
	tables, _ := c.Catalog.(*hiveTables)
	t := tables.fresh(hiveNamed(ident), c.owner.User, next)
	err := c.client.Once(ctx, func(conn *metastore.Conn) error {
		return c.statement("swap", ident, func() error { return conn.CreateTable(ctx, t) })
	})
	switch {
	case metastore.Is(err, metastore.AlreadyExists):
		return fmt.Errorf("%w: %w: %w", table.ErrCommitFailed, catalog.ErrTableAlreadyExists, err)
	case metastore.Is(err, metastore.NoSuchObject):
		return fmt.Errorf("%w: %w", catalog.ErrNoSuchNamespace, err)
	}
	return err
}

// alter makes a table stand at the next file, if it stands where it was read.
func (c *hiveCatalog) alter(ctx context.Context, conn *metastore.Conn, ident table.Identifier, from string, next standing) error {
	name := hiveNamed(ident)
	t, err := conn.Table(ctx, name.database, name.table)
	if metastore.Is(err, metastore.NoSuchObject) {
		return fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
	}
	if err != nil {
		return unsent(err)
	}
	if stands, err := standsAt(t); err != nil || stands != from {
		return errors.Join(fmt.Errorf("%w: the table has moved on from %s", table.ErrCommitFailed, path.Base(from)), err)
	}
	if err := prove(ctx, conn, t); err != nil {
		return unsent(err)
	}
	old := standing{}
	if have := c.known.get(ident); have.location == from {
		old = have
	}
	changed := altered(t, old, next)
	err = c.statement("swap", ident, func() error { return conn.AlterTable(ctx, changed, expecting(from)) })
	if modified(err) {
		err = fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
	}
	return err
}

// expecting is the context of an alteration that the Metastore compares. It leaves the table's files alone.
func expecting(location string) map[string]string {
	return map[string]string{"expected_parameter_key": paramLocation, "expected_parameter_value": location, "DO_NOT_UPDATE_STATS": "true"}
}

// nowhere is where no table stands.
const nowhere = "ingestd:nowhere"

// prove makes sure that the server behind a connection compares: asked to write a table back as it is, expecting it
// somewhere else, it must refuse. One that does not look would do as it is told, which changes nothing under the lock.
func prove(ctx context.Context, conn *metastore.Conn, t metastore.Struct) error {
	if conn.Proven {
		return nil
	}
	err := conn.AlterTable(ctx, t, expecting(nowhere))
	if err == nil {
		return failure.New(failure.Config, CodeRefused, "upgrade the Metastore to 4.0.1 or later, or put an Iceberg REST catalog in front of it",
			"the Hive Metastore does not look at what a commit expects (HIVE-26882): a commit could be lost")
	}
	if !modified(err) {
		return err
	}
	conn.Proven = true
	return nil
}

// modified says that the Metastore has compared and found something else.
func modified(err error) bool {
	var e *metastore.Exception
	return errors.As(err, &e) && e.Kind == metastore.Meta && strings.Contains(e.Message, "has been modified")
}

// settled implements pointers. The Metastore tries again by itself when its database fails, and answers then that the
// table was modified, though it did that: so whoever asked looks.
func (c *hiveCatalog) settled(err error) bool {
	if errors.Is(err, table.ErrCommitFailed) || errors.Is(err, errUnsent) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return true
	}
	return metastore.Is(err, metastore.InvalidOperation) || metastore.Is(err, metastore.InvalidObject)
}
