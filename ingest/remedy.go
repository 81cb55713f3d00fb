package ingest

import (
	"context"
	"strconv"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// Remedy is the command that resolves a halt, "" when none does: settings must change, or another release is needed.
// What has to be mended first stands in the runbook under the code.
func Remedy(code, table string) string {
	verb, rest := commit.Resume, ""
	switch code {
	case "", commit.CodeStateVersion, commit.CodeStateSize, commit.CodeConfigSuperseded, commit.CodeConfigEpoch, commit.CodeDropped, commit.CodeMissing, commit.CodeMetadataMissing:
		return ""
	case commit.CodeReplaced, commit.CodeStateAmbiguous, commit.CodeStateUnreadable, codeCluster:
		verb, rest = commit.Adopt, " --from stored"
	case commit.CodeStateLost, commit.CodeRecreated:
		verb, rest = commit.Adopt, " --from start"
	case codeRecreated:
		verb, rest = commit.Adopt, " --from earliest" // which a topic without an id does not go without
	case codeExpired, codeTruncated:
		verb = commit.AcceptLoss
	case "E_BATCH_TOO_LARGE":
		verb, rest = commit.AcceptLoss, " --batch"
	}
	return "ingestd tables " + string(verb) + " " + table + rest
}

// Diagnose says why a daemon would not go on with a table, nil when it would: its own history first, then what the
// cluster says of its topics. It sees less than a daemon does, which also reads records.
func Diagnose(ctx context.Context, on ControlTarget) error {
	if on.Situation.Halt != nil {
		return on.Situation.Halt
	}
	p := &planner{req: ControlRequest{Partition: -1}, table: on.Table, s: on.Situation, on: on}
	moved, err := p.successors()
	if err != nil {
		return err
	}
	for _, x := range moved {
		code, what := codeRecreated, "was deleted and created again"
		if x.elsewhere {
			code, what = codeCluster, "is in another cluster now"
		}
		return failure.New(failure.Halt, code, Remedy(code, p.s.Table), "topic %s %s", x.topic.Name, what)
	}
	if p.ends, err = on.Broker.Offsets(ctx, topicNamesOf(on.Topics)...); err != nil {
		return err
	}
	entries, err := p.entries()
	if err != nil {
		return nil //nolint:nilerr // nothing was begun yet
	}
	for _, e := range entries {
		if err := unreachable(p.s.Table, e); err != nil {
			return err
		}
	}
	if err := p.recognize(ctx, entries); err != nil {
		return err
	}
	for _, e := range entries {
		if e.cut != nil && e.topic.ID == ([16]byte{}) {
			return failure.New(failure.Halt, codeRecreated, Remedy(codeRecreated, p.s.Table), "%s/%d was created again or replaced: %s", e.id.Topic, e.id.Partition, e.cut)
		}
		if e.cut != nil {
			return failure.New(failure.Halt, codeTruncated, Remedy(codeTruncated, p.s.Table), "%s/%d was cut off and grew again: %s", e.id.Topic, e.id.Partition, e.cut)
		}
	}
	return nil
}

// unreachable says that the broker has not, or no longer, what comes next.
func unreachable(table string, e entry) error {
	where := e.id.Topic + "/" + strconv.Itoa(int(e.id.Partition))
	switch {
	case e.ends == kafka.Ends{}:
		return failure.New(failure.Halt, "E_TOPIC_MISSING", "restore the topic, or remove the table from the configuration", "%s does not exist", where)
	case e.at < e.ends.Start:
		return failure.New(failure.Halt, codeExpired, Remedy(codeExpired, table), "%s goes on at %d, the broker begins at %d", where, e.at, e.ends.Start)
	case e.at > e.ends.High:
		return failure.New(failure.Halt, codeTruncated, truncatedHint(table, e.topic), "%s goes on at %d, the broker ends at %d", where, e.at, e.ends.High)
	}
	return nil
}

// truncatedHint leaves open what only ids could tell: a topic without one may be another that is still shorter.
func truncatedHint(table string, t kafka.Topic) string {
	hint := "check the broker: its log lost records; then go on with what it has: " + Remedy(codeTruncated, table)
	if t.ID == ([16]byte{}) {
		hint += "; or, if the topic was created again: " + Remedy(codeRecreated, table)
	}
	return hint
}
