package telemetry

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/internal/failure"
)

// LogOptions describe the process's logger.
type LogOptions struct {
	// Level is the least severe level that is logged: debug, info, warn, error.
	Level string
	// Console writes lines for people instead of JSON.
	Console bool
	// Output takes whole lines, one call each; usually the standard error.
	Output io.Writer
}

// NewLogger makes a logger and the switch that changes its level while it is in use. Nothing is sampled or held back:
// a line is written when the call returns.
func NewLogger(o LogOptions) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(o.Level)
	if err != nil {
		return nil, level, failure.Wrap(err, failure.Config, "E_LOG_LEVEL", "use debug, info, warn or error", "setting up the log")
	}
	encoder := zapcore.NewJSONEncoder(encoding())
	if o.Console {
		c := encoding()
		c.EncodeLevel = zapcore.CapitalLevelEncoder
		c.EncodeDuration = zapcore.StringDurationEncoder
		encoder = zapcore.NewConsoleEncoder(c)
	}
	output := zapcore.Lock(zapcore.AddSync(o.Output))
	return zap.New(zapcore.NewCore(encoder, output, level)), level, nil
}

// encoding names the fields of a line. Durations are seconds, as in the metrics.
func encoding() zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", StacktraceKey: "stack",
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.SecondsDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
		LineEnding:     zapcore.DefaultLineEnding,
	}
}
