package main

// sortMutations take out what keeps a table from claiming an order, or having a codec or a filter, that is not so.
func sortMutations() []mutation {
	const pkg = "./table"
	return []mutation{
		{
			name: "sort/overlap", file: "table/sort.go", pkg: pkg, test: "TestFilesClaimTheirOrderOnlyWhenItHolds",
			old: "return a.opts.SortOrderID == 0 || f.chunks[len(f.chunks)-1].Order.Before(c.Order)", text: "return true",
			why: "a file claims an order only when it holds from its first row to its last",
		},
		{
			name: "sort/repair", file: "table/parquet/run.go", pkg: "./table/parquet", test: "TestSortedTextIsRepairedBefore",
			old: "\t\theld.Columns[k.Leaf].RepairText()\n", text: "\t\t_ = k\n",
			why: "text that is not UTF-8 is sorted as what is stored in its place",
		},
		{
			name: "sort/name", file: "commit/sort.go", pkg: "./commit", test: "TestSortOrders",
			old: "if o.Len() > 0 && sameOrder(o, want) {", text: "if o.Len() > 0 && o.Len() == want.Len() {",
			why: "a file names the order it is in, not another one of the table's",
		},
		{
			name: "sort/columns", file: "ingest/birth.go", pkg: "./ingest", test: "TestSortColumnsThatAreGone",
			old: "if err := table.CheckSort(o.opts.SortBy, fields); err != nil {\n\t\treturn err\n\t}\n\treaders :=", text: "readers :=",
			why: "a table is not created when it lacks a column that it is to be sorted by",
		},
		{
			name: "readers/codec", file: "table/choice.go", pkg: pkg, test: "TestRefusalsNameTheReader",
			old: "if codec != parquet.LZ4 {", text: "if codec != parquet.LZ4 || true {",
			why: "pages are never compressed by what a named reader cannot read",
		},
		{
			name: "bloom/columns", file: "ingest/birth.go", pkg: "./ingest", test: "TestBloomFiltersOfNewTables",
			old: "table.CheckBloomFilters(fields, o.opts.Create.Properties)", text: "table.CheckBloomFilters(fields, nil)",
			why: "a Bloom filter that would not be there is refused when the table is created",
		},
	}
}
