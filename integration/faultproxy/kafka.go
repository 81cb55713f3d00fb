package faultproxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	maxFrame   = 128 << 20
	dialWithin = 5 * time.Second
	// lateAnswer is how long the answer to a late request is awaited, so that the broker does not see us go.
	lateAnswer = 5 * time.Second
)

// Kafka opens a proxy on listen in front of one broker. A broker tells clients the address to use, so it must
// advertise the proxy's.
func (i *Injector) Kafka(ctx context.Context, name, listen, upstream string) (*Proxy, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	group := rungroup.New(context.WithoutCancel(ctx))
	group.Go(func(ctx context.Context) error {
		for {
			client, err := listener.Accept()
			if err != nil {
				if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
					return nil
				}
				return err
			}
			group.Go(func(ctx context.Context) error {
				s := &session{name: name, in: i, group: group, client: client, pending: map[int32]verdict{}}
				s.run(ctx, upstream)
				return nil
			})
		}
	})
	return &Proxy{listener: listener, group: group, stop: listener.Close}, nil
}

// session is one connection of a client and its counterpart to the broker.
type session struct {
	name           string
	in             *Injector
	group          *rungroup.Group
	client, broker net.Conn

	mu      sync.Mutex
	pending map[int32]verdict // requests whose answers will break
}

func (s *session) run(ctx context.Context, upstream string) {
	defer s.client.Close()
	dialer := net.Dialer{Timeout: dialWithin}
	var err error
	if s.broker, err = dialer.DialContext(ctx, "tcp", upstream); err != nil {
		return // the client finds its connection closed, as it would with the broker gone
	}
	defer s.broker.Close()
	stop := context.AfterFunc(ctx, s.hangUp)
	defer stop()
	answers := rungroup.New(ctx)
	answers.Go(func(context.Context) error {
		defer s.hangUp()
		return s.answers()
	})
	s.requests(upstream)
	s.hangUp()
	_ = answers.Wait()
}

func (s *session) hangUp() {
	_ = s.client.Close()
	_ = s.broker.Close()
}

// requests passes frames to the broker until one breaks or the connection ends.
func (s *session) requests(upstream string) {
	for {
		frame, err := readFrame(s.client)
		if err != nil || len(frame) < 12 {
			return
		}
		key, id := int16(binary.BigEndian.Uint16(frame[4:])), int32(binary.BigEndian.Uint32(frame[8:]))
		v := s.in.decide(Call{Proxy: s.name, Op: kmsg.NameForKey(key)})
		switch v.fault {
		case None:
		case Before:
			return
		case Late:
			s.group.Go(func(ctx context.Context) error {
				late(ctx, upstream, frame, v.wait)
				return nil
			})
			return
		default:
			s.mu.Lock()
			s.pending[id] = v
			s.mu.Unlock()
		}
		if _, err := s.broker.Write(frame); err != nil {
			return
		}
	}
}

// late sends a request some time after its client was left alone, on a connection of its own.
func late(ctx context.Context, upstream string, frame []byte, wait time.Duration) {
	if !pause(ctx, wait) {
		return
	}
	dialer := net.Dialer{Timeout: dialWithin}
	broker, err := dialer.DialContext(ctx, "tcp", upstream)
	if err != nil {
		return
	}
	defer broker.Close()
	stop := context.AfterFunc(ctx, func() { _ = broker.Close() })
	defer stop()
	if _, err := broker.Write(frame); err == nil {
		_ = broker.SetReadDeadline(time.Now().Add(lateAnswer))
		_, _ = io.CopyN(io.Discard, broker, 4)
	}
}

// answers passes frames to the client until one has to break.
func (s *session) answers() error {
	for {
		frame, err := readFrame(s.broker)
		if err != nil {
			return err
		}
		s.mu.Lock()
		v := s.pending[int32(binary.BigEndian.Uint32(frame[4:]))]
		s.mu.Unlock()
		switch v.fault {
		case After:
			return errCut
		case Cut:
			_, _ = s.client.Write(frame[:int(v.part*float64(len(frame)))])
			return errCut
		default:
		}
		if _, err := s.client.Write(frame); err != nil {
			return err
		}
	}
}

// readFrame reads a length of four bytes and what it announces; it gives both.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes", n)
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}
