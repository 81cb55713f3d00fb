package metastoretest

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// Fault is what happens to one call.
type Fault int

// Faults. A connection with a lost call or answer is closed.
const (
	None Fault = iota
	LostCall
	LostAnswer
)

// Server is a Metastore.
type Server struct {
	// Version is what it says of itself, Blind that it does not compare. Both are set before the first call.
	Version string
	Blind   bool

	listener net.Listener
	mu       struct {
		sync.Mutex
		databases map[string]metastore.Struct
		tables    map[string]metastore.Struct
		locks     []lock
		last      int64
		calls     map[string]int
		fault     func(method string, args metastore.Struct) Fault
	}
}

// lock is one that was asked for; the first one of a table has it.
type lock struct {
	id           int64
	table, agent string
}

// New starts a Metastore that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{Version: "4.0.1", listener: l}
	s.mu.databases, s.mu.tables, s.mu.calls = map[string]metastore.Struct{}, map[string]metastore.Struct{}, map[string]int{}
	ctx, cancel := context.WithCancel(context.Background())
	g := rungroup.New(ctx)
	g.Go(func(ctx context.Context) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return nil
			}
			g.Go(func(ctx context.Context) error {
				stop := context.AfterFunc(ctx, func() { _ = c.Close() })
				defer stop()
				defer c.Close()
				return s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		require.NoError(t, errors.Join(l.Close(), g.Wait()))
	})
	return s
}

// URI is the server's address.
func (s *Server) URI() string { return "thrift://" + s.listener.Addr().String() }

// Fail asks f what happens to each call from now on; nil ends that.
func (s *Server) Fail(f func(method string, args metastore.Struct) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.fault = f
}

// Calls is how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.calls[method]
}

// Locks is how many locks are held or waited for.
func (s *Server) Locks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.locks)
}

// Table is a table as it is kept, nil if there is none.
func (s *Server) Table(database, name string) metastore.Struct {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.mu.tables[database+"."+name])
}

// Alter changes a table as somebody who asks nobody.
func (s *Server) Alter(t metastore.Struct) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.tables[t.Text(metastore.TableDatabase)+"."+t.Text(metastore.TableName)] = t
}

// Apply does what a call asks for, as if it arrived now.
func (s *Server) Apply(method string, args metastore.Struct) metastore.Struct {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer(method, args)
}

func (s *Server) serve(c net.Conn) error {
	r := bufio.NewReader(c)
	for {
		m, err := metastore.ReadMessage(r)
		if err != nil {
			return nil
		}
		answer, fault := s.take(m)
		if fault != None {
			return nil
		}
		if _, err := c.Write(metastore.Message{Kind: 2, Name: m.Name, Seq: m.Seq, Body: answer}.Append(nil)); err != nil {
			return nil
		}
	}
}

func (s *Server) take(m metastore.Message) (metastore.Struct, Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.calls[m.Name]++
	fault := None
	if s.mu.fault != nil {
		fault = s.mu.fault(m.Name, m.Body)
	}
	if fault == LostCall {
		return nil, fault
	}
	return s.answer(m.Name, m.Body), fault
}

// failed is an exception in its field.
func failed(field int16, message string) metastore.Struct {
	return metastore.Struct{field: metastore.Struct{1: message}}
}

func (s *Server) answer(method string, args metastore.Struct) metastore.Struct {
	inner := args.Inner(1)
	switch method {
	case "getVersion":
		return metastore.Struct{0: s.Version}
	case "get_database":
		if db, ok := s.mu.databases[args.Text(1)]; ok {
			return metastore.Struct{0: db}
		}
		return failed(1, "no such database")
	case "create_database":
		if _, ok := s.mu.databases[inner.Text(1)]; ok {
			return failed(1, "database exists")
		}
		s.mu.databases[inner.Text(1)] = inner
	case "get_table_req":
		if t, ok := s.mu.tables[inner.Text(1)+"."+inner.Text(2)]; ok {
			return metastore.Struct{0: metastore.Struct{1: t}}
		}
		return failed(2, "no such table")
	case "create_table":
		return s.create(inner)
	case "alter_table_with_environment_context":
		return s.alter(args)
	case "drop_table":
		delete(s.mu.tables, args.Text(1)+"."+args.Text(2))
	case "lock", "check_lock", "unlock", "show_locks":
		return s.lock(method, inner)
	default:
		return failed(1, "not served in this test: "+method)
	}
	return metastore.Struct{}
}

func (s *Server) create(t metastore.Struct) metastore.Struct {
	name := t.Text(metastore.TableDatabase) + "." + t.Text(metastore.TableName)
	if _, ok := s.mu.tables[name]; ok {
		return failed(1, "table exists")
	}
	if _, ok := s.mu.databases[t.Text(metastore.TableDatabase)]; !ok {
		return failed(4, "no such database")
	}
	s.mu.tables[name] = t
	return metastore.Struct{}
}

func (s *Server) alter(args metastore.Struct) metastore.Struct {
	name := args.Text(1) + "." + args.Text(2)
	t, ok := s.mu.tables[name]
	if !ok {
		return failed(1, "table doesn't exist")
	}
	env, _ := args.Inner(4)[1].(metastore.Map)
	params, _ := t[metastore.TableParameters].(metastore.Map)
	key := env.Strings()["expected_parameter_key"]
	if want := env.Strings()["expected_parameter_value"]; key != "" && !s.Blind && params.Strings()[key] != want {
		return failed(2, "The table has been modified. The parameter value for key '"+key+"' is '"+params.Strings()[key]+"'")
	}
	s.mu.tables[name] = args.Inner(3)
	return metastore.Struct{}
}

func (s *Server) lock(method string, args metastore.Struct) metastore.Struct {
	number, _ := args[1].(int64)
	switch method {
	case "lock":
		list, _ := args[1].(metastore.List)
		component, _ := list.Items[0].(metastore.Struct)
		s.mu.last++
		number = s.mu.last
		s.mu.locks = append(s.mu.locks, lock{number, component.Text(3) + "." + component.Text(4), args.Text(5)})
	case "unlock":
		s.mu.locks = slices.DeleteFunc(s.mu.locks, func(l lock) bool { return l.id == number })
		return metastore.Struct{}
	case "show_locks":
		var list []metastore.Struct
		for _, l := range s.mu.locks {
			if l.table == args.Text(1)+"."+args.Text(2) {
				list = append(list, metastore.Struct{1: l.id, 13: l.agent})
			}
		}
		return metastore.Struct{0: metastore.Struct{1: metastore.Structs(list...)}}
	}
	i := slices.IndexFunc(s.mu.locks, func(l lock) bool { return l.id == number })
	if i < 0 {
		return failed(3, "no such lock")
	}
	state := int32(metastore.LockAcquired)
	if first := slices.IndexFunc(s.mu.locks, func(l lock) bool { return l.table == s.mu.locks[i].table }); first != i {
		state = metastore.LockWaiting
	}
	return metastore.Struct{0: metastore.Struct{1: number, 2: state}}
}
