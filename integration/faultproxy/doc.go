// Package faultproxy stands between a program under test and its servers and breaks a share of the calls: HTTP for
// catalogs and object stores, Kafka's frames for brokers.
//
// A call breaks in one of four ways. Before: it never reaches the server. After: the server has done it, and the
// answer is lost. Cut: the connection ends within the request or within the answer. Late: the caller is told at once
// that it failed, and the server does it a while later. Bytes and headers of calls that are not broken pass unchanged,
// so signatures and checksums hold.
//
// Which call breaks how follows from the seed and the number of the call; what the number of a call is depends on the
// machine, so a seed repeats the pressure and not the schedule. The package knows nothing of the product.
package faultproxy
