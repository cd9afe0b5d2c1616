// Arguments by the runtime's own lists of words, and which of them are trusted.
#include "analyzer/values/live_arguments.h"

#include "analyzer/unwind/arguments.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

struct fixture {
	struct mkruntime *m;
	struct code_place place;
	struct frame frame;
	struct dwarf dwarf;
	struct frame_table frames;
	struct variable_plans plans;
	struct variable_plan plan;
	struct planned_variable variables[3];
	struct type types[3];
};

static target_addr put(struct mkruntime *m, const uint8_t *bytes, size_t size)
{
	target_addr at = mkruntime_alloc(m, size);

	memcpy(mkruntime_at(m, at), bytes, size);
	return at;
}

/** Three arguments: a word, a string, and a word; of them, the string's length is dead. */
static struct fixture *setup(void)
{
	static struct fixture f;
	static const uint8_t words[] = {0, 8, 0xfe, 8, 8, 16, 8, 0xfd, 24, 8, 0xff};
	static const uint8_t live[] = {0, 0x0b}; // words from offset 0 on: 1, 1, 0, 1

	memset(&f, 0, sizeof(f));
	f.m = mkruntime_create(0);
	f.place = (struct code_place){.frame_count = 1,
		.argument_info = put(f.m, words, sizeof(words)),
		.live_info = put(f.m, live, sizeof(live)),
		.live_index = 1};
	ck_assert_int_eq(mkruntime_open(f.m), CS_OK);
	frame_table_init(&f.frames, f.m->rt);
	f.frame.function = "main.serve";
	f.frames.frames = &f.frame;
	f.frames.frame_count = 1;
	f.dwarf.arena = &f.m->arena;
	f.plans = (struct variable_plans){.frames = &f.frames, .dwarf = &f.dwarf};
	for (int i = 0; i < 3; i++) {
		f.types[i].size = i == 1 ? 16 : 8;
		f.variables[i] = (struct planned_variable){.type = &f.types[i],
			.is_argument = true,
			.unavailable = UNAVAILABLE_OPTIMIZED_OUT};
	}
	f.plan = (struct variable_plan){f.variables, 3};
	return &f;
}

START_TEST(words_belong_to_arguments)
{
	struct fixture *f = setup();
	struct argument_word words[MAX_ARGUMENT_WORDS];
	bool is_whole;

	ck_assert_uint_eq(
		arguments_words(f->m->rt, &f->place, words, MAX_ARGUMENT_WORDS, &is_whole), 4);
	ck_assert(is_whole);
	ck_assert_uint_eq(words[0].item, 0);
	ck_assert_uint_eq(words[2].item, 1);
	ck_assert_uint_eq(words[2].offset, 16);
	ck_assert_uint_eq(words[3].item, 2);
	ck_assert(words[1].is_live);
	ck_assert(!words[2].is_live);
	ck_assert(words[3].is_live);
	ck_assert_uint_eq(arguments_words(f->m->rt, &f->place, words, 2, &is_whole), 2);
	mkruntime_destroy(f->m);
}
END_TEST

START_TEST(live_words_are_given)
{
	struct fixture *f = setup();

	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[0].unavailable, AVAILABLE);
	ck_assert_int_eq(f->variables[0].evidence, EVIDENCE_LIVE_ARGUMENT);
	ck_assert_uint_eq(f->variables[0].piece_count, 1);
	ck_assert_int_eq(f->variables[0].pieces[0].kind, DWARF_PIECE_FRAME);
	ck_assert_uint_eq(f->variables[1].piece_count, 2);
	ck_assert_int_eq(f->variables[1].pieces[0].number, 8);
	ck_assert_int_eq(f->variables[1].pieces[1].kind, DWARF_PIECE_NONE);
	ck_assert_int_eq(f->variables[2].pieces[0].number, 24);
	mkruntime_destroy(f->m);
}
END_TEST

START_TEST(lists_that_do_not_belong_together_give_nothing)
{
	struct fixture *f = setup();
	struct dwarf_piece elsewhere = {.kind = DWARF_PIECE_FRAME, .number = 32, .size = 8};

	f->plan.count = 2; // DWARF has another number of arguments
	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[0].unavailable, UNAVAILABLE_OPTIMIZED_OUT);
	f->plan.count = 3;
	f->types[1].size = 8; // its words are more than it has
	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[0].unavailable, UNAVAILABLE_OPTIMIZED_OUT);
	f->types[1].size = 16;
	f->variables[2].unavailable = AVAILABLE; // DWARF has it in another place
	f->variables[2].pieces = &elsewhere;
	f->variables[2].piece_count = 1;
	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[0].unavailable, UNAVAILABLE_OPTIMIZED_OUT);
	mkruntime_destroy(f->m);
}
END_TEST

/* Its dictionary has a bit and no word. */
START_TEST(a_generic_function_gives_nothing)
{
	struct fixture *f = setup();

	f->frame.function = "main.Sum[...]";
	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[0].unavailable, UNAVAILABLE_OPTIMIZED_OUT);
	mkruntime_destroy(f->m);
}
END_TEST

START_TEST(what_is_known_otherwise_stays)
{
	struct fixture *f = setup();

	f->variables[0].unavailable = UNAVAILABLE_NOT_ASSIGNED;
	f->place.is_exact = true;
	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[2].unavailable, UNAVAILABLE_OPTIMIZED_OUT);
	f->place.is_exact = false;
	live_arguments_add(&f->plans, &f->place, &f->plan);
	ck_assert_int_eq(f->variables[0].unavailable, UNAVAILABLE_NOT_ASSIGNED);
	ck_assert_int_eq(f->variables[2].unavailable, AVAILABLE);
	mkruntime_destroy(f->m);
}
END_TEST

Suite *suite_live_arguments(void);

Suite *suite_live_arguments(void)
{
	Suite *suite = suite_create("live_arguments");
	TCase *tests = tcase_create("live_arguments");

	tcase_add_test(tests, words_belong_to_arguments);
	tcase_add_test(tests, live_words_are_given);
	tcase_add_test(tests, lists_that_do_not_belong_together_give_nothing);
	tcase_add_test(tests, a_generic_function_gives_nothing);
	tcase_add_test(tests, what_is_known_otherwise_stays);
	suite_add_tcase(suite, tests);
	return suite;
}
