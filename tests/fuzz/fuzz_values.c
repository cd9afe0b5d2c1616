// Values over hostile memory: one variable of a struct that has a field of every kind, whose type
// descriptors, maps, channels and bytes the input damages (mkruntime_patch). The first byte says
// which kind of map the release has, the second how deep to read.
#include "analyzer/emit/json_values.h"
#include "tests/lib/mktypes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 20000
#define MAX_MEMORY (256u << 20)
#define MAX_TEXT (64u << 20)
#define KINDS 13

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct sample {
	struct mkruntime *m;
	target_addr types[KINDS], type, variable, hchan;
};

static target_addr basic(struct sample *s, const char *name, enum go_kind kind, uint64_t size)
{
	return mkruntime_type(s->m, name, kind, size);
}

static void make_types(struct sample *s)
{
	struct mkruntime *m = s->m;
	target_addr t_int = basic(s, "int", GO_INT, 8),
		    t_string = basic(s, "string", GO_STRING, 16);
	target_addr t_byte = basic(s, "uint8", GO_UINT8, 1),
		    duration = basic(s, "time.Duration", GO_INT64, 8);
	target_addr pointer = mktypes_of(m, "&main.All", GO_POINTER, 0);
	target_addr map = mktypes_map(m, "map[int]int", t_int, t_int);
	const target_addr types[KINDS] = {t_int, t_string,
		mktypes_of(m, "[]uint8", GO_SLICE, t_byte), mktypes_of(m, "[]int", GO_SLICE, t_int),
		mktypes_array(m, "[2]uint8", t_byte, 2, 2), pointer, map,
		mktypes_of(m, "chan int", GO_CHAN, t_int), mktypes_interface(m, "interface {}", 0),
		mktypes_interface(m, "main.I", 1), basic(s, "func()", GO_FUNC, 8), duration,
		basic(s, "complex128", GO_COMPLEX128, 16)};
	static const char *const names[KINDS] = {"n", "password", "bytes", "list", "array", "next",
		"table", "queue", "any", "iface", "f", "wait", "c"};
	struct mktypes_field fields[KINDS + 1] = {{NULL, 0, 0, false}};

	mktypes_define(m, duration, 48, "time", "String");
	mkruntime_set(m, map, GROUP_SIZE, 136);
	mkruntime_set(m, map, GROUP_SLOT_SIZE, 16);
	mkruntime_set(m, map, GROUP_ELEM_OFFSET, 8);
	for (size_t i = 0; i < KINDS; i++)
		fields[i] = (struct mktypes_field){names[i], types[i], 24 * i, false};
	memcpy(s->types, types, sizeof(types));
	s->type = mktypes_struct(m, "main.All", 24 * KINDS, fields);
	mkruntime_word(m, pointer + 48, s->type);
}

static void make_map(struct sample *s, bool is_old)
{
	struct mkruntime *m = s->m;
	target_addr map = mkruntime_object(m, is_old ? HMAP_COUNT : MAP_USED);
	target_addr group = mkruntime_alloc(m, 160);

	if (is_old) {
		mkruntime_forget(m, GROUP_SIZE);
		mkruntime_forget(m, MAP_USED);
		mkruntime_set(m, s->types[6], BUCKET_KEY_SIZE, 8);
		mkruntime_set(m, s->types[6], BUCKET_ELEM_SIZE, 8);
		mkruntime_set(m, s->types[6], BUCKET_SIZE, 144);
		mkruntime_set(m, map, HMAP_COUNT, 2);
		mkruntime_set(m, map, HMAP_BUCKETS, group);
		mkruntime_word(m, group, 0x0909);
	} else {
		mkruntime_set(m, map, MAP_USED, 2);
		mkruntime_set(m, map, MAP_DIRECTORY, group);
		mkruntime_word(m, group, UINT64_C(0x8080808080800102));
	}
	mkruntime_word(m, s->variable + 24 * 6, map);
}

