#include "common/json/reader.h"

#include "common/json/scan.h"
#include "common/limits.h"

#include <string.h>

#define ROWS_PER_BLOCK 4096
#define DECODE_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

struct json_member {
	struct json_text name, value;
};

struct row {
	uint64_t offset;
	uint32_t size;
};

/* Rows come in blocks, so that growing copies no row and wastes at most one block. */
struct row_block {
	struct row rows[ROWS_PER_BLOCK];
};

struct json_table {
	struct row_block **blocks; // owned by the arena
	size_t block_count, block_capacity;
	size_t count;
};

static const char *const table_names[] = {
	"frames",
	"stacks",
	"groups",
	"goroutines",
	"threads",
	"channels",
	"diagnostics",
};

#define TABLE_COUNT (sizeof(table_names) / sizeof(table_names[0]))

static bool text_is(struct json_text text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.bytes, word, text.size) == 0;
}

static struct json_table *find_table(const struct json_reader *r, struct json_text name)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (text_is(name, table_names[i]))
			return &r->tables[i];
	return NULL;
}

static enum cs_status add_row(
	struct json_reader *r, struct json_table *table, uint64_t offset, uint64_t size)
{
	size_t in_block = table->count % ROWS_PER_BLOCK;

	if (size > UINT32_MAX || table->count >= MAX_JSON_ROWS)
		return CS_LIMIT;
	if (in_block == 0) {
		struct row_block **grown = arena_grow(r->arena, table->blocks,
			&table->block_capacity, table->block_count + 1, sizeof(*grown));

		if (!grown)
			return CS_NO_MEMORY;
		table->blocks = grown;
		grown[table->block_count] = arena_alloc(r->arena, sizeof(struct row_block));
		if (!grown[table->block_count])
			return CS_NO_MEMORY;
		table->block_count++;
	}
	table->blocks[table->block_count - 1]->rows[in_block] =
		(struct row){.offset = offset, .size = (uint32_t)size};
	table->count++;
	return CS_OK;
}

static enum cs_status scan_status(const struct json_scan *s)
{
	return s->is_limit ? CS_LIMIT : CS_CORRUPT;
}

/** Steps over a table, noting each row. */
static enum cs_status read_table(
	struct json_reader *r, struct json_scan *s, struct json_table *table)
{
	s->at++;
	if (scan_is_byte(s, ']'))
		return CS_OK;
	do {
		const unsigned char *start;
		enum cs_status status;

		scan_space(s);
		start = s->at;
		if (!scan_value(s, 2))
			return scan_status(s);
		status = add_row(r, table, (uint64_t)((const char *)start - r->bytes),
			(uint64_t)(s->at - start));
		if (status) {
			scan_fail(s, "a table has too many rows, or too large ones");
			return status;
		}
	} while (scan_is_byte(s, ','));
	return scan_byte(s, ']') ? CS_OK : CS_CORRUPT;
}

static enum cs_status add_member(
	struct json_reader *r, struct json_scan *s, struct json_text name, struct json_text value)
{
	for (size_t i = 0; i < r->member_count; i++) {
		struct json_text other = r->members[i].name;

		if (other.size == name.size && !memcmp(other.bytes, name.bytes, name.size)) {
			scan_fail(s, "two members have one name");
			return CS_CORRUPT;
		}
	}
	if (r->member_count == MAX_JSON_MEMBERS) {
		scan_fail(s, "there are too many top-level members");
		return CS_LIMIT;
	}
	r->members[r->member_count++] = (struct json_member){.name = name, .value = value};
	return CS_OK;
}

static enum cs_status read_member(struct json_reader *r, struct json_scan *s)
{
	struct json_text name, value;
	struct json_table *table;
	enum cs_status status;

	if (!scan_byte(s, '"'))
		return CS_CORRUPT;
	name.bytes = (const char *)s->at--;
	if (!scan_string(s, true))
		return scan_status(s);
	name.size = (size_t)((const char *)s->at - name.bytes) - 1;
	if (!scan_byte(s, ':'))
		return CS_CORRUPT;
	scan_space(s);
	value.bytes = (const char *)s->at;
	table = find_table(r, name);
	if (table && table->count) // a second table of this name would add to the first
		table = NULL;
	if (table && s->at < s->end && *s->at == '[')
		status = read_table(r, s, table);
	else
		status = scan_value(s, 1) ? CS_OK : scan_status(s);
	if (status)
		return status;
	value.size = (size_t)((const char *)s->at - value.bytes);
	return add_member(r, s, name, value);
}

