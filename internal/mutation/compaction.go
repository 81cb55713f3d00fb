package main

import "slices"

// compactionMutations take out what keeps maintenance from changing rows and from deleting what is needed.
func compactionMutations() []mutation {
	return slices.Concat(rewriting(), expiring(), orphans(), jobs())
}

// jobs takes out what keeps the files of a job that was taken for interrupted from being missed, or from being somebody
// else's.
func jobs() []mutation {
	return []mutation{
		{
			name: "jobs/advance", file: "compaction/recover.go", pkg: "./compaction", test: "TestCommitOnItsWay",
			old: `landed, err := t.Advance(ctx, iceberg.Properties{SummaryProcedure: "interrupted"})`, text: `landed, err := iceberg.Properties{} != nil, error(nil)`,
			why: "a commit that is still on its way is made impossible before its files go",
		},
		{
			name: "jobs/proof", file: "commit/watch.go", pkg: "./compaction", test: "TestRecoverWithoutProof",
			old: "if v.head == nil || v.meta.Version() < defaultFormat || t.caps.HeadsOnly {\n\t\t\treturn false, nil", text: "if v.head == nil || v.meta.Version() < defaultFormat || t.caps.HeadsOnly {\n\t\t\treturn true, nil",
			why: "where nothing makes a late commit impossible, files are left to their age",
		},
		{
			name: "jobs/mark", file: "compaction/attended.go", pkg: "./compaction", test: "TestMarkedJobSendsNothing",
			old: "a.mu.refused || marked; marked ||", text: "a.mu.refused || marked; false ||",
			why: "a process that goes on after it was taken for dead commits nothing",
		},
		{
			name: "jobs/old", file: "compaction/attended.go", pkg: "./compaction", test: "TestOldJobSendsNothing",
			old: "a.j.Now().Round(0).Sub(a.mu.Submitted) > longestJob", text: "a.mu.Submitted.IsZero()",
			why: "a job does not outlive the mark that would stop it",
		},
		{
			name: "jobs/asked", file: "commit/replace.go", pkg: "./commit", test: "TestWatched",
			old: "if err := t.allowed(ctx); err != nil {", text: "if err := t.allowed(ctx); err != nil && ctx == nil {",
			why: "a rewrite asks before it is sent",
		},
		{
			name: "jobs/asked by manifests", file: "commit/rewritemanifests.go", pkg: "./commit", test: "TestWatched",
			old: "if err := t.allowed(ctx); err != nil {", text: "if err := t.allowed(ctx); err != nil && ctx == nil {",
			why: "a merge of manifests asks before it is sent",
		},
		{
			name: "jobs/asked by expiry", file: "commit/expire.go", pkg: "./commit", test: "TestWatched",
			old: "return t.allowed(ctx)", text: "return nil",
			why: "an expiry asks before it is sent",
		},
		{
			name: "jobs/outside", file: "compaction/recover.go", pkg: "./compaction", test: "TestRecoverKeeps",
			old: "!inside || hidden(rel)", text: "!inside && rel == name || hidden(rel)",
			why: "a record is not believed about files that do not lie where the table does",
		},
		{
			name: "jobs/known", file: "compaction/recover.go", pkg: "./compaction", test: "TestRecoverKeeps",
			old: "known[path.Base(name)]", text: `known[""]`,
			why: "what a job has committed stays",
		},
		{
			name: "jobs/table", file: "compaction/recover.go", pkg: "./compaction", test: "TestRecoverKeeps",
			old: "m.TableID != t.Metadata().TableUUID().String()", text: `m.TableID == ""`,
			why: "the files of another table of this place are not this one's orphans",
		},
		{
			name: "jobs/branch", file: "compaction/recover.go", pkg: "./compaction", test: "TestRecoverKeeps",
			old: "|| m.Branch != t.Branch()", text: "",
			why: "a commit on one branch makes none on another impossible",
		},
		{
			name: "jobs/alive", file: "compaction/recover.go", pkg: "./compaction", test: "TestRecoverKeeps",
			old: "|| j.runs(&m.record)", text: "",
			why: "a job at work goes on",
		},
		{
			name: "jobs/gc", file: "compaction/recover.go", pkg: "./compaction", test: "TestRecoverKeeps",
			old: "if t.Collectable() != nil {", text: "if t.Collectable() != nil && ctx == nil {",
			why: "gc.enabled=false: nothing is deleted",
		},
	}
}

// rewriting takes out the checks of a rewrite.
func rewriting() []mutation {
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
		{
			name: "rewrite/deletes", file: "compaction/deletes.go", pkg: "./compaction", test: "TestPagesApplyDeletes",
			old: "|| string(b.Columns[0].Bytes[i]) != of.FilePath() {", text: "{",
			why: "a position is deleted from the file that it is about",
		},
		{
			name: "rewrite/dictionary", file: "compaction/rewrite/merge.go", pkg: "./compaction/rewrite", test: "TestMissingDictionary",
			old: "\tw.source.reset() // references of this chunk must not find the dictionary of the one before\n", text: "",
			why: "references are never looked up in the dictionary of another file",
		},
	}
}

