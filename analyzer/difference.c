#include "analyzer/difference.h"

#include "common/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void release(json_t **value)
{
	json_decref(*value);
}

#define HELD __attribute__((cleanup(release)))

/* One side on its way into the tables. */
struct reading {
	struct difference *d;
	const struct json_reader *r;
	struct arena *arena;
	enum difference_side side;
	const char **keys; // of frames that were looked at
	size_t key_count;
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325; // FNV-1a

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash;
}

/** The row called `name`, made if there is none. NULL: no memory, or no room (is_cut). */
static struct difference_row *row_of(struct difference_table *table, const char *name)
{
	uint64_t hash = name ? hash_text(name) : 0, at;
	struct difference_row *grown;

	if (!name)
		return NULL;
	// Two names of one hash lie beside each other.
	for (; u64map_get(&table->by_name, hash, &at); hash++)
		if (!strcmp(table->rows[at].name, name))
			return &table->rows[at];
	table->is_cut = table->count == MAX_DIFFERENCE_ROWS;
	if (table->is_cut)
		return NULL;
	grown = arena_grow(
		table->arena, table->rows, &table->capacity, table->count + 1, sizeof(*grown));
	if (!grown || !u64map_put(&table->by_name, hash, table->count))
		return NULL;
	table->rows = grown;
	grown[table->count] = (struct difference_row){.name = name, .wait_max = {-1, -1}};
	return &grown[table->count++];
}

static enum cs_status no_row(const struct difference_table *table)
{
	return table->is_cut ? CS_OK : CS_NO_MEMORY;
}

static enum cs_status add(
	struct reading *reading, struct difference_table *table, const char *name, int64_t amount)
{
	struct difference_row *row = row_of(table, name);

	if (!row)
		return no_row(table);
	row->values[reading->side].is_there = true;
	if (__builtin_add_overflow(row->values[reading->side].integer, amount,
		    &row->values[reading->side].integer))
		return CS_CORRUPT;
	return CS_OK;
}

static enum cs_status add_real(struct reading *reading, const char *name, double amount)
{
	struct difference_row *row = row_of(&reading->d->numbers, name);

	if (!row)
		return no_row(&reading->d->numbers);
	row->values[reading->side] =
		(struct difference_number){.is_there = true, .is_real = true, .real = amount};
	return CS_OK;
}

static const char *copy(struct arena *arena, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? arena_string(arena, text) : NULL;
}

/** Points in time are other ones each time. */
static bool is_time(const char *key)
{
	size_t size = strlen(key);

	return !strcmp(key, "LastGC") || (size > 8 && !strcmp(key + size - 8, "_unix_ns"));
}

static enum cs_status add_numbers(
	struct reading *reading, const char *name, json_t *value, unsigned int depth);

static enum cs_status add_members(
	struct reading *reading, const char *name, json_t *object, unsigned int depth)
{
	enum cs_status status = CS_OK;
	const char *key;
	json_t *member;

	json_object_foreach(object, key, member)
	{
		if (status || is_time(key))
			continue;
		status = add_numbers(reading, arena_format(reading->arena, "%s.%s", name, key),
			member, depth + 1);
	}
	return status;
}

/** Rows of a list that have a name or type of their own; others have no other side. */
static enum cs_status add_list(
	struct reading *reading, const char *name, json_t *list, unsigned int depth)
{
	enum cs_status status = CS_OK;
	json_t *member;
	size_t i;

	json_array_foreach(list, i, member)
	{
		const char *own = json_string_value(json_object_get(member, "type"));

		if (!own)
			own = json_string_value(json_object_get(member, "name"));
		if (own && !status)
			status = add_members(reading,
				arena_format(reading->arena, "%s[%s]", name, own), member,
				depth + 1);
	}
	return status;
}

static enum cs_status add_numbers(
	struct reading *reading, const char *name, json_t *value, unsigned int depth)
{
	if (!name)
		return CS_NO_MEMORY;
	if (depth > MAX_DIFFERENCE_DEPTH)
		return CS_OK;
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		return add(reading, &reading->d->numbers, name, json_integer_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return add(reading, &reading->d->numbers, name, json_is_true(value));
	case JSON_REAL:
		return add_real(reading, name, json_real_value(value));
	case JSON_OBJECT:
		return add_members(reading, name, value, depth);
	case JSON_ARRAY:
		return add_list(reading, name, value, depth);
	default:
		return CS_OK;
	}
}

