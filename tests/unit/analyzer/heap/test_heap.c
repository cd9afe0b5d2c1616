// Spans, slots and pointer maps of every kind that a release has, over a heap of bytes; what a mark
// reaches, and what a heap that contradicts itself does.
#include "analyzer/heap/heap.h"
#include "analyzer/heap/mark.h"
#include "analyzer/heap/roots.h"
#include "tests/lib/mkheap.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 48
#define CLASS 5
#define COUNT 160 // of SIZE in one page, with room for the bits
#define LARGE_COUNT 7
#define LARGE 1024

struct fixture {
	struct mkruntime *m;
	struct mkheap made;
	struct heap heap;
	struct mark mark;
	struct arena arena;
	uint8_t *extra; // more memory of the target's
};

#define EXTRA 0xd000000000

static struct fixture setup(void)
{
	struct fixture f = {.m = mkruntime_create(0)};

	mkruntime_forget(f.m, HEAP_ARENA_BITMAP);
	mkruntime_forget(f.m, HEAP_ARENA_NO_MORE);
	mkruntime_forget(f.m, HEAP_ARENA_INLINE_MARKS);
	mkheap_init(&f.made, f.m);
	arena_init(&f.arena, 0);
	return f;
}

static void teardown(struct fixture *f)
{
	arena_deinit(&f->arena);
	mkruntime_destroy(f->m);
	free(f->extra);
}

static void begin(struct fixture *f)
{
	ck_assert_int_eq(mkruntime_open(f->m), CS_OK);
	if (f->extra) {
		ck_assert_int_eq(image_add(f->m->image, (struct image_view){.start = EXTRA,
								.end = EXTRA + (2u << 20),
								.bytes = f->extra,
								.is_core = true}),
			CS_OK);
		ck_assert_int_eq(image_seal(f->m->image), CS_OK);
	}
	ck_assert_int_eq(heap_load(f->m->rt, &f->arena, &f->heap), CS_OK);
	ck_assert_int_eq(mark_init(&f->mark, &f->heap, &f->arena), CS_OK);
}

static bool has(const struct fixture *f, target_addr address)
{
	struct heap_slot slot;

	ck_assert(heap_find(&f->heap, address, &slot));
	return mark_has(&f->mark, slot);
}

static target_addr add_small(struct fixture *f)
{
	return mkheap_add(&f->made, (struct mkheap_span){SIZE, COUNT, CLASS * 2, 0, 0});
}

START_TEST(a_pointer_into_an_object_finds_its_slot)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);
	struct heap_slot slot;

	mkheap_free(&f.made, 0, 3);
	begin(&f);
	ck_assert_ptr_null(f.heap.why);
	ck_assert_uint_eq(f.heap.objects, COUNT - 1);
	ck_assert_uint_eq(f.heap.bytes, (COUNT - 1) * SIZE);
	for (uint64_t i = 0; i < COUNT; i++) {
		ck_assert(heap_find(&f.heap, start + i * SIZE + i % SIZE, &slot));
		ck_assert_uint_eq(slot.index, i);
		ck_assert_uint_eq(heap_address(&f.heap, slot), start + i * SIZE);
		ck_assert_int_eq(heap_is_allocated(&f.heap, slot), i != 3);
	}
	ck_assert(!heap_find(&f.heap, start + COUNT * SIZE, &slot)); // the tail
	ck_assert(!heap_find(&f.heap, start + MKHEAP_PAGE, &slot));
	ck_assert(!heap_find(&f.heap, start - 1, &slot));
	ck_assert(!heap_find(&f.heap, 0, &slot));
	ck_assert(!heap_find(&f.heap, UINT64_MAX, &slot));
	teardown(&f);
}
END_TEST

/* Objects 0 to 3, in this order in slots of `size` at `start`: 0 points to 1 by its word `pointer`,
 * and to 2 by its word `number`, which is none. */
static void fill(
	struct fixture *f, target_addr start, uint64_t size, uint64_t pointer, uint64_t number)
{
	mkruntime_word(f->m, start + pointer * 8, start + size + 8);
	mkruntime_word(f->m, start + number * 8, start + 2 * size);
}

