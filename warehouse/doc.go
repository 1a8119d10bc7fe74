// Package warehouse is the door to ClickHouse: connect, migrate, append, ask.
//
// Model. ClickHouse is a reader beside the road: what is in it came from the
// ledger and can be made again from it. It says itself how far it is: Positions
// gives the newest sequence of a table in each partition. Insert appends one
// block of columns, atomically; a token lets the same insert be sent again.
//
// Owns: the connection (clickhouse-go over HTTP or the native protocol), the
// version table schema_migrations, deadlines, the SQL of verify.
//
// Does not own: tables and views (package sql), which rows an entry makes
// (processors/sink), the engine (warehouse/embedded), Kafka.
//
// Invariants:
//   - One Insert is one block and one part: all of it is there or nothing.
//   - The same token and rows inserted twice are there once (tried on the real
//     engine by TestInsertTwiceIsOnce).
//   - Every call has a deadline and every answer a limit.
package warehouse
