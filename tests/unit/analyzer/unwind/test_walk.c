// Walks, their places and their interning, over stacks that mkruntime writes.
#include "analyzer/unwind/walk.h"

#include "tests/lib/mkruntime.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UCONTEXT_RSP 160
#define UCONTEXT_RIP 168

struct fixture {
	struct mkruntime *m;
	target_addr stack; // 8 KiB
	struct frame_table table;
	struct walk *walk;
};

#define STACK_SIZE 0x2000

static struct fixture setup(void)
{
	struct fixture f = {.m = mkruntime_create(0)};

	f.stack = mkruntime_alloc(f.m, STACK_SIZE);
	f.walk = malloc(sizeof(*f.walk));
	ck_assert_ptr_nonnull(f.walk);
	ck_assert_int_eq(mkruntime_open(f.m), CS_OK);
	frame_table_init(&f.table, f.m->rt);
	return f;
}

static void teardown(struct fixture *f)
{
	free(f->walk);
	mkruntime_destroy(f->m);
}

static void walk_from(struct fixture *f, const char *function, target_addr sp, bool is_exact)
{
	walk_stack(&f->table,
		(struct position){.pc = mkruntime_pc(function), .sp = sp, .is_exact = is_exact},
		f->walk);
}

/** The walk's logical frames, innermost first, with a space between. */
static const char *names(const struct fixture *f)
{
	static char text[4096];

	text[0] = 0;
	for (uint32_t i = 0; i < f->walk->count; i++) {
		const struct code_place *place = &f->table.places[f->walk->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			const struct frame *frame = &f->table.frames[place->first_frame + k];

			if (*text)
				strcat(text, " ");
			strcat(text, frame->function);
		}
	}
	return text;
}

START_TEST(frames_from_leaf_to_bottom)
{
	static const struct {
		const char *names[8];
		const char *expected;
		uint64_t total;
	} rows[] = {
		{{"main.leaf", "main.worker", "runtime.goexit"},
			"main.leaf main.worker runtime.goexit", 3},
		{{"main.flat", "main.outer", "runtime.mstart"},
			"main.flat main.inlined main.outer runtime.mstart", 4},
		{{"runtime.goexit"}, "runtime.goexit", 1},
		{{"runtime.systemstack", "main.main"}, "runtime.systemstack", 1},
		// sp is written, but both stacks stay walkable: traceback.go
		{{"runtime.systemstack_switch", "main.main", "runtime.goexit"},
			"runtime.systemstack_switch main.main runtime.goexit", 3},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f = setup();
		target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16, rows[i].names);

		walk_from(&f, rows[i].names[0], sp, false);
		ck_assert_str_eq(names(&f), rows[i].expected);
		ck_assert_int_eq(f.walk->end, WALK_COMPLETE);
		ck_assert_uint_eq(f.walk->frames_total, rows[i].total);
		ck_assert_uint_eq(f.walk->cut_at, 0);
		ck_assert_uint_eq(f.walk->sps[0], sp);
		teardown(&f);
	}
}
END_TEST

START_TEST(walks_end_early_and_say_why)
{
	static const struct {
		const char *names[4];
		target_addr last; // return address behind the last frame
		enum walk_end end;
		uint32_t count;
	} rows[] = {
		{{"main.leaf", "main.main"}, 0x7f0000000000, WALK_UNKNOWN_PC, 2},
		{{"main.leaf", "main.main"}, 0, WALK_UNREADABLE, 2},
		{{"main.leaf", "main.main"}, UINT64_MAX, WALK_UNKNOWN_PC, 2},
		{{"main.leaf", "runtime.writesSP", "main.main"}, 0, WALK_UNREADABLE, 2},
		{{"main.leaf", "main.unsized", "main.main"}, 0, WALK_UNREADABLE, 2},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f = setup();
		target_addr high = f.stack + STACK_SIZE - 16;
		target_addr sp = mkruntime_frames(f.m, high, rows[i].names);

		mkruntime_word(f.m, high - 8, rows[i].last);
		walk_from(&f, rows[i].names[0], sp, false);
		ck_assert_msg(f.walk->end == rows[i].end, "row %zu: %d", i, f.walk->end);
		ck_assert_uint_eq(f.walk->count, rows[i].count);
		teardown(&f);
	}
}
END_TEST