static void check_reached(struct fixture *f, target_addr start, uint64_t size)
{
	ck_assert_ptr_null(f->heap.why);
	ck_assert(!has(f, start));
	mark_word(&f->mark, start + 1);
	mark_run(&f->mark);
	ck_assert(has(f, start));
	ck_assert(has(f, start + size));
	ck_assert(!has(f, start + 2 * size));
	ck_assert_uint_eq(f->mark.objects, 2);
	ck_assert_uint_eq(f->mark.bytes, 2 * size);
}

START_TEST(bits_at_the_end_of_the_span)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);

	fill(&f, start, SIZE, 4, 5);
	mkheap_pointer(&f.made, start, 4, 0);
	begin(&f);
	check_reached(&f, start, SIZE);
	teardown(&f);
}
END_TEST

START_TEST(bits_before_inline_marks)
{
	struct fixture f = setup();
	target_addr start;

	f.m->layout.facts[HEAP_ARENA_INLINE_MARKS].found = true;
	start = mkheap_add(&f.made, (struct mkheap_span){SIZE, COUNT, CLASS * 2, 0, 0});
	fill(&f, start, SIZE, 4, 5);
	mkheap_pointer(&f.made, start, 4, 128);
	((uint8_t *)mkruntime_at(f.m, start + MKHEAP_PAGE - 8))[7] = CLASS * 2;
	begin(&f);
	ck_assert(f.heap.has_inline_marks);
	check_reached(&f, start, SIZE);
	teardown(&f);
}
END_TEST

/* A type of `words` words of which the second is a pointer. */
static target_addr add_type(struct fixture *f, uint64_t words)
{
	target_addr type = mkruntime_type(f->m, "main.T", GO_STRUCT, words * 8);
	target_addr mask = mkruntime_alloc(f->m, 16);

	mkruntime_word(f->m, mask, 2);
	mkruntime_set(f->m, type, TYPE_POINTER_BYTES, 16);
	mkruntime_set(f->m, type, TYPE_POINTER_MASK, mask);
	return type;
}

static target_addr add_headed(struct fixture *f, target_addr type)
{
	target_addr start =
		mkheap_add(&f->made, (struct mkheap_span){LARGE, LARGE_COUNT, 40 * 2, 0, 0});

	mkruntime_word(f->m, start, type);
	return start;
}

START_TEST(a_type_before_the_object)
{
	struct fixture f = setup();
	target_addr start = add_headed(&f, add_type(&f, 10));

	fill(&f, start, LARGE, 1 + 10 + 1, 1 + 10 + 2); // the second of values in a row
	begin(&f);
	check_reached(&f, start, LARGE);
	teardown(&f);
}
END_TEST

START_TEST(a_type_without_a_mask_tells_nothing)
{
	struct fixture f = setup();
	target_addr type = add_type(&f, 10);
	target_addr start = add_headed(&f, type);

	mkruntime_set(f.m, type, TYPE_POINTER_MASK, 0x10);
	fill(&f, start, LARGE, 2, 3);
	begin(&f);
	mark_word(&f.mark, start);
	mark_run(&f.mark);
	ck_assert(has(&f, start + LARGE));
	ck_assert(has(&f, start + 2 * LARGE));
	teardown(&f);
}
END_TEST

START_TEST(a_mask_that_nobody_has_asked_for_is_made)
{
	struct fixture f = setup();
	target_addr pointer = mkruntime_type(f.m, "*int", GO_POINTER, 8);
	target_addr number = mkruntime_type(f.m, "int", GO_INT, 8);
	target_addr array = mkruntime_type(f.m, "[3]*int", GO_ARRAY, 24);
	target_addr nothing = mkruntime_alloc(f.m, 16), start;

	mkruntime_word(f.m, pointer + 48, number); // internal/abi/type.go PtrType.Elem
	mkruntime_word(f.m, array + 48, pointer);  // ArrayType.Elem, Slice, Len
	mkruntime_word(f.m, array + 64, 3);
	mkruntime_set(f.m, array, TYPE_POINTER_BYTES, 24);
	mkruntime_set(f.m, array, TYPE_POINTER_MASK, nothing);
	mkruntime_set(f.m, array, TYPE_TFLAG, 16);
	f.m->layout.facts[TFLAG_MASK_ON_DEMAND].found = true;
	f.m->layout.facts[TFLAG_MASK_ON_DEMAND].value = 16;
	start = add_headed(&f, array);
	begin(&f);
	ck_assert_uint_eq(masks_find(f.heap.masks, array).pointers, 3);
	ck_assert_ptr_nonnull(masks_find(f.heap.masks, array).bits);
	ck_assert_uint_eq(masks_find(f.heap.masks, array).bits[0], 7);
	ck_assert_ptr_null(masks_find(f.heap.masks, start).bits); // no type at all
	teardown(&f);
}
END_TEST