static void make_values(struct sample *s)
{
	struct mkruntime *m = s->m;
	target_addr at = mkruntime_alloc(m, 24 * KINDS), closure = mkruntime_alloc(m, 16);
	target_addr sudog = mkruntime_object(m, SUDOG_G);

	s->variable = at;
	s->hchan = mkruntime_object(m, HCHAN_COUNT);
	mkruntime_word(m, at, 5);
	mkruntime_string(m, at + 24, "hunter2");
	mkruntime_slice(m, at + 48, at, 9);
	mkruntime_slice(m, at + 72, at, 3);
	mkruntime_word(m, at + 24 * 5, at);
	mkruntime_word(m, at + 24 * 7, s->hchan);
	mkruntime_word(m, at + 24 * 8, s->types[0]);
	mkruntime_word(m, at + 24 * 8 + 8, at);
	mkruntime_word(m, at + 24 * 9, mktypes_itab(m, s->types[9], s->types[5]));
	mkruntime_word(m, at + 24 * 9 + 8, at);
	mkruntime_word(m, at + 24 * 10, closure);
	mkruntime_word(m, closure, mkruntime_pc("main.worker") - 0x40);
	mkruntime_word(m, at + 24 * 11, 1500000000);
	mkruntime_set(m, s->hchan, HCHAN_ELEM_TYPE, s->types[0]);
	mkruntime_set(m, s->hchan, HCHAN_ELEM_SIZE, 8);
	mkruntime_set(m, s->hchan, HCHAN_CAPACITY, 2);
	mkruntime_set(m, s->hchan, HCHAN_COUNT, 1);
	mkruntime_set(m, s->hchan, HCHAN_BUFFER, at);
	mkruntime_set(m, s->hchan, HCHAN_SEND_QUEUE, sudog);
	mkruntime_set(m, sudog, SUDOG_C, s->hchan);
	mkruntime_set(m, sudog, SUDOG_ELEM, at);
	mkruntime_set(m, sudog, SUDOG_G, mkruntime_g(m, 7, 4));
}

static bool append(void *context, const char *bytes, size_t size)
{
	FILE *stream = context;

	return ftell(stream) < (long)MAX_TEXT && fwrite(bytes, 1, size, stream) == size;
}

/** Writes both values, and checks that what a reader gets is JSON without a key twice. */
static void check_json(const struct value *const *list, struct arena *scratch)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	struct json_writer w;
	struct json_values values;
	json_t *json = NULL;
	enum cs_status status;

	if (jsonw_init(&w, append, stream) != CS_OK)
		abort();
	json_values_init(&values, &w, scratch, scratch);
	jsonw_begin_array(&w);
	json_write_variable(&values, list[0], "variable", "main.setPassword");
	json_write_value(&values, list[1], NULL);
	jsonw_end_array(&w);
	status = jsonw_finish(&w);
	jsonw_deinit(&w);
	fclose(stream);
	if (status == CS_OK)
		json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (status == CS_OK && !json)
		abort();
	json_decref(json);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct value_limits limits = {64, 16, size > 1 ? bytes[1] % 12 : 6, 32, 8};
	struct sample s = {.m = mkruntime_create(0)};
	struct value_reader reader;
	struct arena scratch;
	struct type *type;
	struct place place;

	make_types(&s);
	make_values(&s);
	make_map(&s, size && bytes[0] & 1);
	if (size > 2)
		mkruntime_patch(s.m, bytes + 2, (size - 2) / 8);
	if (mkruntime_open(s.m) != CS_OK) {
		mkruntime_destroy(s.m);
		return 0;
	}
	arena_init(&scratch, MAX_MEMORY);
	value_reader_init(&reader, s.m->rt, s.m->types, &limits, NULL);
	value_reader_begin(&reader, &scratch, MAX_VALUES);
	type = types_at(s.m->types, s.type);
	place = place_at(s.variable, true);
	if (type) {
		const struct value *values[] = {
			value_read(&reader, type, &place), value_read_channel(&reader, s.hchan)};

		check_json(values, &scratch);
	}
	arena_deinit(&scratch);
	mkruntime_destroy(s.m);
	return 0;
}