static enum cs_status read_numbers(struct reading *reading)
{
	static const char *const members[] = {
		"goroutines_total", "gc", "memory", "timers_total", "descriptors_total"};
	enum cs_status status = add(reading, &reading->d->numbers, "threads",
		(int64_t)jsonr_count(reading->r, "threads"));

	for (size_t i = 0; !status && i < sizeof(members) / sizeof(members[0]); i++) {
		HELD json_t *value = jsonr_member(reading->r, members[i]);

		if (value)
			status = add_numbers(reading, members[i], value, 0);
	}
	return status;
}

static enum cs_status read_scheduler(struct reading *reading)
{
	HELD json_t *scheduler = jsonr_member(reading->r, "scheduler");
	struct difference_table *queues = &reading->d->queues;
	const json_t *total = json_object_get(scheduler, "global_queue_total");
	json_t *stats = json_object_get(scheduler, "stats"), *row;
	const json_t *processors = json_object_get(scheduler, "processors");
	enum cs_status status = CS_OK;
	size_t i;

	if (json_is_integer(total))
		status = add(
			reading, queues, "run queue of all processors", json_integer_value(total));
	json_array_foreach(processors, i, row)
	{
		const json_t *queued = json_object_get(row, "queue_total");
		bool has_next = json_is_object(json_object_get(row, "run_next"));
		int64_t id = json_integer_value(json_object_get(row, "id"));

		if (!status && json_is_integer(queued))
			status = add(reading, queues,
				arena_format(reading->arena, "run queue of processor %lld",
					(long long)id),
				json_integer_value(queued));
		if (!status && has_next)
			status = add(reading, queues,
				arena_format(reading->arena, "run queue of processor %lld",
					(long long)id),
				1);
	}
	return status || !stats ? status : add_numbers(reading, "scheduler", stats, 0);
}

/** What of one queue's row is counted. */
static enum cs_status add_queue(struct reading *reading, const char *name, const json_t *row)
{
	static const char *const members[][2] = {{"length", "elements"},
		{"send_queue_total", "senders"}, {"receive_queue_total", "receivers"},
		{"waiters_total", "waiters"}};
	enum cs_status status = name ? CS_OK : CS_NO_MEMORY;

	for (size_t i = 0; !status && i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *value = json_object_get(row, members[i][0]);

		if (json_is_integer(value))
			status = add(reading, &reading->d->queues,
				arena_format(reading->arena, "%s: %s", name, members[i][1]),
				json_integer_value(value));
	}
	return status;
}

/** Channels of one process have addresses to know them by, those of two only what they are. */
static enum cs_status read_channels(struct reading *reading)
{
	size_t count = jsonr_count(reading->r, "channels");
	enum cs_status status = CS_OK;

	for (size_t i = 0; !status && i < count; i++) {
		HELD json_t *row = jsonr_row(reading->r, "channels", i);
		const char *type = json_string_value(json_object_get(row, "element_type"));
		const char *address = json_string_value(json_object_get(row, "address"));
		long long capacity = json_integer_value(json_object_get(row, "capacity"));
		const char *name = arena_format(reading->arena, "channels of %s, capacity %lld",
			type ? type : "?", capacity);

		if (reading->d->is_same_process)
			name = arena_format(reading->arena, "chan %s at %s", type ? type : "?",
				address ? address : "?");
		status = add_queue(reading, name, row);
	}
	return status;
}

static enum cs_status read_sync(struct reading *reading)
{
	HELD json_t *sync = jsonr_member(reading->r, "sync");
	enum cs_status status = CS_OK;
	json_t *row;
	size_t i;

	json_array_foreach(sync, i, row)
	{
		const char *kind = json_string_value(json_object_get(row, "kind"));
		const char *address = json_string_value(json_object_get(row, "address"));

		if (!status && kind)
			status = add_queue(reading,
				reading->d->is_same_process && address
					? arena_format(reading->arena, "%s at %s", kind, address)
					: arena_format(reading->arena, "all of kind %s", kind),
				row);
	}
	return status;
}

