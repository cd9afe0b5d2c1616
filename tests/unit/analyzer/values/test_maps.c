// Maps of both kinds, whole, growing, and damaged; channels with their queues.
#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BUCKET_BYTES (8 + 8 * 8 + 8 * 8 + 8) // of map[int]int: tophash, keys, elems, overflow
#define GROUP_BYTES (8 + 8 * 16)             // control word, slots
#define EMPTY 0x80
#define DELETED 0xfe

static struct values *create_old(target_addr *type_ret)
{
	struct values *v = values_create();

	mkruntime_forget(v->m, GROUP_SIZE);
	mkruntime_forget(v->m, MAP_USED);
	*type_ret = mktypes_map(v->m, "map[int]int", v->t_int, v->t_int);
	mkruntime_set(v->m, *type_ret, BUCKET_KEY_SIZE, 8);
	mkruntime_set(v->m, *type_ret, BUCKET_ELEM_SIZE, 8);
	mkruntime_set(v->m, *type_ret, BUCKET_SIZE, BUCKET_BYTES);
	return v;
}

static void put_byte(struct mkruntime *m, target_addr at, uint8_t byte)
{
	memcpy((uint8_t *)mkruntime_at(m, at & ~UINT64_C(7)) + (at & 7), &byte, 1);
}

/** Cell `i` of a bucket: its mark, its key, and ten times that. */
static void set_cell(
	struct values *v, target_addr bucket, unsigned int i, uint8_t top, uint64_t key)
{
	put_byte(v->m, bucket + i, top);
	mkruntime_word(v->m, bucket + 8 + 8 * i, key);
	mkruntime_word(v->m, bucket + 72 + 8 * i, 10 * key);
}

static target_addr make_hmap(struct values *v, uint64_t count, uint64_t bits, target_addr buckets)
{
	target_addr hmap = mkruntime_object(v->m, HMAP_COUNT), at = mkruntime_alloc(v->m, 8);

	mkruntime_set(v->m, hmap, HMAP_COUNT, count);
	mkruntime_set(v->m, hmap, HMAP_B, bits);
	mkruntime_set(v->m, hmap, HMAP_BUCKETS, buckets);
	mkruntime_word(v->m, at, hmap);
	return at;
}

static target_addr hmap_of(struct values *v, target_addr at)
{
	target_addr hmap;

	memcpy(&hmap, mkruntime_at(v->m, at), sizeof(hmap));
	return hmap;
}

START_TEST(buckets_and_overflow)
{
	target_addr type;
	struct values *v = create_old(&type);
	target_addr buckets = mkruntime_alloc(v->m, 2 * BUCKET_BYTES);
	target_addr overflow = mkruntime_alloc(v->m, BUCKET_BYTES);
	target_addr at = make_hmap(v, 3, 1, buckets);

	set_cell(v, buckets, 0, 5, 1);
	set_cell(v, buckets, 1, 1, 99); // emptyOne
	mkruntime_word(v->m, buckets + BUCKET_BYTES - 8, overflow);
	set_cell(v, overflow, 7, 200, 2);
	set_cell(v, buckets + BUCKET_BYTES, 3, 255, 3);
	values_open(v, 100);
	values_expect(v, type, at, "map[1:10 2:20 3:30]");
	v->limits.max_elements = 2;
	values_expect(v, type, at, "map[1:10 2:20 …]");
	v->limits.max_elements = 64;
	mkruntime_word(v->m, overflow + BUCKET_BYTES - 8, buckets); // a loop
	mkruntime_set(v->m, hmap_of(v, at), HMAP_COUNT, 50);
	value_reader_begin(&v->reader, &v->scratch, 1000);
	ck_assert_uint_eq(values_read(v, type, at)->length, 50);
	mkruntime_set(v->m, hmap_of(v, at), HMAP_B, 63);
	values_expect(v, type, at, "!corrupt");
	mkruntime_set(v->m, hmap_of(v, at), HMAP_COUNT, UINT64_MAX);
	values_expect(v, type, at, "!corrupt");
	values_destroy(v);
}
END_TEST

/* Bucket 0 of two has moved to the new four, bucket 1 has not, cell by cell. */
START_TEST(growing)
{
	target_addr type;
	struct values *v = create_old(&type);
	target_addr old = mkruntime_alloc(v->m, 2 * BUCKET_BYTES);
	target_addr new = mkruntime_alloc(v->m, 4 * BUCKET_BYTES);
	target_addr at = make_hmap(v, 4, 2, new);

	set_cell(v, old, 0, 2, 1); // evacuatedX
	set_cell(v, old, 1, 3, 2); // evacuatedY
	set_cell(v, old + BUCKET_BYTES, 0, 77, 3);
	set_cell(v, old + BUCKET_BYTES, 1, 78, 4);
	set_cell(v, new, 0, 50, 1);
	set_cell(v, new + 2 * BUCKET_BYTES, 0, 51, 2);
	mkruntime_set(v->m, hmap_of(v, at), HMAP_OLD_BUCKETS, old);
	values_open(v, 100);
	values_expect(v, type, at, "map[3:30 4:40 1:10 2:20]");
	values_destroy(v);
}
END_TEST