START_TEST(the_type_of_a_large_object)
{
	struct fixture f = setup();
	target_addr type = add_type(&f, 10);
	target_addr large =
		mkheap_add(&f.made, (struct mkheap_span){2 * MKHEAP_PAGE, 1, 0, 2, type});
	target_addr small = add_small(&f);
	target_addr empty = mkheap_add(&f.made, (struct mkheap_span){MKHEAP_PAGE, 1, 0, 1, 0});

	mkruntime_word(f.m, large + (1020 + 1) * 8, small);        // in its second page
	mkruntime_word(f.m, large + (1020 + 2) * 8, small + SIZE); // no pointer
	mkruntime_word(f.m, empty, small + 2 * SIZE);              // being made: nothing in it yet
	begin(&f);
	mark_word(&f.mark, large + MKHEAP_PAGE);
	mark_word(&f.mark, empty);
	mark_run(&f.mark);
	ck_assert(has(&f, large));
	ck_assert(has(&f, small));
	ck_assert(!has(&f, small + SIZE));
	ck_assert(!has(&f, small + 2 * SIZE));
	teardown(&f);
}
END_TEST

/* The arena of `start` has its own struct at EXTRA. */
static void add_arena(struct fixture *f, target_addr start)
{
	target_addr table = mkruntime_alloc(f->m, 16);
	uint64_t number = (start + 0x800000000000) >> 26;
	target_addr arenas =
		mkruntime_variable(f->m, VAR_MHEAP) + layout_value(&f->m->layout, MHEAP_ARENAS);

	mkruntime_word(f->m, arenas, table - number * 8);
	mkruntime_word(f->m, table, EXTRA);
	f->extra = calloc(1, 2u << 20);
	ck_assert_ptr_nonnull(f->extra);
}

static void set_fact(struct fixture *f, enum layout_id id, uint64_t value, uint64_t size)
{
	f->m->layout.facts[id].found = true;
	f->m->layout.facts[id].value = value;
	f->m->layout.facts[id].size = size;
}

START_TEST(bits_beside_the_arena)
{
	struct fixture f = setup();
	target_addr start = add_headed(&f, 0);
	uint64_t word = start / 8 % (1u << 23);

	set_fact(&f, HEAP_ARENA_BITMAP, 0, 1u << 20);
	set_fact(&f, HEAP_ARENA_NO_MORE, 1u << 20, 1u << 14);
	add_arena(&f, start);
	fill(&f, start, LARGE, 70, 71);
	mkruntime_word(f.m, start + LARGE + 64 * 8, start + 3 * LARGE);
	f.extra[(word + 70) / 8] |= (uint8_t)(1u << (word + 70) % 8);
	// Of object 1 nothing is said behind its first 64 words: what is left there is another's.
	f.extra[(word + 128 + 64) / 8] |= (uint8_t)(1u << (word + 128 + 64) % 8);
	f.extra[(1u << 20) + (word + 128) / 64 / 8] |= (uint8_t)(1u << (word + 128) / 64 % 8);
	begin(&f);
	check_reached(&f, start, LARGE);
	teardown(&f);
}
END_TEST

START_TEST(two_bits_for_each_word)
{
	struct fixture f = setup();
	target_addr start = add_headed(&f, 0);
	uint64_t word = start / 8 % (1u << 23);

	set_fact(&f, HEAP_ARENA_BITMAP, 0, 2u << 20);
	add_arena(&f, start);
	fill(&f, start, LARGE, 5, 6);
	mkruntime_word(f.m, start + 9 * 8, start + 3 * LARGE);
	f.extra[word / 4] = 0xf0;
	f.extra[word / 4 + 1] = 0xf2; // word 5
	f.extra[word / 4 + 2] = 0x12; // words 8 and, behind the end, 9
	begin(&f);
	check_reached(&f, start, LARGE);
	teardown(&f);
}
END_TEST

