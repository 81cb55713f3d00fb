package main

// tableMutations take out what keeps readers from finding what they cannot read, or rows under another id.
func tableMutations() []mutation {
	const file, pkg = "table/choice.go", "./table"
	return []mutation{
		{
			name: "format/reader", file: file, pkg: pkg, test: "TestUntriedReadersGetNoNewFormat",
			old: "if c.FormatVersion() < newestFormat {\n\t\treturn nil\n\t}\n\treturn c.refusal(VersionThree,", text: "if c.FormatVersion() < newestFormat || true {\n\t\treturn nil\n\t}\n\treturn c.refusal(VersionThree,",
			why: "no table is born in a format that one of its readers cannot read",
		},
		{
			name: "format/declared", file: file, pkg: pkg, test: "TestFormatVersionThree",
			old: "if len(names) == 0 || c.nanos() {", text: "if true || c.nanos() {",
			why: "who declares nanoseconds never gets microseconds unasked",
		},
		{
			name: "format/stays", file: "ingest/options.go", pkg: "./ingest", test: "TestNanoseconds",
			old: "t.Create.Readers = t.Create.Readers.At(format)", text: "_ = format",
			why: "new columns follow the format that the table has, not the one that the configuration asks for",
		},
		{
			name: "rowids/mend", file: "table/manifestlist.go", pkg: pkg, test: "TestMendedListsKeepRowIDs",
			old: "withoutRowIDs(manifests, snap)); err != nil {", text: "manifests); err != nil {",
			why: "a manifest list that is written anew gives the same row ids",
		},
	}
}
