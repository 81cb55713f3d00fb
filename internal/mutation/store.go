package main

// storeMutations take out what a store promises about credentials and keys.
func storeMutations() []mutation {
	const file, pkg = "table/store/grants.go", "./table/store"
	return []mutation{
		{
			name: "grants/renew", file: file, pkg: pkg, test: "TestGrantsAreRenewedBeforeUse",
			old: "\tif !due {\n\t\treturn set.props, nil\n\t}\n\tif over {", text: "\tif !due || due {\n\t\treturn set.props, nil\n\t}\n\tif over {",
			why: "vended credentials are renewed before they end",
		},
		{
			name: "grants/prefix", file: file, pkg: pkg, test: "TestGrantsOfTheLongestPrefix",
			old: "&& len(s.prefix) >= len(best.prefix)", text: "",
			why: "each file is reached with the grant of its longest prefix",
		},
		{
			name: "grants/mix", file: file, pkg: pkg, test: "TestGrantsDoNotMix",
			old: "\t\t\t\t\tdelete(out, other)\n", text: "\t\t\t\t\t_ = other\n",
			why: "a granted pair of keys never goes with another's session token",
		},
		{
			name: "encryption/wire", file: "table/store/encryption.go", pkg: pkg, test: "TestCustomerKeyStaysOffTheWire",
			old: "if e.kind != SSEC || endpoint == \"\" {", text: "if true || endpoint == \"\" {",
			why: "an encryption key of one's own is never sent in plain text over a network",
		},
		{
			name: "encryption/confirm", file: "table/store/encryption.go", pkg: pkg, test: "TestEncryptionThatIsIgnoredIsRefused",
			old: "\t\t\t\terr = e.confirm(out.Result)\n", text: "",
			why: "a store that does not encrypt as it was told is refused",
		},
		{
			name: "encryption/parts", file: "table/store/encryption.go", pkg: pkg, test: "TestEncryptionIsOnEveryRequest",
			old: "\tcase *s3.CreateMultipartUploadInput:\n\t\tin.ServerSideEncryption, in.SSEKMSKeyId = algorithm, key\n", text: "",
			why: "large files are encrypted as small ones are",
		},
		{
			name: "azure/signature", file: "table/store/azureclient.go", pkg: pkg, test: "TestAzureVendedLogins",
			old: "url: url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}", text: "url: *r.URL",
			why: "a shared access signature stands in no message",
		},
		{
			name: "azure/checksum", file: "table/store/azurestore.go", pkg: pkg, test: "TestAzureDamageOnTheWayIsRefused",
			old: "&blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(sum)}", text: "nil",
			why: "Azure refuses what was damaged on the way",
		},
		{
			name: "azure/folders", file: "table/store/azurestore.go", pkg: pkg, test: "TestAzureFoldersAreNoFiles",
			old: "b == nil || b.Name == nil || azureFolder(b)", text: "b == nil || b.Name == nil",
			why: "directories of a hierarchical namespace are no orphans",
		},
		{
			name: "gcs/sum", file: "table/store/gcsupload.go", pkg: pkg, test: "TestGCSDamageOnTheWayIsRefused",
			old: "return s.g.compare(ctx, s.at, *s.done, crc32cText(s.sum.Sum32()))", text: "return nil",
			why: "a large file that was damaged on the way is noticed and removed",
		},
		{
			name: "gcs/session", file: "table/store/gcsupload.go", pkg: pkg, test: "TestGCSSuite",
			old: "\t\t\thas, ask = now, false\n", text: "\t\t\thas, ask = end, false\n",
			why: "what the service has not taken of a part is sent again",
		},
	}
}