START_TEST(what_holds_no_pointers_is_not_followed)
{
	struct fixture f = setup();
	target_addr bytes =
		mkheap_add(&f.made, (struct mkheap_span){SIZE, COUNT, CLASS * 2 + 1, 0, 0});

	mkruntime_word(f.m, bytes, bytes + SIZE);
	begin(&f);
	mark_word(&f.mark, bytes);
	mark_run(&f.mark);
	ck_assert(has(&f, bytes));
	ck_assert(!has(&f, bytes + SIZE));
	teardown(&f);
}
END_TEST

START_TEST(roots_with_and_without_a_map)
{
	struct fixture f = setup();
	target_addr start = add_small(&f), block = mkruntime_alloc(f.m, 80 * 8);
	static const uint8_t bits[10] = {[0] = 1, [1] = 2, [9] = 0x80};

	mkruntime_word(f.m, block, start);
	mkruntime_word(f.m, block + 8, start + SIZE); // not by the map
	mkruntime_word(f.m, block + 9 * 8, start + 2 * SIZE);
	mkruntime_word(f.m, block + 79 * 8, start + 3 * SIZE);
	begin(&f);
	ck_assert(mark_words(&f.mark, block, 80, bits));
	mark_run(&f.mark);
	ck_assert_uint_eq(f.mark.objects, 3);
	ck_assert(!has(&f, start + SIZE));
	ck_assert(mark_words(&f.mark, block + 8, 1, NULL));
	mark_run(&f.mark);
	ck_assert(has(&f, start + SIZE));
	ck_assert(!mark_words(&f.mark, 0x10, 1, NULL));
	ck_assert(!mark_words(&f.mark, MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 8, 2, NULL));
	teardown(&f);
}
END_TEST

START_TEST(parts_of_an_object)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);
	static const uint64_t offset = 8;
	struct heap_slot slot;

	for (uint64_t i = 0; i < 3; i++) {
		mkruntime_word(f.m, start + i * 8, start + (i + 1) * SIZE);
		mkheap_pointer(&f.made, start, i, 0);
	}
	begin(&f);
	ck_assert(heap_find(&f.heap, start, &slot));
	mark_except(&f.mark, slot, &offset, 1);
	mark_word(&f.mark, start);
	mark_run(&f.mark);
	ck_assert(has(&f, start));
	ck_assert(has(&f, start + SIZE));
	ck_assert(!has(&f, start + 2 * SIZE));
	ck_assert(has(&f, start + 3 * SIZE));
	teardown(&f);
}
END_TEST

START_TEST(an_object_that_is_watched)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);
	struct heap_slot slot;

	begin(&f);
	ck_assert(heap_find(&f.heap, start + SIZE, &slot));
	mark_word(&f.mark, start);
	mark_run(&f.mark);
	ck_assert_uint_eq(f.mark.hit_count, 0);
	mark_watch(&f.mark, slot);
	mark_word(&f.mark, start + SIZE);
	mark_word(&f.mark, start + SIZE + 8);
	mark_run(&f.mark);
	ck_assert_uint_eq(f.mark.hit_count, 1);
	ck_assert_uint_eq(f.mark.hits[0].index, 1);
	teardown(&f);
}
END_TEST

/* A special at the object in slot `index` of span 0; `word` is what its own field holds. */
static void add_special(
	struct fixture *f, uint64_t kind, uint64_t index, enum layout_id field, uint64_t word)
{
	target_addr special = mkruntime_alloc(f->m, 64);
	target_addr *first =
		mkruntime_at(f->m, f->made.mspans[0] + layout_value(&f->m->layout, SPAN_SPECIALS));

	mkruntime_set(f->m, special, SPECIAL_NEXT, *first);
	mkruntime_set(f->m, special, SPECIAL_OFFSET, index * SIZE);
	mkruntime_set(f->m, special, SPECIAL_KIND, kind);
	mkruntime_word(f->m, special + layout_value(&f->m->layout, field), word);
	*first = special;
}

