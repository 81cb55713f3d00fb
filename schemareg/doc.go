// Package schemareg knows how a record names its schema and where schemas come from.
//
// Job: Frame reads the schema id out of a record in Confluent framing (in the value or in a header) without
// allocating; Client asks a Confluent-compatible registry for that schema and keeps the answer.
//
// Invariants:
//   - an id or GUID names one text for ever, so what was found once is never asked again;
//   - what was not found is asked again after ClientOptions.NegativeTTL: a registry follower may lag behind a producer;
//   - for one key there is one request in flight, whoever asks;
//   - credentials go to the configured hosts only (redirects are refused) and appear in no error text;
//   - every error is classified (internal/failure) and says who must act.
//
// It may touch HTTP through srclient and net/http; it knows nothing of topics, tables or Avro. The decode programs
// live below: schemareg/avro, schemareg/jsonrec. schemareg/regserver is a registry for tests and the demo.
package schemareg
