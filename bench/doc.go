// Command bench measures the hot path in one process on one core: records in memory to Parquet bytes, without
// network or disk, beside the straightforward pipelines of a Go programmer (goavro or encoding/json, one struct per
// record, parquet-go's GenericWriter with dictionaries), at the same zstd level on both sides.
//
// Candidates take turns, and medians over the rounds are compared, because machines are noisy: only the ratios count.
// The command prints a table and exits with 1 when a ratio is below its gate or when the hot path allocates per
// record. Files are checked elsewhere (package parquet); here the sizes are printed beside the speeds.
//
// What the straightforward pipelines do per record must not be changed, or older numbers lose their meaning.
package main
