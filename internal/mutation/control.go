package main

// controlMutations take out what makes an operator's decision safe: it is compared with what was seen, and obeyed.
func controlMutations() []mutation {
	return []mutation{
		{
			name: "control/seen", file: "commit/control.go", pkg: "./commit", test: "TestDecisionIsRefusedAfterAnotherRollback",
			old: "c.Seen != token {", text: "token == \"\" {",
			why: "nothing is decided about a situation that nobody has seen",
		},
		{
			name: "control/from", file: "commit/state/control.go", pkg: "./commit", test: "TestDecisionRacesWithACommit",
			old: "if stored.Position != m.From || stored.Closed && m.To != \"\" {", text: "if false {",
			why: "a commit that slips in before a decision makes it stale",
		},
		{
			name: "control/history", file: "commit/state/control.go", pkg: "./commit", test: "TestControlSimulation",
			old: "if stored.Position != m.From || stored.Closed && m.To != \"\" {", text: "if false {",
			why: "positions move from where they stand, in every history",
		},
		{
			name: "control/notes", file: "commit/control.go", pkg: "./commit", test: "TestDecisions",
			old: "\t\tdelete(notes, m.Key) // it describes what lies before another position\n", text: "\t\t_ = m\n",
			why: "what is known of the record before a position does not hold for another position",
		},
		{
			name: "control/books", file: "commit/ledger.go", pkg: "./commit", test: "TestLedgerFindsAFalseRecord",
			old: "if mustEncode(want) != mustEncode(cur.state) {", text: "if false {",
			why: "a decision does what its record says and nothing else",
		},
		{
			name: "control/obeyed", file: "ingest/obey.go", pkg: "./ingest", test: "TestRewindUnderARunningDaemon",
			old: "if o.table == nil || o.table.ControlMark() == o.known.mark {", text: "if true {",
			why: "a running daemon obeys",
		},
		{
			name: "control/resolved", file: "ingest/obey.go", pkg: "./ingest", test: "TestRolledBackTableIsResumed",
			old: "\t\tif t != nil {\n\t\t\to.again(t)", text: "\t\tif t != nil && false {\n\t\t\to.again(t)",
			why: "a halted daemon goes on by itself once its table has been decided about",
		},
		{
			name: "control/another", file: "ingest/obey.go", pkg: "./ingest", test: "TestDroppedTableWaitsForADecision",
			old: "same := o.known.table == uuid.UUID{} || o.known.table == t.Metadata().TableUUID()", text: "same := true",
			why: "nothing but a decision leads into another table of the same name",
		},
		{
			name: "control/named", file: "internal/verify/source.go", pkg: "./ingest", test: "TestBatchIsGivenUp",
			old: "\t\t\tif !p.givenUp(rec.Offset) {\n\t\t\t\tv.add(", text: "\t\t\tif true {\n\t\t\t\tv.add(",
			why: "what was given up is named, and everything else is still proven",
		},
	}
}
