package main

import "slices"

// mutations are all checks that are known to matter.
func mutations() []mutation {
	return slices.Concat(commitMutations(), ingestMutations(), controlMutations(), storeMutations(), compactionMutations(), pageMutations(), handoverMutations(), tableMutations(), sortMutations())
}

// commitMutations take out what commit promises: compare, pin, look again, delete nothing that may be in use.
func commitMutations() []mutation {
	return slices.Concat(comparing(), pinning(), looking(), reading(), guarding(), keeping(), replacing(), sending())
}

// comparing takes out the comparison of positions.
func comparing() []mutation {
	return []mutation{
		{
			name: "equality", file: "commit/state/merge.go", pkg: "./commit", test: "TestStalePositionsAreFenced",
			old: "if stored.Position != c.From {", text: "if false {",
			why: "without the comparison a repeated batch lands twice",
		},
		{
			name: "equality/ahead", file: "commit/state/merge.go", pkg: "./commit", test: "TestStalePositionsAreFenced",
			old: "if stored.Position != c.From {", text: "if stored.Position > c.From {",
			why: "equality, not order: a batch that begins behind a gap is refused",
		},
		{
			name: "equality/behind", file: "commit/state/merge.go", pkg: "./commit/state", test: "TestApplyComparesForEquality",
			old: "if stored.Position != c.From {", text: "if stored.Position < c.From {",
			why: "equality, not order: a batch that repeats something is refused",
		},
		{
			name: "equality/closed", file: "commit/state/merge.go", pkg: "./commit/state", test: "TestApplyComparesForEquality",
			old: "if stored.Closed && !c.Drop {", text: "if false {",
			why: "nothing follows the end of a closed partition",
		},
		{
			name: "begin/successor", file: "commit/loop.go", pkg: "./commit", test: "TestBeginLeavesOutWhatHasASuccessor",
			old: " && !st.KnowsAnother(c.Key.Stream)", text: "",
			why: "a topic that another one of its name has followed is not begun once more",
		},
		{
			name: "epoch", file: "commit/loop.go", pkg: "./commit", test: "TestConfigEpochs",
			old: "case cur.N == t.opened:", text: "case true:",
			why: "a process with an older configuration stops when another has moved the table on",
		},
	}
}

// pinning takes out the requirements of a commit.
func pinning() []mutation {
	return []mutation{
		{
			name: "pin", file: "commit/build.go", pkg: "./commit", test: "TestPinKeepsOutACommitOnAHeadThatMoved",
			old: "\t\ttable.AssertRefSnapshotID(branch, v.headID()),\n", text: "",
			why: "the head that was checked is the one that is built on",
		},
		{
			name: "pin/branch", file: "commit/build.go", pkg: "./commit", test: "TestPipelinesAndBranchesKeepApart",
			old: "a.pin(v, t.spec.Branch)", text: `a.pin(v, "main")`,
			why: "the pin is on the branch that is written",
		},
		{
			name: "pin/uuid", file: "commit/build.go", pkg: "./commit", test: "TestEveryCommitIsPinned",
			old: "\t\ttable.AssertTableUUID(v.meta.TableUUID()),\n", text: "",
			why: "a table of the same name is another table",
		},
		{
			name: "nullpin", file: "commit/loop.go", pkg: "./commit", test: "TestNoNullPinToAForeignTable",
			old: "if v.head == nil && !w.created && !t.caps.NullPin {", text: "if false {",
			why: "a null pin that the catalog does not check is never sent",
		},
		{
			name: "schema", file: "commit/evolve.go", pkg: "./commit", test: "TestEvolveAssertsTheSchema",
			old: "\t\ttable.AssertCurrentSchemaID(meta.CurrentSchema().ID),\n", text: "",
			why: "columns are added to the schema that was looked at",
		},
	}
}