START_TEST(specials_keep_what_they_need)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);

	set_fact(&f, SPECIAL_FINALIZER, 40, 8); // behind what all specials begin with
	set_fact(&f, SPECIAL_WEAK_HANDLE, 40, 8);
	set_fact(&f, SPECIAL_CLEANUP, 40, 8);
	set_fact(&f, SPECIAL_KIND_FINALIZER, 2, 0);
	set_fact(&f, SPECIAL_KIND_WEAK_HANDLE, 3, 0);
	set_fact(&f, SPECIAL_KIND_CLEANUP, 7, 0);
	add_special(&f, 2, 0, SPECIAL_FINALIZER, start + 10 * SIZE);
	add_special(&f, 3, 1, SPECIAL_WEAK_HANDLE, start + 11 * SIZE);
	add_special(&f, 7, 2, SPECIAL_CLEANUP, start + 12 * SIZE);
	add_special(&f, 4, 3, SPECIAL_CLEANUP, start + 13 * SIZE); // a profile: keeps nothing
	mkruntime_word(f.m, start, start + 14 * SIZE);
	mkheap_pointer(&f.made, start, 0, 0);
	begin(&f);
	ck_assert_ptr_null(roots_mark(&f.mark, ROOTS_WITHOUT_WEAK));
	mark_run(&f.mark);
	ck_assert_uint_eq(f.mark.objects, 4);
	for (uint64_t i = 10; i <= 14; i++)
		ck_assert_int_eq(has(&f, start + i * SIZE), i != 13);
	ck_assert_ptr_null(roots_mark(&f.mark, ROOTS_WITH_WEAK));
	mark_run(&f.mark);
	ck_assert(has(&f, start + SIZE));
	ck_assert_uint_eq(f.mark.objects, 5);
	teardown(&f);
}
END_TEST

START_TEST(queues_and_variables_are_roots)
{
	struct fixture f = setup();
	target_addr start = add_small(&f), block = mkruntime_alloc(f.m, 128);
	target_addr data = mkruntime_alloc(f.m, 32), mask = mkruntime_alloc(f.m, 16);
	target_addr module = mkruntime_variable(f.m, VAR_FIRST_MODULE);
	target_addr list = layout_value(&f.m->layout, FINALIZERS_LIST);

	f.m->layout.facts[FINALIZERS_LIST].size = 80;
	mkruntime_set(f.m, block, FINALIZERS_IN_BLOCK, 1);
	mkruntime_word(f.m, block + list + 8, start);
	mkruntime_word(f.m, block + list + 48, start + SIZE); // of the second, which is none
	mkruntime_set(f.m, 0, VAR_ALL_FINALIZERS, block);
	mkruntime_word(f.m, data + 8, start + 2 * SIZE);
	mkruntime_word(f.m, data + 16, start + 3 * SIZE);
	mkruntime_word(f.m, mask, 2);
	mkruntime_set(f.m, module, MODULE_BSS, data);
	mkruntime_set(f.m, module, MODULE_BSS_END, data + 32);
	mkruntime_set(f.m, module, MODULE_BSS_MASK, mask);
	mkruntime_set(f.m, module, MODULE_BSS_BITS, 3);
	begin(&f);
	ck_assert_ptr_null(roots_mark(&f.mark, ROOTS_WITHOUT_WEAK));
	mark_run(&f.mark);
	ck_assert_uint_eq(f.mark.objects, 2);
	ck_assert(has(&f, start));
	ck_assert(has(&f, start + 2 * SIZE));
	mkruntime_set(f.m, block, FINALIZERS_IN_BLOCK, 3); // more than a block holds
	ck_assert_ptr_nonnull(roots_mark(&f.mark, ROOTS_WITHOUT_WEAK));
	mkruntime_set(f.m, block, FINALIZERS_IN_BLOCK, 1);
	mkruntime_set(f.m, block, FINALIZERS_NEXT_BLOCK, block); // a ring
	ck_assert_ptr_nonnull(roots_mark(&f.mark, ROOTS_WITHOUT_WEAK));
	teardown(&f);
}
END_TEST

