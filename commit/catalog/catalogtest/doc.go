// Package catalogtest is the conformance suite: what ingestd needs of a catalog, asked through the commit loop and,
// for the promises beneath it, directly. Whatever catalog is added has to pass it.
package catalogtest
