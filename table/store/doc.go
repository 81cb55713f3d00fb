// Package store puts data files where a table's metadata will say they are, and gives iceberg-go's metadata code
// the same access to the same places.
//
// One Stores value belongs to one process. It knows local files (file: URIs and plain paths), S3 compatibles (s3:,
// s3a:), Azure Blob Storage (abfss:, wasbs:) and Google Cloud Storage (gs:), keeps one client per distinct set of settings
// and bounds what all uploads hold in memory. What the object stores have in common is in object*.go and upload.go; each adds its requests.
//
// Invariants:
//   - Put is atomic: afterwards the whole file is there and durable, or nothing is there under its name. Local
//     files are written beside their place, synced, renamed, and the directory is synced; an object appears when
//     its last request is answered.
//   - What was stored is checked against what was written, by checksum where the server returns one, else by size.
//   - An error says how to react: every error that leaves the package is classified by internal/failure, and a
//     missing file satisfies errors.Is(err, fs.ErrNotExist).
//   - Transient errors are retried inside the clients (exponential backoff with jitter); what comes out is worth a pause.
//
// It is the only package that touches aws-sdk-go-v2 and azure-sdk-for-go. Google's own client would be a quarter of the binary (docs/DESIGN.md).
package store