static const struct {
	enum layout_id id;
	uint64_t value;
} damages[] = {
	{SPAN_START, MKRUNTIME_DATA + 8},
	{SPAN_START, 0x40000000},
	{SPAN_START, UINT64_MAX & ~UINT64_C(8191)},
	{SPAN_PAGES, 0},
	{SPAN_PAGES, UINT64_MAX},
	{SPAN_PAGES, 1u << 20},
	{SPAN_COUNT, 0},
	{SPAN_COUNT, COUNT + 20},
	{SPAN_COUNT, UINT64_MAX},
	{SPAN_ELEMENT_SIZE, 0},
	{SPAN_ELEMENT_SIZE, 7},
	{SPAN_ELEMENT_SIZE, UINT64_MAX & ~UINT64_C(7)},
	{SPAN_CLASS, 0},
	{SPAN_FREE_INDEX, COUNT + 1},
	{SPAN_ALLOC_BITS, 0x10},
};

START_TEST(a_heap_that_contradicts_itself_is_not_whole)
{
	struct fixture f = setup();
	struct heap_slot slot;

	add_small(&f);
	mkruntime_set(f.m, f.made.mspans[0], damages[_i].id, damages[_i].value);
	begin(&f);
	ck_assert_ptr_nonnull(f.heap.why);
	// Whatever it says, a mark stays within it.
	for (target_addr at = MKRUNTIME_DATA; at < MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE; at += 8)
		if (heap_find(&f.heap, at, &slot))
			mark_word(&f.mark, at);
	mark_run(&f.mark);
	teardown(&f);
}
END_TEST

START_TEST(two_spans_at_one_place)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);

	add_small(&f);
	mkruntime_set(f.m, f.made.mspans[1], SPAN_START, start);
	begin(&f);
	ck_assert_ptr_nonnull(f.heap.why);
	teardown(&f);
}
END_TEST

START_TEST(stacks_and_free_spans_are_none_of_it)
{
	struct fixture f = setup();
	target_addr start = add_small(&f);
	struct heap_slot slot;

	mkruntime_set(f.m, f.made.mspans[0], SPAN_STATE, 2);
	begin(&f);
	ck_assert_ptr_null(f.heap.why);
	ck_assert(!heap_find(&f.heap, start, &slot));
	ck_assert_uint_eq(f.heap.objects, 0);
	teardown(&f);
}
END_TEST

START_TEST(the_list_of_spans_is_cut)
{
	struct fixture f = setup();

	add_small(&f);
	mkruntime_slice(f.m,
		mkruntime_variable(f.m, VAR_MHEAP) + layout_value(&f.m->layout, MHEAP_ALL_SPANS),
		f.made.list, _i ? UINT64_C(1) << 60 : 1u << 20);
	begin(&f);
	ck_assert_ptr_nonnull(f.heap.why);
	teardown(&f);
}
END_TEST

Suite *suite_heap(void);

Suite *suite_heap(void)
{
	Suite *suite = suite_create("heap");
	TCase *tcase = tcase_create("heap");

	tcase_add_test(tcase, a_pointer_into_an_object_finds_its_slot);
	tcase_add_test(tcase, bits_at_the_end_of_the_span);
	tcase_add_test(tcase, bits_before_inline_marks);
	tcase_add_test(tcase, a_type_before_the_object);
	tcase_add_test(tcase, a_type_without_a_mask_tells_nothing);
	tcase_add_test(tcase, a_mask_that_nobody_has_asked_for_is_made);
	tcase_add_test(tcase, the_type_of_a_large_object);
	tcase_add_test(tcase, bits_beside_the_arena);
	tcase_add_test(tcase, two_bits_for_each_word);
	tcase_add_test(tcase, what_holds_no_pointers_is_not_followed);
	tcase_add_test(tcase, roots_with_and_without_a_map);
	tcase_add_test(tcase, parts_of_an_object);
	tcase_add_test(tcase, an_object_that_is_watched);
	tcase_add_test(tcase, specials_keep_what_they_need);
	tcase_add_test(tcase, queues_and_variables_are_roots);
	tcase_add_loop_test(tcase, a_heap_that_contradicts_itself_is_not_whole, 0,
		sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(tcase, two_spans_at_one_place);
	tcase_add_test(tcase, stacks_and_free_spans_are_none_of_it);
	tcase_add_loop_test(tcase, the_list_of_spans_is_cut, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
