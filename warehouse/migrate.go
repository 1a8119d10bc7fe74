package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/sql"
)

const (
	migrateTimeout = 2 * time.Minute
	// viewsVersion is the row of schema_migrations that holds the views' hash.
	viewsVersion = 0
)

// ErrNewer says that the database was made by a newer binary.
var ErrNewer = errors.New("warehouse: the database is newer than this binary")

// The version table. The newest row of a version counts.
const versionTable = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32 COMMENT 'Number of the migration; 0: the views',
    name String COMMENT 'What it made',
    hash String COMMENT 'Hash of the file, or of all views',
    applied_time DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied, wall clock, UTC'
)
ENGINE = ReplacingMergeTree(applied_time)
ORDER BY version
COMMENT 'Which migrations the database has. Source: Migrate'`

// Migrate makes the database, runs the migrations that it has not had, in
// order, and makes the views anew if any changed. It can be run again at any
// time. One process at a time should run it.
func (w *Warehouse) Migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	if err := w.server.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+w.cfg.Database); err != nil {
		return w.failed("making the database", err)
	}
	if err := w.conn.Exec(ctx, versionTable); err != nil {
		return w.failed("making table schema_migrations", err)
	}
	have, err := w.versions(ctx)
	if err != nil {
		return err
	}
	migrations, err := sql.Migrations()
	if err != nil {
		return err
	}
	for v := range have {
		if v > len(migrations) {
			return fmt.Errorf("%w: database %s at %s has migration %d, this binary knows %d: use the newer binary", ErrNewer, w.cfg.Database, w.where, v, len(migrations))
		}
	}
	for i := range migrations {
		if err := w.migrate(ctx, &migrations[i], have); err != nil {
			return err
		}
	}
	return w.makeViews(ctx, have[viewsVersion])
}

func (w *Warehouse) migrate(ctx context.Context, f *sql.File, have map[int]string) error {
	hash := sql.Hash([]sql.File{*f})
	if was, ok := have[f.Number]; ok {
		if was != hash {
			return fmt.Errorf("warehouse: migration %s was changed after database %s at %s had it: add a new migration instead, or use another database", f.Path, w.cfg.Database, w.where)
		}
		return nil
	}
	// Statements are idempotent: one that ran before a crash runs again.
	for _, s := range f.Statements {
		if err := w.conn.Exec(ctx, s); err != nil {
			return w.failed("migration "+f.Path, err)
		}
	}
	return w.noteVersion(ctx, f.Number, f.Name, hash)
}

func (w *Warehouse) makeViews(ctx context.Context, was string) error {
	views, err := sql.Views()
	if err != nil {
		return err
	}
	hash := sql.Hash(views)
	if was == hash {
		return nil
	}
	for _, f := range views {
		for _, s := range f.Statements {
			if err := w.conn.Exec(ctx, s); err != nil {
				return w.failed("view "+f.Path, err)
			}
		}
	}
	return w.noteVersion(ctx, viewsVersion, "views", hash)
}

func (w *Warehouse) noteVersion(ctx context.Context, version int, name, hash string) error {
	err := w.conn.Exec(ctx, "INSERT INTO schema_migrations (version, name, hash) VALUES ($1, $2, $3)", version, name, hash)
	if err != nil {
		return w.failed("noting migration "+name, err)
	}
	return nil
}

func (w *Warehouse) versions(ctx context.Context) (map[int]string, error) {
	rows, err := w.conn.Query(ctx, "SELECT version, argMax(hash, applied_time) FROM schema_migrations GROUP BY version")
	if err != nil {
		return nil, w.failed("reading schema_migrations", err)
	}
	defer rows.Close()
	have := make(map[int]string)
	for rows.Next() {
		var version uint32
		var hash string
		if err := rows.Scan(&version, &hash); err != nil {
			return nil, w.failed("reading schema_migrations", err)
		}
		have[int(version)] = hash
	}
	if err := rows.Err(); err != nil {
		return nil, w.failed("reading schema_migrations", err)
	}
	return have, nil
}
