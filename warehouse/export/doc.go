// Package export writes answers of the warehouse to files: Parquet, Arrow and CSV.
//
// Model. A SELECT comes as Arrow records and goes to the file as they come. The
// file is made under another name beside its own, brought to the disk and
// renamed: under its name there is a whole export or nothing.
//
// Owns: file formats, what of an answer is in memory. Does not own: the
// connection and the protocol (package warehouse), names of tables (package sql).
//
// Invariants:
//   - Memory does not grow with the answer: one record and one row group (at most
//     rowGroupRows rows or about rowGroupBytes bytes) at a time.
//   - Values are those of ClickHouse: decimals exact, times with their zone,
//     Map, Array and Tuple as such. What Arrow has no word for (enums, UUIDs,
//     addresses, numbers of more than 64 bits) is text.
//   - A file is readable by its owner alone: it may hold customers' data.
package export
