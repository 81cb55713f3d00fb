package ingest

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/rawrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// decoder turns records into rows of one sink. It appends exactly one row to every column or takes everything back.
type decoder struct {
	set      *column.Set
	value    part
	key      part
	audit    *table.Audit
	policies Policies
	// nullable says that a null value is not a value to decode: it is ignored, or a row of nulls if there are nulls.
	nullable bool
	nulls    *rawrec.Nulls
}

// part decodes one half of a record into the columns it is responsible for.
type part interface {
	append(r *kgo.Record) error
}

// append decodes one record. A record that a stage refuses is skipped where the policy says so; otherwise the error
// is the caller's and the columns are as they were.
func (d *decoder) append(r *kgo.Record) (outcome.Outcome, error) {
	if r.Value == nil && d.nullable && d.nulls == nil {
		return outcome.Ignored, nil
	}
	before := d.set.Pending()
	err := d.row(r)
	if err == nil {
		return outcome.Written, nil
	}
	d.set.Truncate(before)
	if _, missing := asMissingSchema(err); !missing && d.policies.of(err) == Skip {
		return outcome.Skipped, nil
	}
	return 0, err
}

func (d *decoder) row(r *kgo.Record) error {
	if r.Value == nil && d.nulls != nil {
		d.nulls.Append()
	} else if err := d.value.append(r); err != nil {
		return err
	}
	if d.key != nil {
		if err := d.key.append(r); err != nil {
			return err
		}
	}
	if d.audit != nil {
		d.audit.Append(r.Topic, r.Partition, r.Offset, r.Timestamp.UnixMilli())
	}
	return nil
}

// of finds the policy of the stage that made an error. Only deterministic faults of a record are ever skipped.
func (p Policies) of(err error) Policy {
	switch stageOf(err) {
	case stageFrame:
		return p.Frame
	case stageRegistry:
		return p.Registry
	case stageConvert:
		return p.Convert
	case stageDecode:
		return p.Decode
	}
	return Fail
}

// atRecord names the record an error is about, and what leaves it out of the table.
func atRecord(table string, r *kgo.Record, err error) error {
	hint := failure.HintOf(err)
	if stageOf(err) != "" {
		hint = joinHints(hint, "set errors."+stageOf(err)+": skip for the table to count and leave out such records")
		hint = joinHints(hint, fmt.Sprintf("or leave this one out: ingestd tables accept-loss %s --topic %s --partition %d --to %d", table, r.Topic, r.Partition, r.Offset+1))
	}
	return failure.Wrap(err, failure.Halt, failure.CodeOf(err), hint, "record %s/%d offset %d", r.Topic, r.Partition, r.Offset)
}

// The stages a record passes, as the configuration names them.
const (
	stageFrame    = "frame"
	stageRegistry = "registry"
	stageDecode   = "decode"
	stageConvert  = "convert"
)

// stageOf names the stage that refused a record, "" for what is no fault of a record.
func stageOf(err error) string {
	switch failure.CodeOf(err) {
	case schemareg.CodeFrame:
		return stageFrame
	case avro.CodeInvalid, avro.CodeUnsupported, avro.CodeMismatch, codeIllegal, CodeColumnTwice, commit.CodeSchemaConflict:
		return stageRegistry
	case avro.CodeConvert:
		return stageConvert
	}
	if failure.ClassOf(err) == failure.Poison {
		return stageDecode
	}
	return ""
}

func joinHints(a, b string) string {
	if a == "" {
		return b
	}
	return fmt.Sprintf("%s; %s", a, b)
}
