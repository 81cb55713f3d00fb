// Package day lets tables grow for a day of a compressed clock: a commit of a small file every five seconds into a real
// catalog and real files, with maintenance in between as the daemon does it. What a table is like at the end is compared
// with what it was like after its first hour: files, metadata, the time of a commit and of a scan.
//
//	make day DAYHOURS=24 DAYTABLES=20
package day