// expiring takes out what keeps snapshots and their files.
func expiring() []mutation {
	return []mutation{
		{
			name: "expire/gc", file: "commit/expire.go", pkg: "./commit", test: "TestExpireObeysGC",
			old: `strings.EqualFold(v, "false")`, text: `strings.EqualFold(v, "never")`,
			why: "gc.enabled=false: nothing is deleted",
		},
		{
			name: "expire/carriers", file: "commit/expire.go", pkg: "./commit", test: "TestExpireKeeps",
			old: "if carriers[line[i].SnapshotID] {", text: "if false && len(carriers) > 0 {",
			why: "the snapshot that carries a pipeline's positions stays, and all that is newer",
		},
		{
			name: "expire/kept", file: "commit/expire.go", pkg: "./commit", test: "TestExpireKeeps",
			old: "if named[line[i].SnapshotID] {", text: "if false && len(named) > 0 {",
			why: "what a branch or a tag names stays",
		},
		{
			name: "expire/followed", file: "commit/expire.go", pkg: "./commit", test: "TestExpireCountsFromTheEndOfASnapshot",
			old: "line[i-1].TimestampMs < e.OlderThan.UnixMilli()", text: "line[i].TimestampMs < e.OlderThan.UnixMilli()",
			why: "what was the newest snapshot a moment ago is being read",
		},
		{
			name: "expire/live", file: "commit/expire.go", pkg: "./commit", test: "TestExpireKeepsWhatAnotherManifestLists",
			old: "func(f iceberg.DataFile) { delete(files, f.FilePath()) }", text: "func(f iceberg.DataFile) { _ = f }",
			why: "a file that a retained snapshot needs stays, whatever manifest it was listed in",
		},
	}
}

// orphans takes out what keeps files that only look as if nothing needed them.
func orphans() []mutation {
	return []mutation{
		{
			name: "orphans/young", file: "compaction/orphans.go", pkg: "./compaction", test: "TestRemoveOrphanFiles",
			old: "case f.at.IsZero() || f.at.After(oldest):", text: "case f.at.IsZero() && f.at.After(oldest):",
			why: "a file that is not old enough may belong to a commit that is still to come",
		},
		{
			name: "orphans/age", file: "compaction/orphans.go", pkg: "./compaction", test: "TestOrphansAreRefused",
			old: "if r.OlderThan < leastOrphanAge && !r.Young {", text: "if r.OlderThan < 0 && !r.Young {",
			why: "less than a day takes a word of its own",
		},
		{
			name: "orphans/known", file: "compaction/orphans.go", pkg: "./compaction", test: "TestRemoveOrphanFiles",
			old: "case known[path.Base(f.path)]:", text: "case len(known) == 0:",
			why: "what the table refers to is no orphan",
		},
		{
			name: "orphans/history", file: "compaction/orphans.go", pkg: "./compaction", test: "TestRemoveOrphanFiles",
			old: "for _, s := range meta.Snapshots() {", text: "for _, s := range meta.Snapshots()[len(meta.Snapshots())-1:] {",
			why: "every retained snapshot counts, not the newest alone",
		},
		{
			name: "orphans/meanwhile", file: "compaction/orphans.go", pkg: "./compaction", test: "TestOrphansThatAreCommittedMeanwhile",
			old: "res.Listed = len(files)\n\tif err := r.Table.Refresh(ctx); err != nil {\n\t\treturn nil, err\n\t}", text: "res.Listed = len(files)",
			why: "the table is looked at after the listing: what was committed in between is known",
		},
		{
			name: "orphans/gc", file: "compaction/orphans.go", pkg: "./compaction", test: "TestOrphansAreRefused",
			old: "if err := r.Table.Collectable(); err != nil && !r.DryRun {", text: "if err := r.Table.Collectable(); err != nil && r.DryRun {",
			why: "gc.enabled=false: nothing is deleted",
		},
		{
			name: "orphans/nested", file: "compaction/orphans.go", pkg: "./compaction", test: "TestOrphansAreRefused",
			old: `if strings.HasPrefix(keyOf(location)+"/", keyOf(r.Table.Location())+"/") {`, text: `if name == "" {`,
			why: "where another table of the catalog lies below, its files are not known",
		},
		{
			name: "orphans/another's metadata", file: "compaction/location.go", pkg: "./compaction", test: "TestOrphansAreRefused",
			old: "if id != r.Table.Metadata().TableUUID().String() {", text: `if id == "" {`,
			why: "a table that no catalog shows us is recognized by its metadata",
		},
	}
}
