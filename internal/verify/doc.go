// Package verify proves from the outside what a table holds. Three levels, each including the ones before:
//
//   - ledger: the table's own books agree (metadata only, package commit);
//   - rows: every (partition, offset) is in the table at most once, and their number is what the books say (reads the
//     auditing columns of all live data files);
//   - source: every committed record that is still in the topic is in the table or accounted for, and every offset
//     the books call unseen is absent there (reads the topic).
//
// It changes nothing, and takes nothing from the daemon but the table and the topic. A report says what was proven, and
// names exact ranges where something is missing, doubled or unaccounted for.
package verify
