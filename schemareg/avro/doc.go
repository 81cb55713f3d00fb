// Package avro turns Avro records into columns.
//
// Job: Parse reads a writer schema; Fields proposes table columns for it; Diff says what a table lacks for it; Compile
// makes a Program, which walks a record's bytes once and appends its values to the columns of a set.
//
// A record is decoded with its writer schema only. There is no Avro schema resolution: it would drop fields and fill
// in defaults unseen. Fields and columns meet by name, below a record, a list, a map and a union alike.
//
// How types become columns (Fields), and what else Compile accepts:
//
//	null                      no column; nor for what holds nothing but nulls
//	boolean, int, long        the same; int also fills long
//	float, double             the same; float also fills double
//	bytes, fixed(n), string   binary, fixed[n], string
//	enum                      string
//	decimal(p,s)              decimal(p,s), also a higher precision; string when p > 38 or s is not in 0..p
//	date                      date
//	time-millis, -micros      time; also long, which then holds microseconds of the day
//	timestamp-millis, -micros timestamptz; also timestamptz_ns
//	timestamp-nanos           timestamptz_ns; also timestamptz, rounded down to microseconds
//	local-timestamp-*         timestamp, timestamp_ns, likewise
//	uuid (string, fixed(16))  uuid; also string; fixed(16) also fixed[16]
//	duration                  string, ISO 8601: P1M2DT3.004S; also fixed[12]
//	record                    struct
//	array, map                list, map with string keys
//	["null", T]               optional T, in either order
//	other unions              struct with one optional member per branch, named by the branch: a primitive, array or map
//	                          by its type ("long"), a named type by its name without namespace, with it ("a_b_Name")
//	                          when two branches would be called the same
//	unknown logical type      as if it were not there; so is one that is not valid
//
// A map keeps its entries as they were written, the same key twice included. A string is taken as it is; that it is UTF-8
// is the column's business, which replaces and counts what is not.
//
// Connect's connect.* properties do not count: a connect.type of int8 or int16 is an int.
// Recursive types are refused.
//
// Invariants:
//   - no input makes a Program panic, read outside of the record, loop longer than the record's length allows, or
//     append more than a bounded multiple of it;
//   - Decode appends exactly one row to every column it is responsible for, or returns an error that is Poison and
//     names the field; then the caller truncates;
//   - Decode allocates nothing but the columns' own growth.
//
// The slow path through goavro (Preview) serves people who look at single records. The package does no I/O.
package avro