// looking takes out what is done after an error, when only the table knows.
func looking() []mutation {
	return []mutation{
		{
			name: "reload", file: "commit/loop.go", pkg: "./commit", test: "TestLostAnswerIsFoundInTheTable",
			old:  "\tif err := t.load(ctx); err != nil {\n\t\treturn w.orUnknown(ctx, t, err)\n\t}\n",
			text: "", why: "after an error only the table tells what happened",
		},
		{
			name: "resend", file: "commit/loop.go", pkg: "./commit", test: "TestSameSnapshotIsSentAgain",
			old: "if w.pending.fits(t.view) {", text: "if false {",
			why: "a commit that did not arrive is the same snapshot again, so that it lands once",
		},
		{
			name: "resend/sequence", file: "commit/build.go", pkg: "./commit", test: "TestAnotherBranchTakesTheSequenceNumber",
			old: "a.snapshot.SequenceNumber > v.meta.LastSequenceNumber() &&", text: "true &&",
			why: "a snapshot whose sequence number was taken is built anew",
		},
		{
			name: "landed", file: "commit/loop.go", pkg: "./commit", test: "TestLostAnswerIsFoundInTheTable",
			old: "snapshot != 0 {", text: "snapshot < 0 {",
			why: "before anything is compared or sent again, our own commit is looked for",
		},
		{
			name: "landed/writers", file: "commit/settle.go", pkg: "./commit", test: "TestOwnCommitIsRecognisedWithoutLineage",
			old: "ok && id == w.commitID {", text: "ok && id == \"\" {",
			why: "some catalogs show no lineage: the head carries each writer's last commit",
		},
	}
}

// reading takes out what is refused in a history, and whose positions it holds.
func reading() []mutation {
	return []mutation{
		{
			name: "uuid", file: "commit/table.go", pkg: "./commit", test: "TestDroppedAndRecreated",
			old: "if tbl.Metadata().TableUUID() != t.uuid {", text: "if false {",
			why: "a table that was dropped and created again is not filled on",
		},
		{
			name: "rollback", file: "commit/lineage.go", pkg: "./commit", test: "TestWalkRules",
			old: "\treturn s.rolledBack(mirror, ours.SnapshotID)\n", text: "\treturn nil\n",
			why: "a branch that was rolled back stops the table instead of doubling rows",
		},
		{
			name: "replaced", file: "commit/lineage.go", pkg: "./commit", test: "TestWalkRules",
			old: "case !l.gap:\n\t\treturn false, s.replaced(mirror, head.SnapshotID)", text: "case !l.gap:\n\t\treturn false, nil",
			why: "a history that was replaced stops the table",
		},
		{
			name: "mirror", file: "commit/lineage.go", pkg: "./commit", test: "TestWalkRules",
			old: "v.state, v.notes = mirror.State, mirror.Notes", text: "",
			why: "the mirror speaks for snapshots that have expired",
		},
		{
			name: "branch/pipeline", file: "commit/lineage.go", pkg: "./commit", test: "TestPipelinesAndBranchesKeepApart",
			old: "return err == nil && h.Pipeline == s.Pipeline && h.Branch == s.Branch, err", text: "return err == nil && h.Branch == s.Branch, err",
			why: "each pipeline has positions of its own",
		},
		{
			name: "branch/tag", file: "commit/lineage.go", pkg: "./commit", test: "TestBranchMustNotBeATag",
			old: "if ref.SnapshotRefType != table.BranchRef {", text: "if false {",
			why: "a tag is never moved",
		},
		{
			name: "branch/written", file: "commit/build.go", pkg: "./commit", test: "TestPipelinesAndBranchesKeepApart",
			old: "tbl.NewTransactionOnBranch(t.spec.Branch)", text: "tbl.NewTransaction()",
			why: "rows go to the branch whose positions were compared",
		},
		{
			name: "format", file: "commit/lineage.go", pkg: "./commit", test: "TestOldFormatIsRefused",
			old: "if meta.Version() < 2 {", text: "if false {",
			why: "without sequence numbers a late commit is not harmless",
		},
	}
}

