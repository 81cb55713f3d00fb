package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	icetable "github.com/apache/iceberg-go/table"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ingestd/ingestd/internal/event"
)

// acts are what operators, other engines and brokers do, by name.
func acts() map[string]func(*world, int) bool {
	return map[string]func(*world, int) bool{
		"expire":          (*world).expire,
		"rollback":        (*world).rollback,
		"drop":            (*world).drop,
		"foreign":         (*world).foreign,
		"append":          (*world).append,
		rewriteFiles:      (*world).compactFiles,
		"tag":             (*world).tag,
		"properties":      (*world).properties,
		"recreate_topic":  (*world).recreateTopic,
		"delete_records":  (*world).deleteRecords,
		"add_partition":   (*world).addPartition,
		"compact":         (*world).compact,
		"leaders":         (*world).leaders,
		"broker_error":    (*world).brokerError,
		"clock":           (*world).clock,
		"new_schema":      (*world).newSchema,
		"catalog_outage":  func(w *world, n int) bool { return w.away("catalog.", n) },
		"store_outage":    func(w *world, n int) bool { return w.away("store.put", n) },
		"registry_outage": func(w *world, n int) bool { return w.away("registry", n) },
		"broker_outage":   func(w *world, n int) bool { return w.away("kafka.", n) },
		"restart":         (*world).restart,
		"kill":            (*world).killOne,
		"freeze":          (*world).freezeOne,
	}
}

// rewriteFiles is the act of another engine's compaction.
const rewriteFiles = "rewrite_files"

// rare are the acts after which a table may stand still for good: most seeds have none of them.
func rare() []string { return []string{"recreate_topic", "delete_records", "drop", "rollback"} }

// drawActs makes the acts of a seed.
func drawActs(seed uint64) (out []Act) {
	r := rand.New(rand.NewPCG(seed, 3))
	var names []string
	for _, name := range slices.Sorted(maps.Keys(acts())) {
		if name == rewriteFiles {
			continue
		}
		if !slices.Contains(rare(), name) || r.IntN(3) == 0 {
			names = append(names, name)
		}
	}
	for range r.IntN(8) {
		out = append(out, Act{At: moment(r), Op: names[r.IntN(len(names))], Arg: r.IntN(1 << 16)})
	}
	// They came later, and have a source of their own: what a seed did before them it still does.
	r = rand.New(rand.NewPCG(seed, 5))
	for range max(0, r.IntN(6)-2) {
		out = append(out, Act{At: moment(r), Op: rewriteFiles, Arg: r.IntN(1 << 16)})
	}
	slices.SortFunc(out, func(a, b Act) int { return int(a.At - b.At) })
	return out
}

func moment(r *rand.Rand) time.Duration {
	return time.Duration(2000+r.IntN(int(active.Milliseconds())-5000)) * time.Millisecond
}

// operate carries the acts out.
func (w *world) operate(list []Act) {
	slices.SortStableFunc(list, func(a, b Act) int { return int(a.At - b.At) })
	for _, a := range list {
		if !w.wait(a.At - time.Since(w.began)) {
			return
		}
		w.log("operator", "%s %d", a.Op, a.Arg)
		if acts()[a.Op](w, a.Arg) {
			w.did(a.Op)
			w.hit("operator", a.Op)
		} else {
			w.log("operator", "%s: nothing to do", a.Op)
		}
	}
}