START_TEST(a_stack_that_is_not_there)
{
	static const target_addr sps[] = {0, 0x10, UINT64_MAX, UINT64_MAX - 40, UINT64_MAX - 39,
		MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 36,
		MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 8};

	for (size_t i = 0; i < COUNT(sps); i++) {
		struct fixture f = setup();

		walk_from(&f, "main.leaf", sps[i], false);
		ck_assert_uint_eq(f.walk->count, 1);
		ck_assert_int_eq(f.walk->end, WALK_UNREADABLE);
		ck_assert_uint_eq(f.walk->end_pc, mkruntime_pc("main.leaf"));
		teardown(&f);
	}
}
END_TEST

/* What was taken as a return address of zero is no caller at all, however it is looked up. */
START_TEST(a_return_address_of_zero_has_no_place)
{
	struct fixture f = setup();
	target_addr sp = f.stack + 64;

	walk_from(&f, "main.main", sp, false); // zeros above
	ck_assert_uint_eq(f.walk->count, 1);
	ck_assert_int_eq(f.walk->end, WALK_UNREADABLE); // a page that was lost reads so
	walk_from(&f, "main.main", sp, false);
	ck_assert_uint_eq(f.walk->count, 1);
	teardown(&f);
}
END_TEST

START_TEST(a_garbage_pc_does_not_hide_a_good_one)
{
	struct fixture f = setup();
	target_addr pc = mkruntime_pc("main.main");

	ck_assert_uint_eq(frame_table_place(&f.table, pc | UINT64_C(1) << 63, false), NO_PLACE);
	ck_assert_uint_ne(frame_table_place(&f.table, pc, false), NO_PLACE);
	ck_assert_uint_eq(frame_table_place(&f.table, pc | UINT64_C(1) << 63, false), NO_PLACE);
	ck_assert_uint_eq(frame_table_place(&f.table, 0, true), NO_PLACE);
	teardown(&f);
}
END_TEST

/** A signal frame at `sp` that interrupted `pc` with `stack`. */
static void put_context(struct fixture *f, target_addr sp, target_addr pc, target_addr stack)
{
	target_addr context = sp + (target_addr)mkruntime_delta("runtime.sigtramp") + 8;

	mkruntime_word(f->m, context + UCONTEXT_RIP, pc);
	mkruntime_word(f->m, context + UCONTEXT_RSP, stack);
}

START_TEST(signal_frames_nest)
{
	struct fixture f = setup();
	target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
		(const char *[]){"main.leaf", "runtime.goexit", NULL});

	put_context(&f, f.stack, mkruntime_pc("runtime.sigtramp"), f.stack + 0x400);
	put_context(&f, f.stack + 0x400, mkruntime_pc("main.leaf"), sp);
	walk_from(&f, "runtime.sigtramp", f.stack, true);
	ck_assert_str_eq(names(&f), "runtime.sigtramp runtime.sigtramp main.leaf runtime.goexit");
	ck_assert_int_eq(f.walk->end, WALK_COMPLETE);
	ck_assert_uint_eq(f.walk->signal_count, 2);
	ck_assert(f.walk->signals[1].is_exact);
	ck_assert_uint_eq(f.walk->signals[1].sp, sp);
	ck_assert_uint_eq(f.walk->contexts[0], f.stack + 40);
	teardown(&f);
}
END_TEST

START_TEST(a_ring_of_signal_frames_ends)
{
	struct fixture f = setup();

	put_context(&f, f.stack, mkruntime_pc("runtime.sigtramp"), f.stack);
	walk_from(&f, "runtime.sigtramp", f.stack, true);
	ck_assert_uint_eq(f.walk->signal_count, MAX_SIGNAL_FRAMES);
	ck_assert_uint_eq(f.walk->count, MAX_SIGNAL_FRAMES + 1);
	ck_assert_int_eq(f.walk->end, WALK_UNREADABLE);
	teardown(&f);
}
END_TEST

