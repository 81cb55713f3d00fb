// Package restserve serves any catalog of iceberg-go as a read-only Iceberg REST catalog, so that engines attach to
// what the daemon writes without a catalog server of their own.
//
// The handler sees the paths of the Iceberg REST specification, beginning with /v1, without a prefix segment:
//
//	GET        /v1/config                                what there is (the list "endpoints")
//	GET        /v1/namespaces[?parent=NS]                the namespaces directly below one
//	GET, HEAD  /v1/namespaces/{NS}
//	GET        /v1/namespaces/{NS}/tables
//	GET, HEAD  /v1/namespaces/{NS}/tables/{TABLE}        with ?snapshots=refs only the snapshots that refs name
//	POST       /v1/namespaces/{NS}/tables/{TABLE}/metrics  204, forgotten
//	GET        /v1/namespaces/{NS}/views                 none
//
// NS is the levels of a namespace with 0x1F between them. Every other method answers 405, a fault that each client
// takes as "not done", never as "unknown". Lists come whole: page tokens are ignored, as the specification allows.
//
// Every request asks the catalog again, so that an answer is never older than the request. A fault of the catalog is
// 503 with Retry-After and says nothing more: its text may hold addresses and credentials. Nothing that opens the
// warehouse is ever handed out: clients read the files with credentials of their own.
//
// With the daemon's listener (internal/admin mounts the handler under /catalog, on loopback) these lines attach:
//
//	DuckDB
//	  INSTALL iceberg; LOAD iceberg;
//	  ATTACH '' AS shop (TYPE iceberg, ENDPOINT 'http://127.0.0.1:8282/catalog', AUTHORIZATION_TYPE 'none');
//	  SELECT count(*) FROM shop.shop.clicks;
//
//	PyIceberg
//	  from pyiceberg.catalog import load_catalog
//	  shop = load_catalog("shop", type="rest", uri="http://127.0.0.1:8282/catalog")
//	  shop.load_table("shop.clicks").scan().count()
package restserve
