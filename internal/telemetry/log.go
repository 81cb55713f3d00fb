package telemetry

import (
	"strconv"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

// LogSink writes events as log lines. What repeats while an obstacle lasts is logged once per quietInterval, with the
// number of repetitions left out.
type LogSink struct {
	log   *zap.Logger
	quiet *limiter
}

// NewLogSink makes a sink that writes to log.
func NewLogSink(log *zap.Logger) *LogSink {
	return &LogSink{log: log, quiet: newLimiter()}
}

// Emit implements event.Sink.
func (s *LogSink) Emit(e event.Event) {
	switch e := e.(type) {
	case event.CommitDone:
		s.commit(e)
	case event.StateChanged:
		s.state(e)
	case event.TableCreated:
		s.log.Info("table created", zap.String("table", e.Table), zap.String("location", e.Location))
	case event.SchemaChanged:
		s.log.Info("columns added", zap.String("table", e.Table), zap.Strings("columns", e.Added))
	case event.Rewound:
		s.log.Warn("cursors set back to the table's state", zap.String("table", e.Table), zap.String("reason", e.Reason))
	case event.ControlObeyed:
		s.log.Warn("obeying an operator's decision", zap.String("table", e.Table), zap.String("verb", e.Verb),
			zap.String("by", e.By), zap.String("reason", e.Reason))
	case event.CommitRetried:
		s.repeated("commit retried", e.Table+"\x00"+e.Reason, e.At, append(problem(e.Err),
			zap.String("table", e.Table), zap.Int("attempt", e.Attempt), zap.String("reason", e.Reason)))
	case event.SourceTrouble:
		s.repeated("source in trouble", e.Source+"\x00"+e.Reason, e.At, append(problem(e.Err),
			zap.String("source", e.Source), zap.String("reason", e.Reason)))
	case event.Backpressure:
		if e.Paused > 0 {
			why := "partitions paused: more waits for them than the lanes have decoded"
			if e.Spent {
				why = "partitions paused: the memory budget is spent"
			}
			s.repeated(why, e.Source, e.At, []zap.Field{
				zap.String("source", e.Source), zap.Int("paused", e.Paused), zap.Int64("held_bytes", e.BytesHeld),
				zap.Int64("limit_bytes", e.BytesLimit), zap.String("largest", e.LargestHeld)})
		}
	case event.GroupOffsets:
		s.groupOffsets(e)
	case event.MaintenanceDone:
		s.maintained(e)
	case event.LagObserved, event.ConfigReloaded: // a metric; the command itself says what a reload did
	}
}

// maintained writes the line of a procedure: the audit of who has rewritten or deleted what.
func (s *LogSink) maintained(e event.MaintenanceDone) {
	fields := []zap.Field{
		zap.String("table", e.Table), zap.String("procedure", e.Procedure), zap.Int("files", e.Files), zap.Int("added_files", e.Added),
		zap.Int64("bytes", e.Bytes), zap.Duration("took", e.Took),
	}
	if e.Result == event.MaintenanceFailed {
		s.log.Warn("maintenance failed", append(fields, problem(e.Err)...)...)
		return
	}
	s.log.Info("maintained", fields...)
}

// groupOffsets writes what the consumer group says that the table does not.
func (s *LogSink) groupOffsets(e event.GroupOffsets) {
	fields := []zap.Field{
		zap.String("table", e.Table), zap.String("source", e.Source), zap.String("group", e.Group), zap.String("topic", e.Topic),
		zap.Int32("partition", e.Partition), zap.Int64("group_offset", e.Published), zap.Int64("table_offset", e.Stored),
	}
	if e.Ahead > 0 {
		s.log.Error("group offsets are above the table's: commits have left the table", append(fields, zap.Int("partitions", e.Ahead))...)
	}
	if e.Foreign > 0 {
		s.log.Warn("group offsets that somebody else has set are ignored: the table decides; `ingestd tables rewind` sets it back",
			append(fields, zap.Int("partitions", e.Foreign))...)
	}
}

// commit writes the line of a commit.
func (s *LogSink) commit(e event.CommitDone) {
	fields := []zap.Field{zap.String("table", e.Table)}
	switch e.Result {
	case event.CommitFenced:
		s.log.Warn("commit fenced: another writer holds these offsets, the batch is dropped and read again",
			append(fields, zap.Int64("records", e.Counts.Records()))...)
		return
	case event.CommitFailed:
		s.log.Error("commit failed", append(fields, zap.Int64("records", e.Counts.Records()), zap.Duration("took", e.Took))...)
		return
	case event.CommitLanded:
	}
	// Ids are strings: readers of JSON round numbers of this size.
	fields = append(fields, zap.String("snapshot_id", strconv.FormatInt(e.SnapshotID, 10)), zap.String("commit_id", e.CommitID))
	if e.Files == 0 {
		s.log.Info("progress committed", append(fields, zap.Int64("offsets", e.Counts.Offsets()), zap.Duration("took", e.Took))...)
		return
	}
	fields = append(fields, zap.Int64("rows", e.Rows), zap.Int("files", e.Files), zap.Int64("bytes", e.Bytes),
		zap.Duration("took", e.Took), zap.Duration("flushed", e.Flushed))
	if !e.Oldest.IsZero() {
		fields = append(fields, zap.Duration("lag", e.At.Sub(e.Oldest)))
	}
	if e.Counts.Offsets() != e.Counts[outcome.Written] {
		fields = append(fields, zap.Object("outcomes", counts(e.Counts)))
	}
	if e.Conflicts+e.Unknowns > 0 {
		fields = append(fields, zap.Int("conflicts", e.Conflicts), zap.Int("unknowns", e.Unknowns))
	}
	s.log.Info("committed", fields...)
}

// counts logs the outcomes that occurred, in their order.
type counts outcome.Counts

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c counts) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, o := range outcome.All() {
		if c[o] != 0 {
			enc.AddInt64(o.String(), c[o])
		}
	}
	return nil
}

// state writes the line of a change of state.
func (s *LogSink) state(e event.StateChanged) {
	var level zapcore.Level
	switch e.To {
	case event.Failed:
		level = zapcore.ErrorLevel
	case event.Degraded:
		level = zapcore.WarnLevel
	default:
		level = zapcore.InfoLevel
	}
	fields := []zap.Field{zap.String("table", e.Table), zap.String("from", string(e.From)), zap.String("to", string(e.To))}
	for _, f := range [][2]string{{"code", e.Code}, {"reason", e.Reason}, {"hint", e.Hint}} {
		if f[1] != "" {
			fields = append(fields, zap.String(f[0], f[1]))
		}
	}
	s.log.Log(level, "table is "+string(e.To), fields...)
}

// problem describes an error in the words of internal/failure.
func problem(err error) []zap.Field {
	if err == nil {
		return nil
	}
	fields := []zap.Field{zap.String("error", err.Error())}
	if code := failure.CodeOf(err); code != "" {
		fields = append(fields, zap.String("code", code))
	}
	if hint := failure.HintOf(err); hint != "" {
		fields = append(fields, zap.String("hint", hint))
	}
	return fields
}

// repeated writes a warning unless the same one was written a moment ago.
func (s *LogSink) repeated(message, key string, at time.Time, fields []zap.Field) {
	ok, left := s.quiet.allow(message+"\x00"+key, at)
	if !ok {
		return
	}
	if left > 0 {
		fields = append(fields, zap.Int("repeated", left))
	}
	s.log.Warn(message, fields...)
}
