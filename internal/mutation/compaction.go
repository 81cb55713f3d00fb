package main

// compactionMutations take out what keeps a rewrite from changing rows.
func compactionMutations() []mutation {
	return []mutation{
		{
			name: "rewrite/rows missing", file: "compaction/rewrite.go", pkg: "./compaction", test: "TestRewriteOfAGroupFails",
			old: "missing > most && !unknown", text: "false",
			why: "a rewrite that lost rows is not committed",
		},
		{
			name: "rewrite/rows come", file: "compaction/rewrite.go", pkg: "./compaction", test: "TestRewriteOfAGroupFails",
			old: "if missing < 0 ||", text: "if",
			why: "a rewrite that has doubled or brought back rows is not committed",
		},
		{
			name: "rewrite/given up", file: "compaction/rewrite.go", pkg: "./compaction", test: "TestRewriteBesideOthers",
			old: "return !there || !sameDeletes(t, b.inv.tasks[f.Path])", text: "return !there || t.File == nil",
			why: "a group from which rows were deleted meanwhile is not tried again with the files that still have them",
		},
	}
}
