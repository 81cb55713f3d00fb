// Package regserver is a schema registry in memory, for tests and for the demo: the part of the Confluent API that
// readers and simple producers use, as an http.Handler.
//
// Job: register schemas, give them back by id, by GUID and by subject and version.
//
// Invariants: equal content (type, text, references) has one id and one GUID whatever the subject; ids count from 1;
// nothing is deleted, and compatibility is not checked. It touches no network itself and imports nothing of ours.
package regserver