static enum cs_status read_document(struct json_reader *r, struct json_scan *s)
{
	if (!scan_is_byte(s, '{')) {
		scan_fail(s, "the document is not a JSON object");
		return CS_CORRUPT;
	}
	if (!scan_is_byte(s, '}')) {
		do {
			enum cs_status status = read_member(r, s);

			if (status)
				return status;
		} while (scan_is_byte(s, ','));
		if (!scan_byte(s, '}'))
			return CS_CORRUPT;
	}
	scan_space(s);
	if (s->at == s->end)
		return CS_OK;
	scan_fail(s, "something follows the document");
	return CS_CORRUPT;
}

enum cs_status jsonr_open(
	struct json_reader *r, struct arena *arena, const char *bytes, size_t size)
{
	struct json_scan s = {.at = (const unsigned char *)bytes};
	enum cs_status status;

	s.end = s.at + size;
	*r = (struct json_reader){.bytes = bytes, .size = size, .arena = arena};
	r->members = arena_array(arena, MAX_JSON_MEMBERS, sizeof(*r->members));
	r->tables = arena_array(arena, TABLE_COUNT, sizeof(*r->tables));
	if (!r->members || !r->tables) {
		r->fault = "out of memory";
		return CS_NO_MEMORY;
	}
	status = read_document(r, &s);
	if (status) {
		r->fault = s.fault;
		r->fault_offset = (size_t)((const char *)s.at - bytes);
	}
	return status;
}

static json_t *decode(struct json_text text)
{
	if (!text.bytes || text.size > MAX_JSON_DECODED)
		return NULL;
	return json_loadb(text.bytes, text.size, DECODE_FLAGS, NULL);
}

struct json_text jsonr_member_text(const struct json_reader *r, const char *name)
{
	for (size_t i = 0; i < r->member_count; i++)
		if (text_is(r->members[i].name, name))
			return r->members[i].value;
	return (struct json_text){0};
}

json_t *jsonr_member(const struct json_reader *r, const char *name)
{
	return decode(jsonr_member_text(r, name));
}

static const struct json_table *table_named(const struct json_reader *r, const char *name)
{
	return find_table(r, (struct json_text){.bytes = name, .size = strlen(name)});
}

size_t jsonr_count(const struct json_reader *r, const char *table)
{
	const struct json_table *found = table_named(r, table);

	return found ? found->count : 0;
}

struct json_text jsonr_row_text(const struct json_reader *r, const char *table, size_t row)
{
	const struct json_table *found = table_named(r, table);
	const struct row *at;

	if (!found || row >= found->count)
		return (struct json_text){0};
	at = &found->blocks[row / ROWS_PER_BLOCK]->rows[row % ROWS_PER_BLOCK];
	return (struct json_text){.bytes = r->bytes + at->offset, .size = at->size};
}

json_t *jsonr_row(const struct json_reader *r, const char *table, size_t row)
{
	return decode(jsonr_row_text(r, table, row));
}

struct json_text jsonr_peek(struct json_text object, const char *key)
{
	struct json_scan s = {.at = (const unsigned char *)object.bytes};

	if (!object.bytes)
		return (struct json_text){0};
	s.end = s.at + object.size;
	if (!scan_is_byte(&s, '{') || scan_is_byte(&s, '}'))
		return (struct json_text){0};
	do {
		struct json_text name, value;

		if (!scan_byte(&s, '"'))
			break;
		name.bytes = (const char *)s.at--;
		if (!scan_string(&s, true))
			break;
		name.size = (size_t)((const char *)s.at - name.bytes) - 1;
		if (!scan_byte(&s, ':'))
			break;
		scan_space(&s);
		value.bytes = (const char *)s.at;
		if (!scan_value(&s, 1))
			break;
		value.size = (size_t)((const char *)s.at - value.bytes);
		if (text_is(name, key))
			return value;
	} while (scan_is_byte(&s, ','));
	return (struct json_text){0};
}

bool jsonr_peek_i64(struct json_text object, const char *key, int64_t *ret)
{
	struct json_text text = jsonr_peek(object, key);
	uint64_t value = 0;
	bool is_negative;
	size_t i = 0;

	if (!text.size || text.size > 20) // null, true, a string: refused at their first byte
		return false;
	is_negative = text.bytes[0] == '-';
	for (i = is_negative; i < text.size; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.bytes[i] - '0');
	}
	*ret = is_negative ? (int64_t)-value : (int64_t)value;
	return true;
}