/** The grouping key of frame `index`, or its function's name; NULL: no memory. */
static const char *frame_key(struct reading *reading, int64_t index)
{
	const char *key;

	if (index < 0 || (uint64_t)index >= reading->key_count)
		return "?";
	if (!reading->keys[index]) {
		HELD json_t *row = jsonr_row(reading->r, "frames", (size_t)index);

		key = copy(reading->arena, row, "key");
		reading->keys[index] = key ? key : copy(reading->arena, row, "function");
		if (!reading->keys[index])
			reading->keys[index] = "?";
	}
	return reading->keys[index];
}

/** Status, reason and all keys of a group, so that lines and addresses may differ. */
static enum cs_status name_group(
	struct reading *reading, const json_t *row, struct difference_row *ret)
{
	const json_t *index = json_object_get(row, "stack");
	HELD json_t *stack =
		json_is_integer(index) && json_integer_value(index) >= 0
			? jsonr_row(reading->r, "stacks", (size_t)json_integer_value(index))
			: NULL;
	size_t size, count = json_array_size(stack);
	char *name, *at;

	if (count > MAX_DIFFERENCE_FRAMES)
		count = MAX_DIFFERENCE_FRAMES;
	*ret = (struct difference_row){.status = copy(reading->arena, row, "status"),
		.reason = copy(reading->arena, row, "wait_reason"),
		.frames = arena_array(reading->arena, count + 1, sizeof(*ret->frames)),
		.frame_count = count};
	if (!ret->frames)
		return CS_NO_MEMORY;
	if (!ret->status)
		ret->status = "?";
	size = strlen(ret->status) + (ret->reason ? strlen(ret->reason) : 0) + 3;
	for (size_t i = 0; i < count; i++) {
		ret->frames[i] = frame_key(reading, json_integer_value(json_array_get(stack, i)));
		size += strlen(ret->frames[i]) + 1;
	}
	name = arena_alloc(reading->arena, size);
	if (!name)
		return CS_NO_MEMORY;
	at = stpcpy(stpcpy(stpcpy(name, ret->status), "\n"), ret->reason ? ret->reason : "");
	for (size_t i = 0; i < count; i++)
		at = stpcpy(stpcpy(at, "\n"), ret->frames[i]);
	ret->name = name;
	return CS_OK;
}

static enum cs_status read_group(struct reading *reading, const json_t *row)
{
	const json_t *wait = json_object_get(row, "wait_max_ns");
	const json_t *example = json_array_get(json_object_get(row, "examples"), 0);
	int64_t count = json_integer_value(json_object_get(row, "count"));
	struct difference_row named, *group;
	enum cs_status status = name_group(reading, row, &named);

	if (status)
		return status;
	status = add(reading, &reading->d->groups, named.name, count);
	group = status ? NULL : row_of(&reading->d->groups, named.name);
	if (!group)
		return status ? status : no_row(&reading->d->groups);
	if (!group->status) {
		group->status = named.status;
		group->reason = named.reason;
		group->frames = named.frames;
		group->frame_count = named.frame_count;
	}
	if (json_is_integer(wait) && json_integer_value(wait) > group->wait_max[reading->side])
		group->wait_max[reading->side] = json_integer_value(wait);
	if (!group->example[reading->side])
		group->example[reading->side] = json_integer_value(example);
	return CS_OK;
}

static enum cs_status read_groups(struct reading *reading)
{
	size_t count = jsonr_count(reading->r, "groups");
	enum cs_status status = CS_OK;

	reading->key_count = jsonr_count(reading->r, "frames");
	reading->keys = arena_array(reading->arena, reading->key_count + 1, sizeof(*reading->keys));
	if (!reading->keys)
		return CS_NO_MEMORY;
	for (size_t i = 0; !status && i < count; i++) {
		HELD json_t *row = jsonr_row(reading->r, "groups", i);

		status = json_is_object(row) ? read_group(reading, row) : CS_CORRUPT;
	}
	return status;
}

