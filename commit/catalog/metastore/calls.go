package metastore

import (
	"context"
	"fmt"
)

// Kinds of exceptions.
const (
	Meta             = "MetaException"
	NoSuchObject     = "NoSuchObjectException"
	AlreadyExists    = "AlreadyExistsException"
	InvalidObject    = "InvalidObjectException"
	InvalidOperation = "InvalidOperationException"
	NoSuchLock       = "NoSuchLockException"
	noSuchTxn        = "NoSuchTxnException"
	txnAborted       = "TxnAbortedException"
	txnOpen          = "TxnOpenException"
)

// Fields of a database.
const (
	DatabaseName       = 1
	DatabaseComment    = 2
	DatabaseLocation   = 3
	DatabaseParameters = 4
)

// Fields of a table, its storage, its columns and its serializer.
const (
	TableName        = 1
	TableDatabase    = 2
	TableOwner       = 3
	TableCreated     = 4
	TableStorage     = 7
	TablePartitions  = 8
	TableParameters  = 9
	TableType        = 12
	StorageColumns   = 1
	StorageLocation  = 2
	StorageInput     = 3
	StorageOutput    = 4
	StorageSerde     = 7
	StorageParams    = 10
	ColumnName       = 1
	ColumnType       = 2
	ColumnComment    = 3
	SerdeLibrary     = 2
	SerdeParameters  = 3
	environmentProps = 1
)

// States of a lock.
const (
	LockAcquired = 1
	LockWaiting  = 2
)

// Version asks for the server's version.
func (c *Conn) Version(ctx context.Context) (string, error) {
	v, err := c.call(ctx, method{name: "getVersion"}, Struct{})
	text, _ := v.(string)
	return text, err
}

// Databases lists the databases' names.
func (c *Conn) Databases(ctx context.Context) ([]string, error) {
	v, err := c.call(ctx, method{"get_all_databases", []string{Meta}}, Struct{})
	return texts(v), err
}

// Database reads one.
func (c *Conn) Database(ctx context.Context, name string) (Struct, error) {
	v, err := c.call(ctx, method{"get_database", []string{NoSuchObject, Meta}}, Struct{1: name})
	return whole(v, err, "database")
}

// CreateDatabase makes one.
func (c *Conn) CreateDatabase(ctx context.Context, db Struct) error {
	_, err := c.call(ctx, method{"create_database", []string{AlreadyExists, InvalidObject, Meta}}, Struct{1: db})
	return err
}

// AlterDatabase changes one.
func (c *Conn) AlterDatabase(ctx context.Context, name string, db Struct) error {
	_, err := c.call(ctx, method{"alter_database", []string{Meta, NoSuchObject}}, Struct{1: name, 2: db})
	return err
}

// DropDatabase drops an empty one and leaves its files.
func (c *Conn) DropDatabase(ctx context.Context, name string) error {
	_, err := c.call(ctx, method{"drop_database", []string{NoSuchObject, InvalidOperation, Meta}}, Struct{1: name, 2: false, 3: false})
	return err
}

// Tables lists a database's tables.
func (c *Conn) Tables(ctx context.Context, database string) ([]string, error) {
	v, err := c.call(ctx, method{"get_all_tables", []string{Meta}}, Struct{1: database})
	return texts(v), err
}

// Table reads one.
func (c *Conn) Table(ctx context.Context, database, name string) (Struct, error) {
	v, err := c.call(ctx, method{"get_table_req", []string{Meta, NoSuchObject}}, Struct{1: Struct{1: database, 2: name}})
	answer, _ := v.(Struct)
	t, err := whole(answer[1], err, "table")
	return t, err
}

// CreateTable makes a table if there is none of its name.
func (c *Conn) CreateTable(ctx context.Context, t Struct) error {
	_, err := c.call(ctx, method{"create_table", []string{AlreadyExists, InvalidObject, Meta, NoSuchObject}}, Struct{1: t})
	return err
}

// AlterTable puts a table in the place of the one of the same name, in a context that the Metastore looks at.
func (c *Conn) AlterTable(ctx context.Context, t Struct, environment map[string]string) error {
	_, err := c.call(ctx, method{"alter_table_with_environment_context", []string{InvalidOperation, Meta}},
		Struct{1: t.Text(TableDatabase), 2: t.Text(TableName), 3: t, 4: Struct{environmentProps: Strings(environment)}})
	return err
}

// DropTable drops a table and leaves its files.
func (c *Conn) DropTable(ctx context.Context, database, name string) error {
	_, err := c.call(ctx, method{"drop_table", []string{NoSuchObject, Meta}}, Struct{1: database, 2: name, 3: false})
	return err
}

// Owner is who asks for a lock, as it is shown to people; Agent finds the lock again when the answer is lost.
type Owner struct{ User, Host, Agent string }

// Lock asks for the exclusive lock of a table.
func (c *Conn) Lock(ctx context.Context, database, name string, o Owner) (id int64, state int32, err error) {
	const exclusive, table = 3, 2
	component := Struct{1: int32(exclusive), 2: int32(table), 3: database, 4: name}
	v, err := c.call(ctx, method{"lock", []string{noSuchTxn, txnAborted}},
		Struct{1: Struct{1: Structs(component), 3: o.User, 4: o.Host, 5: o.Agent}})
	return lockOf(v, err)
}

// CheckLock asks what has become of a lock, and keeps it alive.
func (c *Conn) CheckLock(ctx context.Context, id int64) (state int32, err error) {
	v, err := c.call(ctx, method{"check_lock", []string{noSuchTxn, txnAborted, NoSuchLock}}, Struct{1: Struct{1: id}})
	_, state, err = lockOf(v, err)
	return state, err
}

// Unlock gives a lock back.
func (c *Conn) Unlock(ctx context.Context, id int64) error {
	_, err := c.call(ctx, method{"unlock", []string{NoSuchLock, txnOpen}}, Struct{1: Struct{1: id}})
	return err
}

// LocksOf lists the locks of a table that an agent has asked for.
func (c *Conn) LocksOf(ctx context.Context, database, name, agent string) (ids []int64, err error) {
	const lockID, agentInfo = 1, 13
	v, err := c.call(ctx, method{name: "show_locks"}, Struct{1: Struct{1: database, 2: name}})
	answer, _ := v.(Struct)
	for _, item := range value[List](answer, 1).Items {
		if l, ok := item.(Struct); ok && l.Text(agentInfo) == agent {
			ids = append(ids, value[int64](l, lockID))
		}
	}
	return ids, err
}

func lockOf(v any, err error) (int64, int32, error) {
	answer, err := whole(v, err, "lock")
	return value[int64](answer, 1), value[int32](answer, 2), err
}

// whole insists on an answer.
func whole(v any, err error, what string) (Struct, error) {
	s, ok := v.(Struct)
	if err == nil && !ok {
		err = fmt.Errorf("%w: an answer without a %s", errMalformed, what)
	}
	return s, err
}

func texts(v any) (out []string) {
	l, _ := v.(List)
	for _, item := range l.Items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