START_TEST(growing_to_the_same_size)
{
	target_addr type;
	struct values *v = create_old(&type);
	target_addr old = mkruntime_alloc(v->m, 2 * BUCKET_BYTES);
	target_addr new = mkruntime_alloc(v->m, 2 * BUCKET_BYTES);
	target_addr at = make_hmap(v, 2, 1, new);

	set_cell(v, old + BUCKET_BYTES, 0, 77, 3);
	set_cell(v, new, 0, 50, 1);
	mkruntime_set(v->m, hmap_of(v, at), HMAP_OLD_BUCKETS, old);
	mkruntime_set(v->m, hmap_of(v, at), HMAP_FLAGS, 8); // sameSizeGrow
	values_open(v, 100);
	values_expect(v, type, at, "map[3:30 1:10]");
	values_destroy(v);
}
END_TEST

static void set_slot(
	struct values *v, target_addr group, unsigned int i, uint8_t mark, uint64_t key)
{
	put_byte(v->m, group + i, mark);
	mkruntime_word(v->m, group + 8 + 16 * i, key);
	mkruntime_word(v->m, group + 16 + 16 * i, 10 * key);
}

static target_addr make_group(struct values *v, uint64_t first)
{
	target_addr group = mkruntime_alloc(v->m, GROUP_BYTES);

	for (unsigned int i = 0; i < 8; i++)
		set_slot(v, group, i, i % 2 ? DELETED : EMPTY, 99);
	set_slot(v, group, 2, 0x12, first);
	set_slot(v, group, 5, 0x7f, first + 1);
	return group;
}

static target_addr make_map(struct values *v, uint64_t used, target_addr directory, uint64_t length)
{
	target_addr map = mkruntime_object(v->m, MAP_USED), at = mkruntime_alloc(v->m, 8);

	mkruntime_set(v->m, map, MAP_USED, used);
	mkruntime_set(v->m, map, MAP_DIRECTORY, directory);
	mkruntime_set(v->m, map, MAP_DIRECTORY_LENGTH, length);
	mkruntime_word(v->m, at, map);
	return at;
}

static target_addr swiss_type(struct values *v)
{
	target_addr type = mktypes_map(v->m, "map[int]int", v->t_int, v->t_int);

	mkruntime_set(v->m, type, GROUP_SIZE, GROUP_BYTES);
	mkruntime_set(v->m, type, GROUP_SLOT_SIZE, 16);
	mkruntime_set(v->m, type, GROUP_ELEM_OFFSET, 8);
	return type;
}

static target_addr make_table(struct values *v, target_addr groups, uint64_t mask)
{
	target_addr table = mkruntime_object(v->m, TABLE_USED);

	mkruntime_set(v->m, table, TABLE_GROUPS, groups);
	mkruntime_set(v->m, table, TABLE_LENGTH_MASK, mask);
	return table;
}

START_TEST(one_group)
{
	struct values *v = values_create();
	target_addr type = swiss_type(v), at = make_map(v, 2, make_group(v, 1), 0);

	values_open(v, 100);
	values_expect(v, type, at, "map[1:10 2:20]");
	v->limits.max_depth = 0;
	values_expect(v, type, at, "map[ …]");
	v->limits.max_depth = 6;
	mkruntime_set(v->m, type, GROUP_SLOT_SIZE, 64); // past its group
	ck_assert_int_eq(values_read(v, type, at)->unavailable, UNAVAILABLE_CORRUPT);
	values_destroy(v);
}
END_TEST

START_TEST(a_directory_of_tables)
{
	struct values *v = values_create();
	target_addr type = swiss_type(v), directory = mkruntime_alloc(v->m, 32);
	target_addr a = make_table(v, make_group(v, 1), 0), b = make_table(v, make_group(v, 3), 0);
	target_addr at = make_map(v, 4, directory, 4);

	mkruntime_word(v->m, directory, a);
	mkruntime_word(v->m, directory + 8, a); // it has split less often
	mkruntime_word(v->m, directory + 16, b);
	mkruntime_word(v->m, directory + 24, b);
	values_open(v, 100);
	values_expect(v, type, at, "map[1:10 2:20 3:30 4:40]");
	mkruntime_set(v->m, b, TABLE_LENGTH_MASK, 5);
	values_expect(v, type, at, "map[1:10 2:20 …]");
	mkruntime_word(v->m, directory + 16, 0x10);
	values_expect(v, type, at, "map[1:10 2:20 …]");
	mkruntime_set(v->m, a, TABLE_LENGTH_MASK, 5);
	values_expect(v, type, at, "!corrupt");
	values_destroy(v);
}
END_TEST

