// Package embedded runs the real ClickHouse engine (libchdb) in a child process
// of this binary and speaks ClickHouse's HTTP protocol on localhost, so that
// clickhouse-go, curl and any other ClickHouse HTTP client connect unmodified.
//
// Model. The parent (Start) owns the listening port, the data directory's lock
// and the writer key, and supervises one child: the port stays open while a
// crashed child is restarted, so clients wait instead of being refused. The
// child (RunChild) loads the library, and serves each request on a connection
// of its own to the engine: no request sees the settings, current database or
// temporary tables of another.
//
// Two kinds of user. "punchcard" with the writer key may do everything. Anyone
// else ("default", "reader" or no name, no password) is a reader, held by four
// belts: the engine's own readonly=1, one read-only statement by the engine's
// own parser, a closed list of syntax nodes and table functions over that
// parser's tree, and, where the kernel has Landlock, a child that can open no
// file outside its data directory and no TCP connection at all.
//
// Owns: finding and loading the library, the child's life, the protocol, who
// may do what, limits. Does not own: schemas, migrations, what is stored
// (package warehouse), fetching the library (fetch.sh).
//
// Invariants: the library is loaded in the child only; a child never outlives
// its parent; an acknowledged INSERT survives kill -9 of the child; query text
// is never matched to decide what it may do, the parsed tree is.
//
// Not supported, and said so in the answer: external tables in multipart
// bodies. Accepted without effect: session_id (each request stands alone).
package embedded