/* sigpanic and asyncPreempt were not called: what they return to is the instruction itself. */
START_TEST(injected_calls_return_to_exact_pcs)
{
	static const struct {
		const char *function;
		bool is_exact;
	} rows[] = {{"runtime.sigpanic", true}, {"runtime.asyncPreempt", true},
		{"runtime.gopanic", false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f = setup();
		target_addr sp = f.stack + 0x100;
		target_addr entry = mkruntime_pc("main.leaf") - 0x40;

		// At a function's first instruction: as a return address it would be the one
		// before.
		mkruntime_word(f.m, sp + 32, entry);
		walk_from(&f, rows[i].function, sp, false);
		ck_assert_uint_ge(f.walk->count, 2);
		ck_assert_uint_eq(
			f.walk->places[1], frame_table_place(&f.table, entry, rows[i].is_exact));
		teardown(&f);
	}
}
END_TEST

/* More frames than mkruntime has memory for: in a range of their own. */
START_TEST(a_deep_stack_is_cut_in_the_middle)
{
	struct fixture f = setup();
	const target_addr base = 0xd000000000;
	const uint64_t depth = MAX_FRAMES + 1000;
	target_addr *words = calloc(depth + 64, sizeof(*words));
	const struct code_place *place;

	ck_assert_ptr_nonnull(words);
	for (uint64_t i = 0; i < depth; i++) // main.flat has no frame: eight bytes each
		words[i] = mkruntime_pc("main.flat");
	words[10] = mkruntime_pc("runtime.Gosched"); // five words: kept, innermost
	words[15] = mkruntime_pc("main.flat");
	words[depth - 2] = mkruntime_pc("main.outer");
	words[depth + 3] = mkruntime_pc("runtime.goexit");
	ck_assert_int_eq(image_add(f.m->image, (struct image_view){.start = base,
						       .end = base + (depth + 64) * 8,
						       .bytes = (const uint8_t *)words}),
		CS_OK);
	ck_assert_int_eq(image_seal(f.m->image), CS_OK);
	walk_from(&f, "main.flat", base, false);
	ck_assert_int_eq(f.walk->end, WALK_COMPLETE);
	ck_assert_uint_eq(f.walk->count, MAX_FRAMES);
	ck_assert_uint_eq(f.walk->cut_at, MAX_FRAMES / 2);
	// depth - 2 words until main.outer, of which Gosched took four more; outer is two, goexit
	// one.
	ck_assert_uint_eq(f.walk->frames_total, depth - 2 + 1 - 4 + 2 + 1);
	place = &f.table.places[f.walk->places[11]];
	ck_assert_str_eq(f.table.frames[place->first_frame].function, "runtime.Gosched");
	place = &f.table.places[f.walk->places[MAX_FRAMES - 1]];
	ck_assert_str_eq(f.table.frames[place->first_frame].function, "runtime.goexit");
	for (uint32_t i = 1; i < f.walk->count; i++) // no frame out of order
		ck_assert_uint_gt(f.walk->sps[i], f.walk->sps[i - 1]);
	free(words);
	teardown(&f);
}
END_TEST

START_TEST(all_walks_share_a_budget)
{
	struct fixture f = setup();
	target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
		(const char *[]){"main.leaf", "main.main", "runtime.goexit", NULL});

	f.table.steps_left = 4;
	walk_from(&f, "main.leaf", sp, false);
	ck_assert_int_eq(f.walk->end, WALK_COMPLETE);
	walk_from(&f, "main.leaf", sp, false);
	ck_assert_int_eq(f.walk->end, WALK_TOO_LONG);
	ck_assert_uint_eq(f.walk->count, 2);
	walk_from(&f, "main.leaf", sp, false);
	ck_assert_uint_eq(f.walk->count, 1);
	ck_assert_uint_eq(f.table.steps_left, 0);
	teardown(&f);
}
END_TEST