START_TEST(strides_of_their_own)
{
	struct values *v = values_create();
	static const enum layout_id ids[] = {GROUP_KEYS_OFFSET, GROUP_KEY_STRIDE,
		GROUP_ELEMS_OFFSET, GROUP_ELEM_STRIDE, GROUP_SIZE, MAP_TYPE_FLAGS};
	static const uint64_t values[] = {8, 8, 72, 8, GROUP_BYTES, 0}; // all keys, all elements
	target_addr type, group, at;

	mkruntime_forget(v->m, GROUP_SLOT_SIZE);
	for (size_t i = 0; i < COUNT(ids); i++) {
		v->m->layout.facts[ids[i]].found = true;
		v->m->layout.facts[ids[i]].value = 80 + 8 * i;
		v->m->layout.facts[ids[i]].size = 8;
	}
	type = mktypes_map(v->m, "map[int]int", v->t_int, v->t_int);
	for (size_t i = 0; i < COUNT(ids); i++)
		mkruntime_set(v->m, type, ids[i], values[i]);
	group = mkruntime_alloc(v->m, GROUP_BYTES);
	mkruntime_word(v->m, group, UINT64_C(0x8080808080018080));
	mkruntime_word(v->m, group + 8 + 16, 7);
	mkruntime_word(v->m, group + 72 + 16, 70);
	at = make_map(v, 1, group, 0);
	values_open(v, 100);
	values_expect(v, type, at, "map[7:70]");
	values_destroy(v);
}
END_TEST

/* Without a descriptor the slots lie as the compiler would lay them out. */
START_TEST(computed_slots)
{
	static const struct {
		uint64_t key_size, key_alignment, elem_size, elem_alignment;
		struct map_slots old, swiss;
	} rows[] = {
		{8, 8, 8, 8, {8, 8, 72, 8, 144, false, false}, {8, 16, 16, 16, 136, false, false}},
		{1, 1, 4, 4, {8, 1, 16, 4, 56, false, false}, {8, 8, 12, 8, 72, false, false}},
		{16, 8, 0, 1, {8, 16, 136, 0, 144, false, false},
			{8, 24, 24, 24, 200, false, false}},
		{0, 1, 0, 1, {8, 0, 8, 0, 16, false, false}, {8, 0, 8, 0, 16, false, false}},
		{160, 8, 136, 8, {8, 8, 72, 8, 144, true, true}, {8, 16, 16, 16, 136, true, true}},
	};

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct values *v = values_create();
		const struct map_slots *expected = i % 2 ? &rows[i / 2].swiss : &rows[i / 2].old;
		struct type key = {.kind = GO_ARRAY,
			.size = rows[i / 2].key_size,
			.alignment = rows[i / 2].key_alignment,
			.is_loaded = true};
		struct type element = {.kind = GO_ARRAY,
			.size = rows[i / 2].elem_size,
			.alignment = rows[i / 2].elem_alignment,
			.is_loaded = true};
		struct type map = {
			.kind = GO_MAP, .key = &key, .element = &element, .is_loaded = true};
		struct map_slots slots;

		if (i % 2 == 0)
			mkruntime_forget(v->m, GROUP_SIZE);
		values_open(v, 10);
		ck_assert(types_map_slots(v->m->types, &map, &slots));
		ck_assert_msg(slots.key_offset == expected->key_offset &&
				      slots.key_stride == expected->key_stride &&
				      slots.elem_offset == expected->elem_offset &&
				      slots.elem_stride == expected->elem_stride &&
				      slots.size == expected->size &&
				      slots.is_key_indirect == expected->is_key_indirect &&
				      slots.is_elem_indirect == expected->is_elem_indirect,
			"%zu", i);
		values_destroy(v);
	}
}
END_TEST

