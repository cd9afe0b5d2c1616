#include "analyzer/runtime/labels.h"

#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>

#define BUCKET_SIZE (8 + 8 * 16 + 8 * 16 + 8) // of map[string]string, as in labels.c

/** A slice of `count` pairs kN=vN, the last first. */
static void make_pairs(struct mkruntime *m, target_addr header, unsigned int count)
{
	target_addr data = mkruntime_alloc(m, count * 32 + 16);

	for (unsigned int i = 0; i < count; i++) {
		char key[] = {'k', (char)('a' + (count - i) % 26), 0};

		mkruntime_string(m, data + 32 * i, key);
		mkruntime_string(m, data + 32 * i + 16, "value");
	}
	mkruntime_slice(m, header, data, count);
}

START_TEST(slices_are_read_in_both_layouts)
{
	for (int is_old = 0; is_old < 2; is_old++) {
		struct mkruntime *m = mkruntime_create(0);
		enum layout_id id = is_old ? LABEL_MAP_LIST : LABEL_SET_LIST;
		target_addr set = mkruntime_alloc(m, 64);
		struct labels labels;

		if (is_old)
			mkruntime_forget(m, LABEL_SET_LIST);
		make_pairs(m, set + layout_value(&m->layout, id), 3);
		mkruntime_open(m);
		labels = labels_load(m->rt, set);
		ck_assert_uint_eq(labels.count, 3);
		ck_assert(!labels.is_unreadable);
		ck_assert_str_eq(labels.list[0].key, "kb");
		ck_assert_str_eq(labels.list[2].key, "kd");
		ck_assert_str_eq(labels.list[1].value, "value");
		ck_assert_uint_eq(labels_load(m->rt, 0).count, 0);
		ck_assert(labels_load(m->rt, 0x10).is_unreadable);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(a_slice_that_lies_is_cut)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr set = mkruntime_alloc(m, 64);
	target_addr header = set + layout_value(&m->layout, LABEL_SET_LIST);
	struct labels labels;

	make_pairs(m, header, 2);
	mkruntime_word(m, header + 8, UINT64_MAX);
	mkruntime_word(m, header + 16, UINT64_MAX);
	mkruntime_open(m);
	labels = labels_load(m->rt, set);
	ck_assert_uint_le(labels.count, MAX_LABELS);
	mkruntime_word(m, header + 16, 1); // longer than its capacity
	labels = labels_load(m->rt, set);
	ck_assert_uint_eq(labels.count, 0);
	ck_assert(labels.is_unreadable);
	mkruntime_destroy(m);
}
END_TEST

static void put_slot(struct mkruntime *m, target_addr bucket, unsigned int slot, const char *key,
	const char *value)
{
	uint8_t *top = mkruntime_at(m, bucket);

	top[slot] = 5;
	mkruntime_string(m, bucket + 8 + 16 * slot, key);
	mkruntime_string(m, bucket + 8 + 8 * 16 + 16 * slot, value);
}

struct map {
	struct mkruntime *m;
	target_addr pointer, hmap, buckets, old;
};

/** A map of two buckets that grows: its old bucket is there still. */
static struct map make_map(uint64_t count)
{
	struct map map = {.m = mkruntime_create(0)};
	struct mkruntime *m = map.m;

	mkruntime_forget(m, LABEL_SET_LIST);
	mkruntime_forget(m, LABEL_MAP_LIST);
	map.pointer = mkruntime_alloc(m, 8);
	map.hmap = mkruntime_object(m, HMAP_COUNT);
	map.buckets = mkruntime_alloc(m, 2 * BUCKET_SIZE);
	map.old = mkruntime_alloc(m, BUCKET_SIZE);
	mkruntime_word(m, map.pointer, map.hmap);
	mkruntime_set(m, map.hmap, HMAP_COUNT, count);
	mkruntime_set(m, map.hmap, HMAP_B, 1);
	mkruntime_set(m, map.hmap, HMAP_BUCKETS, map.buckets);
	return map;
}

START_TEST(maps_are_read_with_overflow_and_while_they_grow)
{
	struct map map = make_map(4);
	target_addr overflow = mkruntime_alloc(map.m, BUCKET_SIZE);
	struct labels labels;

	put_slot(map.m, map.buckets, 0, "b", "1");
	put_slot(map.m, map.buckets + BUCKET_SIZE, 7, "a", "2");
	mkruntime_word(map.m, map.buckets + BUCKET_SIZE + BUCKET_SIZE - 8, overflow);
	put_slot(map.m, overflow, 3, "c", "3");
	put_slot(map.m, map.old, 0, "d", "4");
	put_slot(map.m, map.old, 1, "moved", "x");
	*(uint8_t *)mkruntime_at(map.m, map.old + 1) = 4; // evacuated
	mkruntime_set(map.m, map.hmap, HMAP_OLD_BUCKETS, map.old);
	mkruntime_open(map.m);
	labels = labels_load(map.m->rt, map.pointer);
	ck_assert_uint_eq(labels.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(labels.list[i].key[0], (int)('a' + i));
	ck_assert_str_eq(labels.list[3].value, "4");
	mkruntime_destroy(map.m);
}
END_TEST

START_TEST(a_map_whose_buckets_form_a_ring_ends)
{
	struct map map = make_map(1u << 20);
	struct labels labels;
	size_t before;

	put_slot(map.m, map.buckets, 0, "k", "v");
	mkruntime_word(map.m, map.buckets + BUCKET_SIZE - 8, map.buckets);
	mkruntime_word(map.m, map.buckets + 2 * BUCKET_SIZE - 8, map.buckets + BUCKET_SIZE);
	mkruntime_set(map.m, map.hmap, HMAP_B, 9);
	mkruntime_set(map.m, map.hmap, HMAP_OLD_BUCKETS, map.buckets);
	mkruntime_open(map.m);
	before = map.m->arena.total;
	labels = labels_load(map.m->rt, map.pointer);
	ck_assert_uint_eq(labels.count, 1); // a key stands once
	ck_assert_uint_lt(map.m->arena.total - before, 4u << 20);
	mkruntime_destroy(map.m);
}
END_TEST

START_TEST(a_map_that_is_not_there)
{
	struct map map = make_map(1);
	struct labels labels;

	mkruntime_open(map.m);
	labels = labels_load(map.m->rt, 0x10);
	ck_assert(labels.is_unreadable && !labels.count);
	mkruntime_word(map.m, map.pointer, 0x10);
	ck_assert(labels_load(map.m->rt, map.pointer).is_unreadable);
	mkruntime_word(map.m, map.pointer, 0); // a nil map has no labels
	labels = labels_load(map.m->rt, map.pointer);
	ck_assert(!labels.is_unreadable && !labels.count);
	mkruntime_destroy(map.m);
}
END_TEST

START_TEST(a_release_without_any_known_layout)
{
	struct mkruntime *m = mkruntime_create(0);

	mkruntime_forget(m, LABEL_SET_LIST);
	mkruntime_forget(m, LABEL_MAP_LIST);
	mkruntime_forget(m, HMAP_BUCKETS);
	mkruntime_open(m);
	ck_assert(labels_load(m->rt, MKRUNTIME_DATA).is_unreadable);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_labels(void);

Suite *suite_labels(void)
{
	Suite *suite = suite_create("labels");
	TCase *tests = tcase_create("labels");

	tcase_add_test(tests, slices_are_read_in_both_layouts);
	tcase_add_test(tests, a_slice_that_lies_is_cut);
	tcase_add_test(tests, maps_are_read_with_overflow_and_while_they_grow);
	tcase_add_test(tests, a_map_whose_buckets_form_a_ring_ends);
	tcase_add_test(tests, a_map_that_is_not_there);
	tcase_add_test(tests, a_release_without_any_known_layout);
	suite_add_tcase(suite, tests);
	return suite;
}
