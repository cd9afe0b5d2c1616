// What proves that an object is still the one that was meant, over frames, maps and a heap of
// bytes.
#include "analyzer/values/liveness.h"

#include "analyzer/heap/span.h"
#include "analyzer/unwind/stack_map.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_DELTA 64
#define OBJECT_SIZE 48
#define PAGE 8192

/**
 * One frame whose locals have two maps: at index 0 no word is live, at index 1 the lowest is. One
 * of its variables, 16 bytes of which the second word is a pointer, is reached by address only.
 */
struct fixture {
	struct mkruntime *m;
	target_addr sp, low_local, high_local, variable;
	target_addr heap, mspan; // a span of 48-byte objects
	target_addr maps, objects, mask;
	struct code_place place;
	struct frame_table table;
	struct goroutine g;
	struct arena scratch;
	struct walk *walk;
	struct liveness *liveness;
};

static void write_bytes(struct mkruntime *m, target_addr at, const void *bytes, size_t size)
{
	memcpy(mkruntime_at(m, at), bytes, size);
}

/** A span for the page-aligned address that is returned, in the heap's tables. */
static target_addr make_heap(struct mkruntime *m, target_addr *mspan_ret)
{
	target_addr pages = mkruntime_alloc(m, 3 * PAGE);
	target_addr heap = (pages + PAGE - 1) / PAGE * PAGE;
	target_addr mspan = mkruntime_object(m, SPAN_START);
	target_addr arena = mkruntime_alloc(m, 16), entry = mkruntime_alloc(m, 16);
	uint64_t number = (heap + 0x800000000000) >> 26, page = heap / PAGE % PAGE;
	target_addr arenas =
		mkruntime_variable(m, VAR_MHEAP) + layout_value(&m->layout, MHEAP_ARENAS);

	mkruntime_word(m, arenas, arena - number * 8);
	mkruntime_word(m, entry, mspan);
	mkruntime_word(m, arena, entry - page * 8 - layout_value(&m->layout, HEAP_ARENA_SPANS));
	mkruntime_set(m, mspan, SPAN_START, heap);
	mkruntime_set(m, mspan, SPAN_PAGES, 1);
	mkruntime_set(m, mspan, SPAN_COUNT, PAGE / OBJECT_SIZE);
	mkruntime_set(m, mspan, SPAN_ELEMENT_SIZE, OBJECT_SIZE);
	mkruntime_set(m, mspan, SPAN_STATE, 1);
	*mspan_ret = mspan;
	return heap;
}

static void make_tables(struct fixture *f)
{
	static const int32_t header[] = {2, 6}; // maps, bits of each
	static const uint8_t bits[] = {0, 1};
	static const uint64_t one = 1;
	int32_t record[] = {-16, 16, 16, 0};
	static const uint8_t mask = 2;

	f->maps = mkruntime_alloc(f->m, 16);
	write_bytes(f->m, f->maps, header, sizeof(header));
	write_bytes(f->m, f->maps + sizeof(header), bits, sizeof(bits));
	f->mask = mkruntime_alloc(f->m, 16);
	write_bytes(f->m, f->mask, &mask, 1);
	f->objects = mkruntime_alloc(f->m, 32);
	record[3] = (int32_t)(f->mask - MKRUNTIME_DATA);
	write_bytes(f->m, f->objects, &one, sizeof(one));
	write_bytes(f->m, f->objects + sizeof(one), record, sizeof(record));
	f->place = (struct code_place){.local_maps = f->maps,
		.stack_objects = f->objects,
		.map_index = 1,
		.frame_size = FRAME_DELTA + 8,
		.rodata = MKRUNTIME_DATA,
		.has_frame_size = true};
}

static struct fixture setup(void)
{
	struct fixture f = {.m = mkruntime_create(0)};

	f.heap = make_heap(f.m, &f.mspan);
	f.sp = mkruntime_alloc(f.m, 128);
	// Below the return address the saved frame pointer, below it the locals: six words.
	f.low_local = f.sp + FRAME_DELTA - 8 - 6 * 8;
	f.high_local = f.low_local + 8;
	f.variable = f.sp + FRAME_DELTA - 8 - 16;
	make_tables(&f);
	f.walk = calloc(1, sizeof(*f.walk));
	ck_assert_ptr_nonnull(f.walk);
	mkruntime_set(f.m, mkruntime_variable(f.m, VAR_WORK), WORK_STACK_ROOTS, 10);
	ck_assert_int_eq(mkruntime_open(f.m), CS_OK);
	f.walk->count = 1;
	f.walk->sps[0] = f.sp;
	arena_init(&f.scratch, 0);
	frame_table_init(&f.table, f.m->rt);
	return f;
}

static void begin(struct fixture *f)
{
	f->table.places = &f->place;
	f->table.place_count = 1;
	f->liveness = liveness_create(&f->table);
	ck_assert_ptr_nonnull(f->liveness);
	liveness_begin(f->liveness, &f->scratch, &f->g, f->walk);
}

static void teardown(struct fixture *f)
{
	arena_deinit(&f->scratch);
	free(f->walk);
	mkruntime_destroy(f->m);
}