/** A channel of ints with room for four: the hchan's address is at what is returned. */
static target_addr make_channel(struct values *v, target_addr *hchan_ret)
{
	target_addr hchan = mkruntime_object(v->m, HCHAN_COUNT), at = mkruntime_alloc(v->m, 8);
	target_addr buffer = mkruntime_alloc(v->m, 32);

	for (uint64_t i = 0; i < 4; i++)
		mkruntime_word(v->m, buffer + 8 * i, i + 1);
	mkruntime_set(v->m, hchan, HCHAN_COUNT, 3);
	mkruntime_set(v->m, hchan, HCHAN_CAPACITY, 4);
	mkruntime_set(v->m, hchan, HCHAN_RECEIVE_INDEX, 2);
	mkruntime_set(v->m, hchan, HCHAN_SEND_INDEX, 1);
	mkruntime_set(v->m, hchan, HCHAN_BUFFER, buffer);
	mkruntime_set(v->m, hchan, HCHAN_ELEM_SIZE, 8);
	mkruntime_set(v->m, hchan, HCHAN_ELEM_TYPE, v->t_int);
	mkruntime_set(v->m, hchan, HCHAN_TIMER, 0);
	mkruntime_word(v->m, at, hchan);
	*hchan_ret = hchan;
	return at;
}

static target_addr add_waiter(struct values *v, target_addr hchan, uint64_t id, target_addr elem)
{
	target_addr sudog = mkruntime_object(v->m, SUDOG_G);

	mkruntime_set(v->m, sudog, SUDOG_G, mkruntime_g(v->m, id, 4));
	mkruntime_set(v->m, sudog, SUDOG_C, hchan);
	mkruntime_set(v->m, sudog, SUDOG_ELEM, elem);
	return sudog;
}

START_TEST(channels)
{
	struct values *v = values_create();
	target_addr type = mktypes_of(v->m, "chan int", GO_CHAN, v->t_int), hchan;
	target_addr at = make_channel(v, &hchan), sent = mkruntime_alloc(v->m, 8);
	target_addr a = add_waiter(v, hchan, 7, sent), b = add_waiter(v, hchan, 8, 0);
	target_addr c = add_waiter(v, hchan, 9, sent);
	struct value *value;

	mkruntime_word(v->m, sent, 42);
	mkruntime_set(v->m, hchan, HCHAN_SEND_QUEUE, a);
	mkruntime_set(v->m, a, SUDOG_NEXT, b);
	mkruntime_set(v->m, hchan, HCHAN_RECEIVE_QUEUE, c);
	values_open(v, 100);
	values_expect(v, type, at, "chan 3/4[3 4 1] send 7=42 8 receive 9");
	v->limits.max_queue = 1;
	v->limits.max_elements = 2;
	values_expect(v, type, at, "chan 3/4[3 4 …] send 7=42 receive 9");
	value_reader_begin(&v->reader, &v->scratch, 100);
	value = value_read_channel(&v->reader, hchan);
	ck_assert_str_eq(value->type->name, "chan int");
	ck_assert_uint_eq(value->channel->send_queue_total, 2);
	ck_assert_uint_eq(value->channel->receive_queue_total, 1);
	mkruntime_set(v->m, b, SUDOG_NEXT, a); // a loop
	ck_assert_uint_eq(value_read_channel(&v->reader, hchan)->channel->send_queue_total, 2);
	ck_assert_int_eq(
		value_read_channel(&v->reader, 0x10)->unavailable, UNAVAILABLE_NOT_IN_CORE);
	values_destroy(v);
}
END_TEST

START_TEST(channels_that_contradict_themselves)
{
	static const struct {
		enum layout_id id;
		uint64_t value;
	} rows[] = {{HCHAN_COUNT, 5}, {HCHAN_CAPACITY, UINT64_MAX}, {HCHAN_RECEIVE_INDEX, 4},
		{HCHAN_SEND_INDEX, UINT64_MAX}, {HCHAN_ELEM_TYPE, 0x10}, {HCHAN_ELEM_SIZE, 4}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr type = mktypes_of(v->m, "chan int", GO_CHAN, v->t_int), hchan;
		target_addr at = make_channel(v, &hchan);

		mkruntime_set(v->m, hchan, rows[i].id, rows[i].value);
		values_open(v, 100);
		values_expect(v, type, at, "!corrupt");
		values_destroy(v);
	}
}
END_TEST

Suite *suite_values_maps(void);

Suite *suite_values_maps(void)
{
	Suite *suite = suite_create("values_maps");
	TCase *tc = tcase_create("values_maps");

	tcase_add_test(tc, buckets_and_overflow);
	tcase_add_test(tc, growing);
	tcase_add_test(tc, growing_to_the_same_size);
	tcase_add_test(tc, one_group);
	tcase_add_test(tc, a_directory_of_tables);
	tcase_add_test(tc, strides_of_their_own);
	tcase_add_test(tc, computed_slots);
	tcase_add_test(tc, channels);
	tcase_add_test(tc, channels_that_contradict_themselves);
	suite_add_tcase(suite, tc);
	return suite;
}
