package metastore

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Bounds of one call. A call whose answer takes longer has an unknown outcome.
const (
	dialTime = 10 * time.Second
	callTime = 60 * time.Second
)

// Exception is an error that the Metastore itself has answered.
type Exception struct {
	// Kind is the exception's name: MetaException, NoSuchObjectException, ...
	Kind    string
	Message string
}

func (e *Exception) Error() string { return e.Kind + ": " + e.Message }

// Application is the kind of exceptions of the Thrift layer: a call that it does not know, or one that died.
const Application = "TApplicationException"

// Is says whether an error is an exception of a kind.
func Is(err error, kind string) bool {
	var e *Exception
	return errors.As(err, &e) && e.Kind == kind
}

// Conn is one connection. It is used by one caller at a time and is of no use after an error that is no Exception.
type Conn struct {
	// Proven is the caller's: what it has found out about the server behind this connection.
	Proven bool

	net    net.Conn
	r      *bufio.Reader
	seq    int32
	broken bool
}

// dial connects; secure may be nil.
func dial(ctx context.Context, address string, secure *tls.Config) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	d := &net.Dialer{KeepAlive: 30 * time.Second}
	var c net.Conn
	var err error
	if secure == nil {
		c, err = d.DialContext(ctx, "tcp", address)
	} else {
		c, err = (&tls.Dialer{NetDialer: d, Config: secure}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &Conn{net: c, r: bufio.NewReader(c)}, nil
}

// method is a call's name and the exceptions that its answer may have, by their fields.
type method struct {
	name   string
	throws []string
}

// call sends one call and waits for its answer. It ends with the context.
func (c *Conn) call(ctx context.Context, m method, args Struct) (any, error) {
	if c.broken {
		return nil, net.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = c.net.SetDeadline(past) })
	defer stop()
	c.seq++
	answer, err := c.exchange(Message{Kind: messageCall, Name: m.name, Seq: c.seq, Body: args})
	if err != nil {
		c.broken = true
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return nil, fmt.Errorf("calling %s: %w", m.name, err)
	}
	if answer.Kind == messageException {
		return nil, &Exception{Application, answer.Body.Text(1)}
	}
	for i, kind := range m.throws {
		if e, ok := answer.Body[int16(i+1)].(Struct); ok && kind != "" {
			return nil, &Exception{kind, e.Text(1)}
		}
	}
	return answer.Body[0], nil
}

func (c *Conn) exchange(m Message) (Message, error) {
	if _, err := c.net.Write(m.Append(nil)); err != nil {
		return Message{}, err
	}
	answer, err := ReadMessage(c.r)
	if err == nil && (answer.Seq != m.Seq || answer.Name != m.Name || answer.Kind != messageReply && answer.Kind != messageException) {
		err = fmt.Errorf("%w: an answer to %s, which was not asked", errMalformed, answer.Name)
	}
	return answer, err
}