// guarding takes out what is refused in a batch and a snapshot.
func guarding() []mutation {
	return []mutation{
		{
			name: "paths/batch", file: "commit/guard.go", pkg: "./commit", test: "TestGuards",
			old: "if seen[path] || t.paths.known[path] {", text: "if t.paths.known[path] {",
			why: "a file is added once, whatever a batch says",
		},
		{
			name: "paths/before", file: "commit/guard.go", pkg: "./commit", test: "TestGuards",
			old: "if seen[path] || t.paths.known[path] {", text: "if seen[path] {",
			why: "a file of an earlier commit is not added again",
		},
		{
			name: "rows", file: "commit/guard.go", pkg: "./commit", test: "TestGuards",
			old: "if rows != fs.Added || rows != added {", text: "if false {",
			why: "files and ranges of a batch say the same",
		},
		{
			name: "time", file: "commit/build.go", pkg: "./commit", test: "TestClockSkew",
			old:  "a.snapshot.TimestampMs = max(t.env.Now().UnixMilli(), v.meta.LastUpdatedMillis()+1, newest(v)+1)",
			text: "a.snapshot.TimestampMs = t.env.Now().UnixMilli()",
			why:  "a table's times never go backwards",
		},
		{
			name: "carry", file: "commit/build.go", pkg: "./commit", test: "TestUpkeepCarriesTheState",
			old: "\t\t\ta.snapshot.Summary.Properties[state.SummaryKey] = text\n", text: "",
			why: "maintenance carries the positions on",
		},
	}
}

// keeping takes out what is never deleted.
func keeping() []mutation {
	return []mutation{
		{
			name: "delete/unknown", file: "commit/settle.go", pkg: "./commit", test: "TestFilesOfAForgottenCommitAreNotDead",
			old:  "if _, known := v.state.LastCommit(writer); known || len(v.state.Writers) < state.MaxWriters {",
			text: "if true {",
			why:  "not found is not absent: nothing is deleted while that is unknown",
		},
		{
			name: "delete/lineage", file: "commit/settle.go", pkg: "./commit", test: "TestFilesOfAForgottenCommitAreNotDead",
			old: "return len(bases) == 0", text: "return len(bases) >= 0",
			why: "an attempt is dead only when the lineage shows the head it was built on",
		},
		{
			name: "delete/attempts", file: "commit/settle.go", pkg: "./commit", test: "TestFilesOfAForgottenCommitAreNotDead",
			old: "res.FilesDead = w.absent(t.view, t.spec.Writer); res.FilesDead {", text: "res.FilesDead = w.absent(t.view, t.spec.Writer); true {",
			why: "the manifests of an attempt that may have landed stay",
		},
		{
			name: "delete/listed", file: "commit/debris.go", pkg: "./commit", test: "TestUpkeepUnderFaults",
			old: "return kept[path] != nil })", text: "return false })",
			why: "a manifest that a retained snapshot lists stays",
		},
		{
			name: "delete/live", file: "commit/deadfiles.go", pkg: "./commit", test: "TestRewrittenFilesGoWithTheirSnapshots",
			old: "delete(files, f.FilePath()) }", text: "_ = f }",
			why: "a file that a retained snapshot needs stays, whatever manifest it was listed in",
		},
		{
			name: "delete/back", file: "commit/deadfiles.go", pkg: "./commit", test: "TestFilesThatWerePutBackStay",
			old: "if m.SnapshotID() == s.SnapshotID {", text: "if false {",
			why: "somebody else may have put a file back that had left the table",
		},
		{
			name: "delete/grace", file: "commit/deadfiles.go", pkg: "./commit", test: "TestDeadFilesHaveAGrace",
			old: "if f.due.After(now) {", text: "if f.due.Before(now) && f.due.After(now) {",
			why: "a query may still be reading a file that has left the history",
		},
		{
			name: "delete/elsewhere", file: "commit/deadfiles.go", pkg: "./commit", test: "TestFilesFromElsewhereStay",
			old: "if strings.HasPrefix(f.FilePath(), root) {", text: "if strings.HasPrefix(f.FilePath(), root) || true {",
			why: "a file outside of the table's location may be somebody else's",
		},
		{
			name: "delete/tagged", file: "commit/deadfiles.go", pkg: "./commit", test: "TestTagsKeepRewrittenFiles",
			old: "return removes(s) || !line[s.SnapshotID] })", text: "return removes(s) })",
			why: "what only a dropped tag kept goes with it",
		},
		{
			name: "expire/named", file: "commit/upkeep.go", pkg: "./commit", test: "TestUpkeepKeepsWhatIsInUse",
			old: "if !named[s.SnapshotID] {", text: "if !named[s.SnapshotID] || true {",
			why: "what a tag or another branch names stays",
		},
		{
			name: "delete/outside", file: "commit/debris.go", pkg: "./commit", test: "TestTagsKeepTimeTravel",
			old: "if !line[s.SnapshotID] || younger ||", text: "if younger ||",
			why: "an expired snapshot may have inherited manifests from one that a tag keeps",
		},
	}
}

