// Package admin is the daemon's HTTP listener: probes, metrics, the state of the tables, and whatever read-only handler
// the caller mounts beside them (the Iceberg REST catalog of the demo).
//
//	GET /livez                 200 while the process answers
//	GET /readyz[?verbose]      200 when every table is working, 503 with the ones that are not
//	GET /metrics               Prometheus' text format
//	GET /version               what this binary is
//	GET /api/v1/tables         all tables
//	GET /api/v1/tables/{name}  one table, with its partitions
//
// It reads and never changes anything: there is no route but GET (and what a mounted handler allows). There is no
// authentication either, so it listens on loopback unless AllowRemote says that something else protects it. Against
// web pages that try to reach it through a visitor's browser, requests must name a loopback host (DNS rebinding), and must
// not come from another origin. Headers, bodies and times are limited.
//
// Faults are RFC 9457 problems (application/problem+json) with the code and hint of internal/failure. Clients of the
// JSON answers must ignore members they do not know.
//
// The package knows nothing of ingestion: it shows what Status gives. It is the only one that touches net/http as a
// server.
package admin