START_TEST(dropped_frames_leave_the_total)
{
	struct fixture f = setup();
	target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
		(const char *[]){"main.outer", "main.leaf", "main.main", "runtime.goexit", NULL});

	walk_from(&f, "main.outer", sp, false);
	ck_assert_uint_eq(f.walk->frames_total, 5);
	f.walk->cut_at = 3;
	walk_drop(&f.table, f.walk, 1);
	ck_assert_str_eq(names(&f), "main.leaf main.main runtime.goexit");
	ck_assert_uint_eq(f.walk->frames_total, 3);
	ck_assert_uint_eq(f.walk->cut_at, 2);
	ck_assert_uint_eq(f.walk->sps[0], sp + 40);
	teardown(&f);
}
END_TEST

START_TEST(equal_stacks_are_one)
{
	struct fixture f = setup();
	struct stack_table table;
	uint32_t first;
	target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
		(const char *[]){"main.leaf", "main.main", "runtime.goexit", NULL});

	stack_table_init(&table, &f.m->arena);
	walk_from(&f, "main.leaf", sp, false);
	first = stack_table_intern(&table, f.walk);
	ck_assert_uint_eq(first, 0);
	walk_from(&f, "main.leaf", sp, false);
	ck_assert_uint_eq(stack_table_intern(&table, f.walk), first);
	f.walk->frames_total++; // equal but for what was cut out
	ck_assert_uint_eq(stack_table_intern(&table, f.walk), 1);
	walk_drop(&f.table, f.walk, 1);
	ck_assert_uint_eq(stack_table_intern(&table, f.walk), 2);
	ck_assert_uint_eq(table.count, 3);
	ck_assert_uint_eq(table.stacks[2].count, 2);
	f.walk->count = 0;
	ck_assert_uint_eq(stack_table_intern(&table, f.walk), NO_STACK);
	teardown(&f);
}
END_TEST

START_TEST(creation_sites)
{
	struct fixture f = setup();
	target_addr pc = mkruntime_pc("main.outer"); // inside main.inlined
	uint32_t frame = frame_table_creation(&f.table, pc);

	// traceback.go printcreatedby1: the physical function, the line of the innermost.
	ck_assert_uint_ne(frame, NO_FRAME);
	ck_assert_str_eq(f.table.frames[frame].function, "main.outer");
	ck_assert_uint_eq(f.table.frames[frame].pc, pc);
	ck_assert_uint_eq(frame_table_creation(&f.table, pc), frame);
	ck_assert_uint_eq(frame_table_creation(&f.table, 0), NO_FRAME);
	ck_assert_uint_eq(frame_table_creation(&f.table, 0x10), NO_FRAME);
	ck_assert_uint_eq(frame_table_creation(&f.table, 0x10), NO_FRAME);
	teardown(&f);
}
END_TEST

Suite *suite_walk(void);

Suite *suite_walk(void)
{
	Suite *suite = suite_create("walk");
	TCase *tests = tcase_create("walk");

	tcase_add_test(tests, frames_from_leaf_to_bottom);
	tcase_add_test(tests, walks_end_early_and_say_why);
	tcase_add_test(tests, a_stack_that_is_not_there);
	tcase_add_test(tests, a_return_address_of_zero_has_no_place);
	tcase_add_test(tests, a_garbage_pc_does_not_hide_a_good_one);
	tcase_add_test(tests, signal_frames_nest);
	tcase_add_test(tests, a_ring_of_signal_frames_ends);
	tcase_add_test(tests, injected_calls_return_to_exact_pcs);
	tcase_add_test(tests, a_deep_stack_is_cut_in_the_middle);
	tcase_add_test(tests, all_walks_share_a_budget);
	tcase_add_test(tests, dropped_frames_leave_the_total);
	tcase_add_test(tests, equal_stacks_are_one);
	tcase_add_test(tests, creation_sites);
	suite_add_tcase(suite, tests);
	return suite;
}