START_TEST(a_live_word_keeps_its_object)
{
	struct fixture f = setup();

	mkruntime_word(f.m, f.low_local, f.heap + OBJECT_SIZE);
	mkruntime_word(f.m, f.high_local, f.heap + 2 * OBJECT_SIZE);
	begin(&f);
	ck_assert(liveness_holds(f.liveness, f.low_local, f.heap + OBJECT_SIZE));
	// From elsewhere too, and anywhere in it; its neighbour is not kept.
	ck_assert(liveness_holds(f.liveness, 0, f.heap + OBJECT_SIZE + 47));
	ck_assert(!liveness_holds(f.liveness, 0, f.heap + OBJECT_SIZE - 1));
	ck_assert(!liveness_holds(f.liveness, f.high_local, f.heap + 2 * OBJECT_SIZE));
	ck_assert(!liveness_holds(NULL, f.low_local, f.heap + OBJECT_SIZE));
	teardown(&f);
}
END_TEST

START_TEST(a_dead_word_keeps_nothing)
{
	struct fixture f = setup();

	mkruntime_word(f.m, f.low_local, f.heap);
	f.place.map_index = 0;
	begin(&f);
	ck_assert(!liveness_holds(f.liveness, f.low_local, f.heap));
	f.place.map_index = 2; // past the last map
	begin(&f);
	ck_assert(!liveness_holds(f.liveness, f.low_local, f.heap));
	f.place.map_index = NO_STACK_MAP;
	begin(&f);
	ck_assert(!liveness_holds(f.liveness, f.low_local, f.heap));
	teardown(&f);
}
END_TEST

START_TEST(a_variable_lives_as_long_as_its_address)
{
	struct fixture f = setup();

	mkruntime_word(f.m, f.variable, f.heap);                   // not a pointer by the mask
	mkruntime_word(f.m, f.variable + 8, f.heap + OBJECT_SIZE); // one
	begin(&f);
	ck_assert(!liveness_holds(f.liveness, f.variable + 8, f.heap + OBJECT_SIZE));
	mkruntime_word(f.m, f.low_local, f.variable);
	begin(&f);
	ck_assert(liveness_holds(f.liveness, f.variable + 8, f.heap + OBJECT_SIZE));
	ck_assert(!liveness_holds(f.liveness, f.variable, f.heap));
	teardown(&f);
}
END_TEST

START_TEST(a_young_goroutine_has_only_live_objects)
{
	struct fixture f = setup();

	f.place.map_index = 0;
	f.g.index = 9;
	begin(&f);
	ck_assert(!liveness_holds(f.liveness, f.low_local, f.heap));
	f.g.index = 10;
	begin(&f);
	ck_assert(liveness_holds(f.liveness, f.low_local, f.heap));
	// But a stack that it has left may be another's by now.
	mkruntime_set(f.m, f.mspan, SPAN_STATE, 2);
	ck_assert(!liveness_holds(f.liveness, f.low_local, f.heap));
	teardown(&f);
}
END_TEST

START_TEST(the_programs_own_data_is_never_freed)
{
	struct fixture f = setup();

	begin(&f);
	ck_assert(!liveness_holds(f.liveness, 0, 0x401000));
	liveness_add_module(f.liveness, 0x400000, 0x500000);
	ck_assert(liveness_holds(f.liveness, 0, 0x400000));
	ck_assert(!liveness_holds(f.liveness, 0, 0x500000));
	teardown(&f);
}
END_TEST

START_TEST(a_channel_that_it_waits_on_is_kept)
{
	struct fixture f = setup();
	target_addr sudog = mkruntime_object(f.m, SUDOG_G);

	f.g.address = 0x1234;
	f.g.waiting = sudog;
	mkruntime_set(f.m, sudog, SUDOG_G, f.g.address);
	mkruntime_set(f.m, sudog, SUDOG_C, f.heap);
	begin(&f);
	ck_assert(liveness_holds(f.liveness, f.high_local, f.heap));
	mkruntime_set(f.m, sudog, SUDOG_G, 0x5678); // another's: recycled
	begin(&f);
	ck_assert(!liveness_holds(f.liveness, f.high_local, f.heap));
	teardown(&f);
}
END_TEST

START_TEST(spans_that_lie_are_none)
{
	struct fixture f = setup();
	struct span span;

	ck_assert(span_find(f.m->rt, f.heap + 100, &span));
	ck_assert_uint_eq(span_object(&span, f.heap + 100), f.heap + 96);
	ck_assert_uint_eq(span_object(&span, f.heap + PAGE - 1), f.heap + PAGE - 1);
	ck_assert(!span_find(f.m->rt, f.heap + PAGE, &span));
	ck_assert(!span_find(f.m->rt, 0, &span));
	ck_assert(!span_find(f.m->rt, UINT64_MAX, &span));
	mkruntime_set(f.m, f.mspan, SPAN_ELEMENT_SIZE, 0);
	ck_assert(!span_find(f.m->rt, f.heap, &span));
	mkruntime_set(f.m, f.mspan, SPAN_ELEMENT_SIZE, UINT64_MAX);
	ck_assert(!span_find(f.m->rt, f.heap, &span));
	teardown(&f);
}
END_TEST

Suite *suite_liveness(void);

Suite *suite_liveness(void)
{
	Suite *suite = suite_create("liveness");
	TCase *tests = tcase_create("liveness");

	tcase_add_test(tests, a_live_word_keeps_its_object);
	tcase_add_test(tests, a_dead_word_keeps_nothing);
	tcase_add_test(tests, a_variable_lives_as_long_as_its_address);
	tcase_add_test(tests, a_young_goroutine_has_only_live_objects);
	tcase_add_test(tests, the_programs_own_data_is_never_freed);
	tcase_add_test(tests, a_channel_that_it_waits_on_is_kept);
	tcase_add_test(tests, spans_that_lie_are_none);
	suite_add_tcase(suite, tests);
	return suite;
}
