package main

import "slices"

// ingestMutations take out what ingest promises: rows and ranges belong together, cursors come from the table.
func ingestMutations() []mutation { return slices.Concat(cursors(), deciding(), readable()) }

// cursors takes out what keeps rows, ranges and cursors together.
func cursors() []mutation {
	const pkg = "./ingest"
	return []mutation{
		{
			name: "rewind", file: "ingest/flush.go", pkg: pkg, test: "TestFencedTableReadsAgainWhatItDropped",
			old: "return o.rewind(ctx, \"fenced by writer \"+rival)", text: "return nil",
			why: "after a fence the cursors go back to what the table says",
		},
		{
			name: "rewind/cursor", file: "ingest/attach.go", pkg: pkg, test: "TestFencedTableReadsAgainWhatItDropped",
			old: "\t\t\tb.rewind(at[b])\n", text: "",
			why: "what a fenced batch held is read again",
		},
		{
			name: "rewind/columns", file: "ingest/attach.go", pkg: pkg, test: "TestRewindDropsWhatCameAfterTheCut",
			old: "\t\ts.drop()\n\t\tfor _, b := range s.bindings {", text: "\t\tfor _, b := range s.bindings {",
			why: "what the lanes took after a fenced batch is dropped with it",
		},
		{
			name: "cut/ranges", file: "ingest/sink.go", pkg: pkg, test: "TestEachBatchBeginsWhereTheLastEnded",
			old: "if sp := b.cut(); sp.to > sp.from {", text: "if sp := b.span; sp.to > sp.from {",
			why: "a batch takes its ranges away with its columns",
		},
		{
			name: "cut/columns", file: "ingest/sink.go", pkg: pkg, test: "TestEachBatchBeginsWhereTheLastEnded",
			old: "\tc.parts, c.err = s.writer.Cut()\n", text: "",
			why: "a batch takes its columns away with its ranges",
		},
		{
			name: "attach/once", file: "ingest/attach.go", pkg: pkg, test: "TestAssignedTwiceIsReadOnce",
			old: "p.lost.Load() || o.reads(p)", text: "p.lost.Load()",
			why: "a partition that is assigned twice is read once",
		},
		{
			name: "attach/begun", file: "ingest/attach.go", pkg: pkg, test: "TestTopicIsSucceededWhileAPartitionIsBegun",
			old: "then nothing was begun.\n\treturn o.checkIdentity(ctx)", text: "then nothing was begun.\n\treturn nil",
			why: "what was decided while partitions were begun is heeded",
		},
		{
			name: "freeze", file: "ingest/attach.go", pkg: pkg, test: "TestRevokedPartitionTakesNothingMore",
			old: "\tfor _, b := range mine {\n\t\to.freeze(b)\n\t}\n", text: "",
			why: "a partition that is given up takes nothing more while its last batch is committed",
		},
		{
			name: "cursor", file: "ingest/binding.go", pkg: pkg, test: "TestTableSkipsBelowItsOwnCursor",
			old: "\t\tif r.Offset < next {\n\t\t\tcontinue\n\t\t}\n", text: "",
			why: "each table skips below its own cursor, whatever the others of the topic still want",
		},
		{
			name: "generation", file: "ingest/partition.go", pkg: pkg, test: "TestBatchesOfAnOlderSeekAreDropped",
			old: "if b.generation == p.generation && p.at < len(b.records) {", text: "if p.at < len(b.records) {",
			why: "a batch read before a seek would make the cursor jump over records",
		},
		{
			name: "generation/raised", file: "ingest/partition.go", pkg: pkg, test: "TestBatchesOfAnOlderSeekAreDropped",
			old: "\tp.generation++\n", text: "",
			why: "every seek makes older batches stale",
		},
	}
}

