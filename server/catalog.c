#include "server/catalog.h"

#include "common/limits.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1" // PRAGMA user_version: another one is another layout

#define TEXT_COLUMNS                                                                               \
	"id, captured_at, title, kind, host, executable, go_version, signal, fingerprint"
#define COLUMNS "key, received_ns, size, goroutines, " TEXT_COLUMNS
#define FIRST_TEXT 4 // the column where the texts begin, in the order of enum row_text

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS snapshot (key TEXT PRIMARY KEY, received_ns INTEGER NOT NULL,"
	" size INTEGER NOT NULL, goroutines INTEGER NOT NULL, id TEXT NOT NULL,"
	" captured_at TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL, host TEXT NOT NULL,"
	" executable TEXT NOT NULL, go_version TEXT NOT NULL, signal TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS snapshot_received ON snapshot (received_ns DESC, key DESC);"
	"CREATE INDEX IF NOT EXISTS snapshot_id ON snapshot (id, received_ns);"
	"PRAGMA user_version = " VERSION;

static const char select_list[] =
	"SELECT " COLUMNS " FROM snapshot WHERE (received_ns, key) < (?1, ?2)"
	" AND (?3 IS NULL OR title LIKE ?3 ESCAPE '\\' OR host LIKE ?3 ESCAPE '\\'"
	" OR executable LIKE ?3 ESCAPE '\\' OR go_version LIKE ?3 ESCAPE '\\'"
	" OR kind LIKE ?3 ESCAPE '\\' OR signal LIKE ?3 ESCAPE '\\'"
	" OR fingerprint LIKE ?3 ESCAPE '\\' OR id LIKE ?3 ESCAPE '\\' OR key LIKE ?3 ESCAPE '\\')"
	" ORDER BY received_ns DESC, key DESC LIMIT ?4";

static bool run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;

	return sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK ? statement : NULL;
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = prepare(db, sql);
	int64_t number = -1;

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static sqlite3 *open_file(const char *path, int flags)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, 10000);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	run(db, "PRAGMA trusted_schema = OFF");
	return db;
}

/** Whether the file is sound and of our layout, made now if it was empty. */
static bool prepare_file(sqlite3 *db)
{
	sqlite3_stmt *probe;
	int64_t version = number_of(db, "PRAGMA user_version");

	if (version != 0 && version != atoi(VERSION))
		return false;
	if (!run(db, "PRAGMA journal_mode = WAL") || !run(db, "PRAGMA synchronous = FULL"))
		return false;
	if (!run(db, schema))
		return false;
	probe = prepare(db, "PRAGMA quick_check(1)");
	bool is_sound = probe && sqlite3_step(probe) == SQLITE_ROW &&
			!strcmp((const char *)sqlite3_column_text(probe, 0), "ok");

	sqlite3_finalize(probe);
	return is_sound;
}

enum cs_status catalog_open(struct catalog *catalog, const char *path)
{
	*catalog = (struct catalog){0};
	pthread_mutex_init(&catalog->write_lock, NULL);
	pthread_mutex_init(&catalog->read_lock, NULL);
	catalog->writer = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (catalog->writer && prepare_file(catalog->writer))
		catalog->reader = open_file(path, SQLITE_OPEN_READWRITE);
	if (catalog->reader)
		return CS_OK;
	catalog_close(catalog);
	return CS_CORRUPT;
}

void catalog_close(struct catalog *catalog)
{
	sqlite3_close(catalog->reader);
	sqlite3_close(catalog->writer);
	pthread_mutex_destroy(&catalog->write_lock);
	pthread_mutex_destroy(&catalog->read_lock);
}

static bool bind_row(sqlite3_stmt *s, const struct snapshot_row *row)
{
	bool ok = sqlite3_bind_text(s, 1, row->key, -1, SQLITE_STATIC) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 2, row->received_ns) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 3, (int64_t)row->size) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 4, row->goroutines) == SQLITE_OK;

	for (int i = 0; ok && i < ROW_TEXT_COUNT; i++)
		ok = sqlite3_bind_text(s, FIRST_TEXT + 1 + i, row->texts[i], -1, SQLITE_STATIC) ==
		     SQLITE_OK;
	return ok;
}

enum cs_status catalog_put(struct catalog *catalog, const struct snapshot_row *row)
{
	sqlite3_stmt *s;
	bool ok;

	pthread_mutex_lock(&catalog->write_lock);
	s = prepare(catalog->writer,
		"INSERT OR REPLACE INTO snapshot (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
	ok = s && bind_row(s, row) && sqlite3_step(s) == SQLITE_DONE;
	sqlite3_finalize(s);
	pthread_mutex_unlock(&catalog->write_lock);
	return ok ? CS_OK : CS_IO;
}

bool catalog_has(struct catalog *catalog, const char *key)
{
	sqlite3_stmt *s;
	bool is_there;

	pthread_mutex_lock(&catalog->write_lock);
	s = prepare(catalog->writer, "SELECT 1 FROM snapshot WHERE key = ?");
	is_there = s && sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC) == SQLITE_OK &&
		   sqlite3_step(s) == SQLITE_ROW;
	sqlite3_finalize(s);
	pthread_mutex_unlock(&catalog->write_lock);
	return is_there;
}