// replacing takes out what a rewrite of data files is compared with.
func replacing() []mutation {
	return []mutation{
		{
			name: "replace/live", file: "commit/replace.go", pkg: "./commit", test: "TestSupersededRewrites",
			old: "case len(s.old) > 0:", text: "case false:",
			why: "every rewritten file is live on the head that the rewrite lands on",
		},
		{
			name: "replace/base", file: "commit/replace.go", pkg: "./commit", test: "TestSupersededRewrites",
			old: "case !based:", text: "case false:",
			why: "what was read must be in the history of the head: a rollback brings deleted rows back",
		},
		{
			name: "replace/late", file: "commit/replace.go", pkg: "./commit", test: "TestSupersededRewrites",
			old: "late := e.SequenceNum() > s.h.sequence", text: "late := e.SequenceNum() < s.h.sequence",
			why: "rows that were deleted after they had been read would rise again",
		},
		{
			name: "replace/anywhere", file: "commit/replace.go", pkg: "./commit", test: "TestSupersededRewrites",
			old: "if old.SpecID() == f.SpecID() &&", text: "if false &&",
			why: "deletes without a single target may reach any file of their partition",
		},
		{
			name: "replace/sequence", file: "commit/replace.go", pkg: "./commit", test: "TestReplacedRowsStayBelowLaterDeletes",
			old: ".DataSequenceNumber(h.sequence)", text: "",
			why: "equality deletes that came after the base apply to the rewritten rows",
		},
		{
			name: "replace/landed", file: "commit/replace.go", pkg: "./commit", test: "TestReplaceOnHeadsOnly",
			old: "case len(s.added) > 0 && len(s.old) == len(r.Old):", text: "case false:",
			why: "a rewrite whose answer was lost is recognized by its files",
		},
		{
			name: "replace/dead", file: "commit/replace.go", pkg: "./commit", test: "TestReplaceOnHeadsOnly",
			old: "res.FilesDead = w.reaches(t.view); res.FilesDead {", text: "res.FilesDead = true; true {",
			why: "files of an attempt that may be in the table are not called dead",
		},
		{
			name: "replace/upkeep", file: "commit/upkeep.go", pkg: "./commit", test: "TestUpkeepIsDueBesideRewrites",
			old: `table.OpReplace && summaryCount(s, "deleted-data-files") == 0`, text: "table.OpReplace",
			why: "rewrites of data files do not put off the merging of manifests",
		},
	}
}