// deciding takes out what ingest decides about records, partitions and files.
func deciding() []mutation {
	const pkg = "./ingest"
	return []mutation{
		{
			name: "halfrow", file: "ingest/decode.go", pkg: pkg, test: "TestRefusedRecordLeavesNothingBehind",
			old: "d.set.Truncate(before)", text: "_ = before",
			why: "a record that is refused leaves nothing behind in the columns",
		},
		{
			name: "columns/key", file: "ingest/columns.go", pkg: pkg, test: "TestNewFieldsLikeKeyColumnsStopTheTable",
			old: "case from == FromKey || !t.Key.owns(f.Name, strings.EqualFold):", text: "case true:",
			why: "a field of the value that is taken for the key's is lost",
		},
		{
			name: "columns/audit", file: "ingest/columns.go", pkg: pkg, test: "TestNewFieldsLikeKeyColumnsStopTheTable",
			old: "case t.Audit && table.IsAudit(strings.ToLower(f.Name)):", text: "case false:",
			why: "a field of the value that is taken for an auditing column is lost",
		},
		{
			name: "start/later", file: "ingest/attach.go", pkg: pkg, test: "TestPartitionAddedLaterStartsAtZero",
			old: "if len(known) == 0 {", text: "if true {",
			why: "a partition that appears later starts at 0, so that nothing produced in between is missed",
		},
		{
			name: "identity", file: "ingest/identity.go", pkg: pkg, test: "TestRecreatedTopicHaltsTheTable",
			old: "if !alike(s.ID, t.ID) {", text: "if t.ID != s.ID && false {",
			why: "offsets of a topic that was created again mean something else",
		},
		{
			name: "identity/outdated", file: "ingest/topics.go", pkg: pkg, test: "TestOldAnswerAboutATopicIsOutdated",
			old: "if err != nil || alike(now.ID, known) {", text: "if err != nil {",
			why: "an answer from before a decision is not held against the table after it",
		},
		{
			name: "identity/cluster", file: "ingest/identity.go", pkg: pkg, test: "TestAnotherClusterHaltsTheTable",
			old: "if !alike(s.Cluster, o.source.client.Cluster()) {", text: "if false {",
			why: "offsets of another cluster mean something else",
		},
		{
			name: "inflate", file: "ingest/kafka/inflate.go", pkg: "./ingest/kafka", test: "TestDecompressionIsBounded",
			old: "if i.used.Load() >= i.most {", text: "if false {",
			why: "an answer of dense batches is not decompressed at once",
		},
		{
			name: "identity/record", file: "ingest/kafka/identity.go", pkg: pkg, test: "TestTopicWithoutIDCreatedAgain",
			old: "if now.TimestampMS == m.Last.TimestampMS && now.CRC == m.Last.CRC {", text: "if true {",
			why: "a log in which another record stands in the place of the last one that was read is another log",
		},
		{
			name: "identity/epoch", file: "ingest/kafka/identity.go", pkg: pkg, test: "TestLogThatGrewAgainInAnotherEpoch",
			old: "if e.LeaderEpoch >= 0 && e.EndOffset >= 0 && e.EndOffset <= m.Last.Offset {", text: "if false {",
			why: "a log whose epochs no longer reach the last record was cut off, even where that record cannot be seen",
		},
		{
			name: "witness", file: "ingest/witness.go", pkg: pkg, test: "TestTableBehindItsGroup",
			old: "case g.At > starts[i] && (had || !ours && o.counted(p)):", text: "case false && had:",
			why: "a group offset above the table's tells of commits that the table no longer has",
		},
		{
			name: "witness/signature", file: "ingest/witness.go", pkg: pkg, test: "TestGroupThatIsNoWitness",
			old: "case g.At > starts[i] && (had || !ours && o.counted(p)):", text: "case g.At > starts[i] && (had || true):",
			why: "a table that came later begins below the group offset, and that is no alarm",
		},
		{
			name: "witness/decided", file: "ingest/witness.go", pkg: pkg, test: "TestGroupThatIsNoWitness",
			old: "\tif o.decided() {\n\t\treturn nil\n\t}\n", text: "",
			why: "where an operator has set the positions, the group knows later ones",
		},
		{
			name: "witness/mirror", file: "ingest/witness.go", pkg: pkg, test: "TestPositionsOfTheMirrorBelowTheGroup",
			old: "if o.table.FromMirror() {", text: "if false {",
			why: "positions of which only the mirror speaks are not used when the group has seen later ones",
		},
		{
			name: "identity/carried", file: "ingest/binding.go", pkg: pkg, test: "TestFingerprintIsCarriedOverHoles",
			old: "\ts.last = b.last\n", text: "",
			why: "a range without records keeps what is known of the record before it",
		},
		{
			name: "delete/files", file: "ingest/flush.go", pkg: pkg, test: "TestFilesOfABatchThatMayHaveLandedStay",
			old: "if res.FilesDead {", text: "if true {",
			why: "nothing is deleted while the outcome is unknown",
		},
		{
			name: "group", file: "ingest/settle.go", pkg: pkg, test: "TestGroupOffsetsNeverPassTheTable",
			old: "if at := b.committed.Load(); low < 0 || at < low {", text: "if at := b.next.Load(); low < 0 || at < low {",
			why: "the group offset follows the tables, never the cursors",
		},
	}
}

// readable takes out what keeps tables readable for those who were named.
func readable() []mutation {
	return []mutation{{
		name: "readers/buckets", file: "ingest/birth.go", pkg: "./ingest", test: "TestBucketsOfUUIDsNeedReadersThatFindThem",
		old: "\t\tif err := readers.CheckTerm(p, fields); err != nil {\n\t\t\treturn err\n\t\t}\n", text: "",
		why: "a named reader that looks in the wrong partitions would miss rows in silence",
	}, {
		name: "readers/existing", file: "ingest/birth.go", pkg: "./ingest", test: "TestBucketsOfUUIDsNeedReadersThatFindThem",
		old: "\tif err := o.opts.Create.Readers.Check(ContentsOf(o.table, o.opts.Branch, o.shape.layout.Fields)); err != nil {\n\t\treturn err\n\t}\n", text: "",
		why: "readers that are named later must be able to read what the table holds",
	}}
}
