// Command rewrite measures what it costs to make one file of two hundred small ones: our engine beside iceberg-go's
// ExecuteCompactionGroup, on the same files, which our own writer has made.
//
// Every measurement is a process of its own on one core, so that its peak memory is its own; candidates take turns, and
// the median of the ratios of a round counts, because machines are noisy. The library is measured without deletes
// throughout, also where our engine has to leave out rows. The command prints a table and exits with 1 when a ratio is
// below its gate or the engine takes more memory than it may. That the files have the right rows is shown elsewhere (package
// compaction/rewrite); here the number of rows is compared.
package main
