package main

// pageMutations take out what keeps the engine that rewrites files from changing values or losing them.
func pageMutations() []mutation {
	const pkg = "./compaction/rewrite"
	return []mutation{
		{
			name: "pages/checksum", file: "compaction/rewrite/pages.go", pkg: pkg, test: "TestDamagedPages",
			old: "if h.hasCRC && crc32.ChecksumIEEE(page[h.size:]) != h.crc {", text: "if h.hasCRC && crc32.ChecksumIEEE(page[h.size:]) != h.crc && false {",
			why: "the checksum of every page is verified, of copied ones as well",
		},
		{
			name: "pages/unseen", file: "compaction/rewrite/merge.go", pkg: pkg, test: "TestPagesWithoutChecksumAreDecoded",
			old: "case !h.hasCRC:", text: "case h.kind == format.IndexPage:",
			why: "a page without a checksum is decoded, never copied unseen",
		},
		{
			name: "pages/header", file: "compaction/rewrite/merge.go", pkg: pkg, test: "TestDamagedHeader",
			old: "if c.copied && c.size != c.md.TotalUncompressedSize {", text: "if c.copied && c.size < 0 {",
			why: "the sizes in copied headers are those the footer knows",
		},
		{
			name: "pages/references", file: "compaction/rewrite/append.go", pkg: pkg, test: "TestRowsStay",
			old: "out[i] = remap[x]", text: "out[i] = x",
			why: "references are translated into the merged dictionary",
		},
		{
			name: "pages/kept", file: "compaction/rewrite/merge.go", pkg: pkg, test: "TestLargePagesAreCopied",
			old: "case h.byReference() && !c.kept:", text: "case h.byReference() && !c.usable:",
			why: "pages of references are copied only where these mean the same",
		},
		{
			name: "pages/deleted", file: "compaction/rewrite/merge.go", pkg: pkg, test: "TestDeletedRowsOfLargePages",
			old: "case len(c.file.in.deleted(c.row, c.row+int64(info.Rows))) > 0:", text: "case info.Rows < 0:",
			why: "a page that loses a row is not copied",
		},
		{
			name: "pages/bounds", file: "compaction/rewrite/facts.go", pkg: pkg, test: "TestIndexThatDisagreesIsNotUsed",
			old: "if !out.agrees(&c.MetaData, leaf) {", text: "if n := len(out.offset.PageLocations); n == 0 || len(out.column.MinValues) != n {",
			why: "bounds of copied pages come from an index that agrees with its footer",
		},
		{
			name: "pages/nans", file: "compaction/rewrite/merge.go", pkg: pkg, test: "TestRowsStay",
			old: "return told && n == 0", text: "return told || n == 0",
			why: "NaNs of copied pages are counted",
		},
		{
			name: "pages/told", file: "compaction/rewrite/facts.go", pkg: pkg, test: "TestRowsStay",
			old: "	case info == nil:\n		*b = hull{}", text: "	case info == nil:\n		return",
			why: "bounds of a merged page come from the indexes only where they tell of every page of it",
		},
		{
			name: "pages/rows", file: "compaction/rewrite/merge.go", pkg: pkg, test: "TestMissingPage",
			old: "if c.entries != c.md.NumValues || c.row != p.first+p.rows {", text: "if c.entries > c.md.NumValues {",
			why: "a column chunk has as many values and rows as its footer says",
		},
	}
}