static void read_origin(
	const struct json_reader *r, struct arena *arena, struct difference_origin *ret)
{
	HELD json_t *crash = jsonr_member(r, "crash");
	HELD json_t *binary = jsonr_member(r, "binary");
	HELD json_t *process = jsonr_member(r, "process");
	HELD json_t *host = jsonr_member(r, "host");
	HELD json_t *captured = jsonr_member(r, "captured_at");
	HELD json_t *total = jsonr_member(r, "goroutines_total");
	const char *slash;

	*ret = (struct difference_origin){.title = copy(arena, crash, "title"),
		.fingerprint = copy(arena, crash, "fingerprint"),
		.go_version = copy(arena, binary, "go_version"),
		.build_id = copy(arena, binary, "go_build_id"),
		.program = copy(arena, json_object_get(binary, "main"), "path"),
		.host = copy(arena, host, "hostname"),
		.pid = json_integer_value(json_object_get(process, "pid")),
		.goroutines = json_integer_value(total)};
	if (json_is_string(captured))
		ret->captured_at = arena_string(arena, json_string_value(captured));
	if (ret->program)
		return;
	ret->program = copy(arena, process, "executable");
	slash = ret->program ? strrchr(ret->program, '/') : NULL;
	if (slash)
		ret->program = slash + 1;
}

static bool is_equal(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

void difference_open(
	struct difference *d, struct arena *arena, const struct json_reader readers[SIDES])
{
	const struct difference_origin *a = &d->origins[SIDE_A], *b = &d->origins[SIDE_B];
	struct difference_table *const tables[] = {&d->groups, &d->queues, &d->numbers};

	*d = (struct difference){.is_same_build = false};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		tables[i]->arena = arena;
		u64map_init(&tables[i]->by_name, arena);
	}
	for (int side = 0; side < SIDES; side++)
		read_origin(&readers[side], arena, &d->origins[side]);
	d->is_same_build = is_equal(a->build_id, b->build_id);
	d->is_same_process =
		d->is_same_build && a->pid && a->pid == b->pid && is_equal(a->host, b->host);
}

bool difference_is_one_program(const struct difference *d)
{
	return is_equal(d->origins[SIDE_A].program, d->origins[SIDE_B].program);
}

static double value(const struct difference_number *number)
{
	return number->is_real ? number->real : (double)number->integer;
}

double difference_delta(const struct difference_row *row)
{
	return value(&row->values[SIDE_B]) - value(&row->values[SIDE_A]);
}

static bool differs(const struct difference_row *row)
{
	const struct difference_number *a = &row->values[SIDE_A], *b = &row->values[SIDE_B];

	if (a->is_there != b->is_there || a->is_real != b->is_real)
		return true;
	return a->is_real ? a->real < b->real || a->real > b->real : a->integer != b->integer;
}

static void keep_differing(struct difference_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++)
		if (differs(&table->rows[i]))
			table->rows[kept++] = table->rows[i];
	table->count = kept;
}

static int compare_groups(const void *a, const void *b)
{
	double x = fabs(difference_delta(a)), y = fabs(difference_delta(b));

	if (x > y || x < y)
		return x > y ? -1 : 1;
	return strcmp(
		((const struct difference_row *)a)->name, ((const struct difference_row *)b)->name);
}

enum cs_status difference_find(
	struct difference *d, struct arena *arena, const struct json_reader readers[SIDES])
{
	static enum cs_status (*const parts[])(struct reading *) = {
		read_groups, read_scheduler, read_channels, read_sync, read_numbers};

	for (int side = 0; side < SIDES; side++) {
		struct reading reading = {.d = d,
			.r = &readers[side],
			.arena = arena,
			.side = (enum difference_side)side};

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			enum cs_status status = parts[i](&reading);

			if (status)
				return status;
		}
	}
	keep_differing(&d->groups);
	keep_differing(&d->queues);
	keep_differing(&d->numbers);
	if (d->groups.count)
		qsort(d->groups.rows, d->groups.count, sizeof(*d->groups.rows), compare_groups);
	return CS_OK;
}

bool difference_is_any(const struct difference *d)
{
	const struct difference_origin *a = &d->origins[SIDE_A], *b = &d->origins[SIDE_B];
	bool has_other_crash =
		(a->fingerprint || b->fingerprint) && !is_equal(a->fingerprint, b->fingerprint);

	return has_other_crash || d->groups.count || d->queues.count || d->numbers.count;
}