// pick chooses a table that exists.
func (w *world) pick(n int) (string, icetable.Metadata) {
	var there []string
	for _, t := range w.shape.tables {
		if w.lake.metadata(t.name) != nil {
			there = append(there, t.name)
		}
	}
	if len(there) == 0 {
		return "", nil
	}
	name := there[n%len(there)]
	return name, w.lake.metadata(name)
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// rewrite changes a table's metadata as an engine's commit would.
func (w *world) rewrite(name string, f func(map[string]any)) bool {
	if err := w.lake.Rewrite(f, ident(name)...); err != nil {
		w.fail("rewriting %s: %v", name, err)
		return false
	}
	return true
}

// rollback sets the branch to an ancestor of its head.
func (w *world) rollback(n int) bool {
	name, meta := w.pick(n)
	if meta == nil || w.shape.headsOnly {
		return false
	}
	s := meta.CurrentSnapshot()
	for range 1 + n%3 {
		if s == nil || s.ParentSnapshotID == nil {
			return false
		}
		s = meta.SnapshotByID(*s.ParentSnapshotID)
	}
	if s == nil {
		return false
	}
	head := meta.CurrentSnapshot().SnapshotID
	w.did("rollback")
	w.log("operator", "%s goes back from %d to %d", name, head, s.SnapshotID)
	w.engine.doubt(name)
	return w.setHead(name, s.SnapshotID)
}

func (w *world) setHead(name string, id int64) bool {
	return w.rewrite(name, func(m map[string]any) {
		m["current-snapshot-id"] = number(id)
		m["refs"].(map[string]any)["main"].(map[string]any)["snapshot-id"] = number(id)
	})
}

func (w *world) drop(n int) bool {
	name, meta := w.pick(n)
	w.did("drop")
	w.engine.doubt(name)
	return meta != nil && w.lake.DropTable(w.ctx, ident(name)) == nil
}

// foreign puts a snapshot of somebody else on top: the same files, rewritten in name only.
func (w *world) foreign(n int) bool {
	name, meta := w.pick(n)
	if meta == nil || meta.CurrentSnapshot() == nil {
		return false
	}
	head := meta.CurrentSnapshot()
	list, err := w.warehouse.get(head.ManifestList)
	if err != nil {
		w.fail("the head of %s: %v", name, err)
		return false
	}
	id := int64(n)<<20 + time.Since(w.began).Milliseconds()
	path := fmt.Sprintf("%s/metadata/snap-%d-foreign.avro", meta.Location(), id)
	w.warehouse.put(path, list)
	return w.rewrite(name, func(m map[string]any) {
		sequence := meta.LastSequenceNumber() + 1
		stamp := max(time.Now().UnixMilli(), meta.LastUpdatedMillis()+1)
		snapshots, _ := m["snapshots"].([]any)
		m["snapshots"] = append(snapshots, map[string]any{
			"snapshot-id": number(id), "parent-snapshot-id": number(head.SnapshotID), "sequence-number": number(sequence), "timestamp-ms": number(stamp),
			"manifest-list": path, "summary": map[string]any{"operation": "replace"}, "schema-id": m["current-schema-id"],
		})
		log, _ := m["snapshot-log"].([]any)
		m["snapshot-log"] = append(log, map[string]any{"snapshot-id": number(id), "timestamp-ms": number(stamp)})
		m["last-sequence-number"], m["last-updated-ms"], m["current-snapshot-id"] = number(sequence), number(stamp), number(id)
		m["refs"].(map[string]any)["main"].(map[string]any)["snapshot-id"] = number(id)
	})
}

func (w *world) tag(n int) bool {
	name, meta := w.pick(n)
	if meta == nil || len(meta.Snapshots()) == 0 {
		return false
	}
	id := meta.Snapshots()[n%len(meta.Snapshots())].SnapshotID
	return w.rewrite(name, func(m map[string]any) {
		m["refs"].(map[string]any)["v1"] = map[string]any{"type": "tag", "snapshot-id": number(id)}
	})
}

func (w *world) properties(n int) bool {
	name, meta := w.pick(n)
	return meta != nil && w.rewrite(name, func(m map[string]any) {
		m["properties"].(map[string]any)["owner"] = strconv.Itoa(n)
	})
}

// recreateTopic deletes a topic that tables have read and makes a new one of its name.
func (w *world) recreateTopic(n int) bool {
	t := w.shape.topics[n%len(w.shape.topics)]
	for _, table := range w.shape.tables {
		if slices.Contains(table.topics, t.name) && w.lake.metadata(table.name) == nil {
			return false
		}
	}
	w.did("recreate_topic")
	if err := w.broker.DeleteTopic(t.name); err != nil {
		w.fail("deleting topic %s: %v", t.name, err)
		return false
	}
	w.wait(time.Duration(n%3) * time.Second)
	w.topics.mu.Lock()
	t.partitions = w.topics.partitions[t.name]
	w.topics.mu.Unlock()
	return w.createTopic(t) == nil
}

func (w *world) deleteRecords(n int) bool {
	t := w.shape.topics[n%len(w.shape.topics)]
	info := w.broker.PartitionInfo(t.name, 0)
	if info == nil || info.HighWatermark == 0 {
		return false
	}
	w.did("delete_records")
	return w.broker.DeleteRecords(t.name, 0, 1+int64(n)%info.HighWatermark) == nil
}

func (w *world) addPartition(n int) bool {
	t := w.shape.topics[n%len(w.shape.topics)]
	cl, err := w.client()
	if err != nil {
		return false
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreatePartitions(w.ctx, 1, t.name); err != nil {
		return false
	}
	w.topics.mu.Lock()
	p := w.topics.partitions[t.name]
	w.topics.mu.Unlock()
	if t.compacted {
		fresh, err := w.client()
		if err != nil {
			return false
		}
		defer fresh.Close()
		w.topics.anchor(fresh, t, p)
	}
	w.topics.mu.Lock()
	defer w.topics.mu.Unlock()
	w.topics.partitions[t.name]++
	return true
}

func (w *world) compact(int) bool {
	w.broker.Compact()
	return w.shape.topics[2].compacted
}

func (w *world) leaders(int) bool {
	w.broker.ShufflePartitionLeaders()
	return w.shape.brokers > 1
}

// brokerError makes the next requests of a kind answer an error.
func (w *world) brokerError(n int) bool {
	kinds := []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.KafkaStorageError},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.UnknownLeaderEpoch},
		{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.LeaderNotAvailable},
		{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress},
		{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Group: "group"},
		{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, TopLevel: true},
		{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorNotAvailable, TopLevel: true},
		{Keys: []kmsg.Key{kmsg.SyncGroup}, Err: kerr.RebalanceInProgress, TopLevel: true},
	}
	f := kinds[n%len(kinds)]
	f.Count = 1 + n%7
	h := w.broker.Fault(f)
	w.later(10*time.Second, h.Remove)
	return true
}

