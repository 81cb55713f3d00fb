package main

// handoverMutations take out what makes it safe to let another engine rewrite a table.
func handoverMutations() []mutation {
	const pkg = "./compaction/handover"
	return []mutation{
		{
			name: "handover/rows", file: "compaction/handover/check.go", pkg: pkg, test: "TestCheck",
			old: "if added > deleted || added < least {", text: "if added > deleted && added < least {",
			why: "a rewrite by another engine keeps the rows",
		},
		{
			name: "handover/history", file: "compaction/handover/check.go", pkg: pkg, test: "TestCheck",
			old: "after.SnapshotByID(from.SnapshotID) == nil && s.SequenceNumber", text: "s.SequenceNumber",
			why: "what another engine has rewritten is what it was given",
		},
		{
			name: "compaction/handed-rows", file: "compaction/outside.go", pkg: "./compaction", test: "TestHandOverChecks",
			old: "if failure.ClassOf(checked) == failure.Halt {", text: "if false {",
			why: "a rewrite by another engine that lost rows is told",
		},
		{
			name: "compaction/where-outside", file: "compaction/outside.go", pkg: "./compaction", test: "TestWhereBoundsOthers",
			old: `if r.Where != "" && !request.Bounded() {`, text: "if false {",
			why: "another engine is never given more than a condition selects",
		},
		{
			name: "compaction/where-null", file: "compaction/select.go", pkg: "./compaction", test: "TestWhereSelects",
			old: `if c.op == "null" || c.op == "not null" {`, text: "if true {",
			why: "a comparison selects no partition without a value",
		},
		{
			name: "handover/quotes", file: "compaction/handover/dialect.go", pkg: pkg, test: "TestQuotesHold",
			old: "strings.NewReplacer(`\\`, `\\\\`, `'`, `\\'`)", text: "strings.NewReplacer(`'`, `\\'`)",
			why: "a partition's value stays within its quotes",
		},
	}
}
