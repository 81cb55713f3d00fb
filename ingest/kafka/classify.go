package kafka

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
)

// Classify says once what an error of the broker or the network means; op is the gerund clause for people.
func Classify(err error, op string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	// An error that was classified on the way keeps its class.
	if failure.CodeOf(err) != "" {
		return err
	}
	for _, k := range known {
		if k.match(err) {
			return failure.Wrap(err, k.class, k.code, k.hint, "%s", op)
		}
	}
	if kerr.IsRetriable(err) {
		return failure.Wrap(err, failure.Retry, "E_KAFKA_UNAVAILABLE", "", "%s", op)
	}
	return failure.Wrap(err, failure.Fatal, "E_KAFKA", "", "%s", op)
}

type meaning struct {
	match      func(error) bool
	class      failure.Class
	code, hint string
}

func is(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

// known lists the errors with an answer of their own; the first match wins, so the narrow ones stand first.
var known = []meaning{
	{is(kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState), failure.Config, "E_KAFKA_AUTH",
		"check sasl.mechanism, sasl.username and sasl.password of the source"},
	// What the client guesses about a connection that closed early names SASL or TLS; Connect has ruled both out.
	{is(io.EOF, io.ErrUnexpectedEOF), failure.Retry, "E_KAFKA_UNREACHABLE", "check `brokers` of the source, and that the broker is running"},
	{isSASLText, failure.Config, "E_KAFKA_AUTH", "check sasl.mechanism, sasl.username and sasl.password of the source"},
	{is(kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed), failure.Config, "E_KAFKA_ACL",
		"grant READ and DESCRIBE on the topic and READ on the group to this user"},
	{is(kerr.UnknownTopicOrPartition, kerr.UnknownTopicID), failure.Config, "E_TOPIC_UNKNOWN",
		"create the topic or correct `topics` of the table"},
	{isTLS, failure.Config, "E_KAFKA_TLS", "check tls.ca_file and tls.server_name of the source, and that the port speaks TLS"},
	{isNetwork, failure.Retry, "E_KAFKA_UNREACHABLE", "check `brokers` of the source, and that the broker is running"},
}

func isSASLText(err error) bool {
	s := err.Error()
	return strings.Contains(s, "SASL") || strings.Contains(s, "sasl")
}

func isTLS(err error) bool {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) ||
		strings.Contains(err.Error(), "tls:")
}

func isNetwork(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) || errors.As(err, &dns) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, kgo.ErrClientClosed) || kgo.IsRetryableBrokerErr(err) || strings.Contains(err.Error(), "unable to dial")
}

// IsTooLarge says that a batch exceeds what the client may hold, as it is or decompressed.
func IsTooLarge(err error) bool {
	// The client does not export the error of an answer that is larger than it may read.
	return err != nil && (errors.Is(err, kgo.ErrMaxDecompress) || strings.Contains(err.Error(), "exceeds BrokerMaxReadBytes"))
}

// TooLarge is the failure of a batch that exceeds what the client may hold.
func TooLarge(err error, p Partition, f Fetch) error {
	const hint = "raise consumer.max_batch_bytes of the source, and memory.limit with it, and restart; " +
		"or leave the batch out: ingestd tables accept-loss TABLE"
	var large *kgo.ErrDecompressTooLarge
	if errors.As(err, &large) {
		return failure.New(failure.Halt, "E_BATCH_TOO_LARGE", hint, "reading %s/%d: the batch of offsets %d to %d is larger, decompressed, than the %d bytes that a batch may have",
			p.Topic, p.Partition, large.Offset, large.NextOffset-1, f.WithDefaults().MaxBatchBytes)
	}
	return failure.Wrap(err, failure.Halt, "E_BATCH_TOO_LARGE", hint, "reading %s/%d: the next batch is larger than the %d bytes that may be read at once",
		p.Topic, p.Partition, f.WithDefaults().readable())
}

// BatchEnd is the offset behind a batch that was too large to be decompressed, if the error is about one.
func BatchEnd(err error) (int64, bool) {
	var large *kgo.ErrDecompressTooLarge
	ok := errors.As(err, &large)
	if !ok {
		return 0, false
	}
	return large.NextOffset, true
}

// ClassifyFetch says what an error of a fetch means for the tables that read the partition.
func ClassifyFetch(err error, p Partition) error {
	where := fmt.Sprintf("reading %s/%d", p.Topic, p.Partition)
	var loss *kgo.ErrDataLoss
	switch {
	case errors.As(err, &loss):
		return failure.Wrap(err, failure.Halt, "E_LOG_TRUNCATED",
			"the broker lost records that were read before; check the broker, then: ingestd tables accept-loss TABLE", "%s", where)
	case errors.Is(err, kerr.OffsetOutOfRange):
		return failure.Wrap(err, failure.Halt, "E_OFFSET_EXPIRED",
			"the broker no longer has the offset the table wants; to go on where it begins: ingestd tables accept-loss TABLE", "%s", where)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.InconsistentTopicID):
		return failure.Wrap(err, failure.Halt, "E_TOPIC_MISSING", "the topic was deleted; remove the table from the configuration or restore the topic", "%s", where)
	case errors.Is(err, kerr.CorruptMessage):
		return failure.Wrap(err, failure.Retry, "E_KAFKA_CORRUPT", "", "%s", where)
	}
	return Classify(err, where)
}