// clock sets the clock of one process wrong, forwards or backwards.
func (w *world) clock(n int) bool {
	offsets := []time.Duration{10 * time.Minute, -10 * time.Minute, -time.Hour, 61 * time.Second, -61 * time.Second}
	for _, p := range w.running() {
		p.gate.skew(offsets[n%len(offsets)])
		return true
	}
	return false
}

func (w *world) newSchema(int) bool { return w.registry.evolve() > 0 && w.shape.topics[1].avro }

func (w *world) away(part string, n int) bool {
	w.outage(part, time.Duration(1+n%40)*time.Second)
	return true
}

func (w *world) running() (out []*process) {
	for _, s := range w.slots {
		out = append(out, s.processes()...)
	}
	slices.SortFunc(out, func(a, b *process) int { return strings.Compare(a.name, b.name) })
	return out
}

// one picks a process that is not frozen.
func (w *world) one(n int) *process {
	list := slices.DeleteFunc(w.running(), func(p *process) bool { return p.gate.isFrozen() })
	if len(list) == 0 {
		return nil
	}
	return list[n%len(list)]
}

func (w *world) restart(n int) bool {
	p := w.one(n)
	if p != nil {
		p.pipeline.Drain()
	}
	return p != nil
}

func (w *world) killOne(n int) bool {
	p := w.one(n)
	if p != nil {
		p.gate.die()
	}
	return p != nil
}

func (w *world) freezeOne(n int) bool {
	p := w.one(n)
	if p != nil {
		p.gate.freeze(time.Duration(1+n%60) * time.Second)
	}
	return p != nil
}

// accounts says whether something that happened explains a code.
func (w *world) accounts(code string) bool {
	switch code {
	case "E_TABLE_ROLLED_BACK":
		return w.happened("rollback")
	case "E_TABLE_DROPPED", "E_TABLE_RECREATED":
		return w.happened("drop")
	case "E_STATE_AMBIGUOUS":
		// A catalog that shows heads only hides, as expiry does, what lies between a foreign head and a tag on ours.
		return w.happened("expire", "rollback") || w.shape.headsOnly && w.happened("tag")
	case "E_TABLE_REPLACED", "E_STATE_LOST":
		return w.happened("expire", "rollback")
	case "E_TOPIC_RECREATED", "E_TOPIC_MISSING", "E_TOPIC_UNKNOWN":
		return w.happened("recreate_topic")
	case "E_OFFSET_EXPIRED", "E_LOG_TRUNCATED":
		return w.happened("delete_records", "recreate_topic")
	}
	return false
}

// halted answers a halt: after a while somebody looks, does what the hint says and restarts the process.
func (w *world) halted(p *process, e event.StateChanged) {
	w.hit("halt", e.Code)
	if e.Hint == "" {
		w.fail("%s halted with %s and no hint", e.Table, e.Code)
	}
	if !w.accounts(e.Code) {
		w.fail("nothing that happened accounts for %s halting with %s: %s", e.Table, e.Code, e.Reason)
	}
	name := strings.TrimPrefix(e.Table, namespace+".")
	w.later(5*time.Second, func() { w.answer(p, name, e) })
}
