package sim

import (
	"slices"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
)

// verdicts are what operators decide after a halt, by its code: what the hint names.
func verdicts() map[string]ingest.ControlRequest {
	return map[string]ingest.ControlRequest{
		"E_TABLE_ROLLED_BACK": {Verb: commit.Resume},
		"E_STATE_AMBIGUOUS":   {Verb: commit.Adopt, To: "stored"},
		"E_TABLE_REPLACED":    {Verb: commit.Adopt, To: "stored"},
		"E_STATE_LOST":        {Verb: commit.Adopt, To: "stored"},
		"E_TABLE_RECREATED":   {Verb: commit.Adopt, To: "earliest"},
		"E_TOPIC_RECREATED":   {Verb: commit.Adopt, To: "earliest"},
		"E_TOPIC_MISSING":     {Verb: commit.Adopt, To: "earliest"},
		"E_OFFSET_EXPIRED":    {Verb: commit.AcceptLoss},
		"E_LOG_TRUNCATED":     {Verb: commit.AcceptLoss},
	}
}

// answer resolves a halt: the decision goes through the table and halted daemons obey, or the process is restarted.
func (w *world) answer(p *process, name string, e event.StateChanged) {
	i := slices.IndexFunc(w.shape.tables, func(t tableShape) bool { return t.name == name })
	if req, ok := verdicts()[e.Code]; ok {
		req.Partition, req.By, req.Reason = -1, "operator", e.Code
		err := w.decide(w.shape.tables[i], req)
		w.log("operator", "%s %s after %s: %v", req.Verb, name, e.Code, err)
		if err == nil {
			w.hit("decision", string(req.Verb))
			return
		}
	}
	w.log("operator", "restarts %s after %s of %s", p.name, e.Code, name)
	p.pipeline.Drain()
}

// decide carries out what an operator asks for.
func (w *world) decide(t tableShape, req ingest.ControlRequest) error {
	g := newGate(w, "operator", func() {})
	g.calm = true
	cat, spec := w.lake.view(g, w.shape.staged), commit.Spec{Identifier: ident(t.name), Pipeline: "sim", Branch: "main"}
	situation, err := commit.Examine(w.ctx, cat, spec, commit.Env{})
	if err != nil {
		return err
	}
	client, err := kafka.Connect(w.ctx, kafka.Options{Brokers: w.broker.ListenAddrs(), Dial: w.plainDial})
	if err != nil {
		return err
	}
	defer client.Close()
	topics, err := client.Topics(w.ctx, t.topics...)
	if err != nil {
		return err
	}
	plan, err := ingest.PlanControl(w.ctx, req, ingest.ControlTarget{
		Table: w.tableOptions(t), Situation: situation, Topics: topics, Cluster: client.Cluster(), Broker: client,
	})
	if err != nil {
		return err
	}
	_, err = commit.Decide(w.ctx, cat, spec, commit.Env{}, plan.Control)
	return err
}