// sending takes out the way to the catalog.
func sending() []mutation {
	return []mutation{
		{
			name: "heads", file: "commit/catalog/vended.go", pkg: "./commit/catalog", test: "TestNessieShowsWhereAHeadCameFrom",
			old: "if c.transport.nessie() {", text: "if false {",
			why: "another engine's head on a catalog without history is no replaced table",
		},
		{
			name: "swap/unknown", file: "commit/catalog/filed.go", pkg: "./commit/catalog", test: "TestStatementOnItsWayKeepsItsFile",
			old: "	case !settled:", text: "	case !settled && false:",
			why: "the metadata file of a statement that may still land is kept",
		},
		{
			name: "swap", file: "commit/catalog/sqlcommit.go", pkg: "./commit/catalog", test: "TestFailedCommitsLeaveNoMetadataFile",
			old: " AND metadata_location = ?2`", text: "`",
			why: "a table in a database moves on only from where it was read",
		},
		{
			name: "swap/fatal", file: "commit/catalog/postgres.go", pkg: "./commit/catalog", test: "TestRefusedStatementTakesItsFileBack",
			old: `pg.SeverityUnlocalized == "ERROR" ||`, text: `true ||`,
			why: "a database that ends the connection may have committed before",
		},
		{
			name: "hive/expected", file: "commit/catalog/hivemove.go", pkg: "./commit/catalog", test: "TestHiveComparesWithoutTheLock",
			old: `"expected_parameter_key": paramLocation, "expected_parameter_value": location, `, text: "",
			why: "a table in a Metastore moves on only from where it was read",
		},
		{
			name: "hive/prove", file: "commit/catalog/hivemove.go", pkg: "./commit/catalog", test: "TestHiveThatDoesNotCompareIsRefused",
			old: "	err := conn.AlterTable(ctx, t, expecting(nowhere))\n	if err == nil {", text: "	err := conn.AlterTable(ctx, t, expecting(nowhere))\n	if err == nil && false {",
			why: "a Metastore that does not look at what is expected is refused",
		},
		{
			name: "hive/version", file: "commit/catalog/hive.go", pkg: "./commit/catalog", test: "TestHiveThatDoesNotCompareIsRefused",
			old: "if err == nil && !compares(version) {", text: "if err == nil && !compares(version) && false {",
			why: "a Metastore that compares without a lock of the row is refused",
		},
		{
			name: "hive/lock", file: "commit/catalog/hivelock.go", pkg: "./commit/catalog", test: "TestHiveWaitsForTheLock",
			old: "state == metastore.LockWaiting; pause", text: "false; pause",
			why: "a writer that only locks is waited for",
		},
		{
			name: "hive/directory", file: "commit/catalog/hivetables.go", pkg: "./commit/catalog", test: "TestHiveFindsTheDirectoryOfADatabase",
			old: "h.occupy(ctx, db.Text(metastore.DatabaseLocation)); err != nil {", text: "error(nil); err != nil {",
			why: "a Metastore that loses a race to make a database leaves the winner's files alone",
		},
		{
			name: "hive/keep", file: "commit/catalog/hivemove.go", pkg: "./commit/catalog", test: "TestHiveAlterationOnItsWay",
			old: "if err == nil || c.settled(err) || c.over(ctx, ident, from) {", text: "if err == nil || err != nil || c.over(ctx, ident, from) {",
			why: "the lock of an alteration that may still land is kept",
		},
		{
			name: "redirect", file: "commit/catalog/transport.go", pkg: "./commit/catalog", test: "TestRedirectsAreNotFollowed",
			old: "res.StatusCode >= 300 && res.StatusCode < 400", text: "false",
			why: "a commit is not sent again to somebody else",
		},
		{
			name: "transparent", file: "commit/catalog/transport.go", pkg: "./commit/catalog", test: "TestNoTransparentResend",
			old: "\t\treq.GetBody = nil\n\t\treq.Header.Del(\"Idempotency-Key\")\n", text: "",
			why: "no transport sends a commit twice behind our back",
		},
		{
			name: "known/location", file: "commit/catalog/restknown.go", pkg: "./commit/catalog", test: "TestKnownAnswerKeepsConfiguration",
			old: "|| answer.Location != a.known.location ", text: "",
			why: "a table that has moved on is read again",
		},
		{
			name: "known/unique", file: "commit/catalog/restknown.go", pkg: "./commit/catalog", test: "TestUniqueLocations",
			old: "return err == nil\n}\n\n// look", text: "return err == nil || true\n}\n\n// look",
			why: "a name that counts only may be that of another table's file",
		},
		{
			name: "known/present", file: "commit/catalog/filed.go", pkg: "./commit/catalog", test: "TestDeletedMetadataFileIsNoticed",
			old: "if err := present(ctx, open, location); err != nil {", text: "if err := present(ctx, open, location); false {",
			why: "a table whose metadata file was deleted halts",
		},
	}
}