enum cs_status catalog_prune(struct catalog *catalog,
	bool (*is_gone)(void *context, const char *key), void *context, size_t *ret)
{
	sqlite3_stmt *all = prepare(catalog->reader, "SELECT key FROM snapshot");
	sqlite3_stmt *remove = prepare(catalog->writer, "DELETE FROM snapshot WHERE key = ?");
	enum cs_status status = all && remove ? CS_OK : CS_IO;
	size_t removed = 0;

	while (!status && sqlite3_step(all) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(all, 0);

		if (!key || !is_gone(context, key))
			continue;
		sqlite3_bind_text(remove, 1, key, -1, SQLITE_TRANSIENT);
		if (sqlite3_step(remove) != SQLITE_DONE)
			status = CS_IO;
		sqlite3_reset(remove);
		removed++;
	}
	sqlite3_finalize(all);
	sqlite3_finalize(remove);
	*ret = removed;
	return status;
}

enum cs_status catalog_begin(struct catalog *catalog)
{
	return run(catalog->writer, "BEGIN IMMEDIATE") ? CS_OK : CS_IO;
}

enum cs_status catalog_end(struct catalog *catalog)
{
	return run(catalog->writer, "COMMIT") ? CS_OK : CS_IO;
}

const char *catalog_find(struct catalog *catalog, const char *id, struct arena *arena)
{
	const char *key = NULL;
	sqlite3_stmt *s;

	pthread_mutex_lock(&catalog->read_lock);
	s = prepare(catalog->reader,
		"SELECT key FROM snapshot WHERE id = ? ORDER BY received_ns DESC LIMIT 1");
	if (s && sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW)
		key = arena_string(arena, (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	pthread_mutex_unlock(&catalog->read_lock);
	return key;
}

static bool read_row(sqlite3_stmt *s, struct arena *arena, struct snapshot_row *ret)
{
	const char *key = (const char *)sqlite3_column_text(s, 0);

	*ret = (struct snapshot_row){.key = arena_string(arena, key ? key : ""),
		.received_ns = sqlite3_column_int64(s, 1),
		.size = (uint64_t)sqlite3_column_int64(s, 2),
		.goroutines = sqlite3_column_int64(s, 3)};
	for (int i = 0; i < ROW_TEXT_COUNT; i++) {
		const char *text = (const char *)sqlite3_column_text(s, FIRST_TEXT + i);

		ret->texts[i] = arena_string(arena, text ? text : "");
		if (!ret->texts[i])
			return false;
	}
	return ret->key != NULL;
}

/** %search% with LIKE's own signs escaped; NULL for no search. */
static const char *pattern_of(const char *search, struct arena *arena)
{
	char *pattern, *at;

	if (!search || !*search)
		return NULL;
	pattern = at = arena_alloc(arena, 2 * strlen(search) + 3);
	if (!pattern)
		return NULL;
	*at++ = '%';
	for (; *search; search++) {
		if (strchr("%_\\", *search))
			*at++ = '\\';
		*at++ = *search;
	}
	*at = '%';
	return pattern;
}

static sqlite3_stmt *begin_list(
	struct catalog *catalog, const struct catalog_query *query, struct arena *arena)
{
	sqlite3_stmt *s = prepare(catalog->reader, select_list);
	int64_t from = query->after_ns ? query->after_ns : INT64_MAX;
	const char *key = query->after_key ? query->after_key : "";

	if (!s)
		return NULL;
	sqlite3_bind_int64(s, 1, from);
	sqlite3_bind_text(s, 2, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, pattern_of(query->search, arena), -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 4, (int64_t)query->limit + 1);
	return s;
}

enum cs_status catalog_list(struct catalog *catalog, const struct catalog_query *query,
	struct arena *arena, struct snapshot_row **ret, size_t *ret_count)
{
	struct snapshot_row *rows = arena_array(arena, query->limit + 1, sizeof(*rows));
	enum cs_status status = CS_OK;
	sqlite3_stmt *s;
	size_t count = 0;
	int step = SQLITE_ERROR;

	if (!rows)
		return CS_NO_MEMORY;
	pthread_mutex_lock(&catalog->read_lock);
	s = begin_list(catalog, query, arena);
	while (s && !status && (step = sqlite3_step(s)) == SQLITE_ROW && count <= query->limit)
		if (!read_row(s, arena, &rows[count++]))
			status = CS_NO_MEMORY;
	sqlite3_finalize(s);
	pthread_mutex_unlock(&catalog->read_lock);
	if (status)
		return status;
	if (step != SQLITE_DONE)
		return CS_IO;
	*ret = rows;
	*ret_count = count;
	return CS_OK;
}

uint64_t catalog_count(struct catalog *catalog)
{
	int64_t count;

	pthread_mutex_lock(&catalog->read_lock);
	count = number_of(catalog->reader, "SELECT count(*) FROM snapshot");
	pthread_mutex_unlock(&catalog->read_lock);
	return count < 0 ? 0 : (uint64_t)count;
}
