// Cycles in graphs of a few edges: what is found, in which order, and that long chains cost little.
#include "analyzer/blocking/cycles.h"

#include "common/limits.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define NODES 8
#define LONG 50000

static void init(struct blocking *b, struct arena *arena, struct blocking_input *input,
	struct goroutines *all)
{
	static struct waiting_on on = {.kind = "mutex", .operation = "lock", .address = 1};

	*input = (struct blocking_input){.arena = arena, .goroutines = all};
	all->list = arena_array(arena, all->count, sizeof(*all->list));
	ck_assert_ptr_nonnull(all->list);
	blocking_init(b, arena);
	b->waits = &on;
	b->wait_count = 1;
	b->wait_of = arena_array(arena, all->count, sizeof(*b->wait_of));
	ck_assert_ptr_nonnull(b->wait_of);
	for (size_t i = 0; i < all->count; i++) {
		all->list[i].id = i;
		b->wait_of[i].count = 1;
	}
}

static const struct {
	const char *edges, *cycles; // a pair of digits each; the members, a space behind each cycle
} rows[] = {
	{"", ""},
	{"01", ""},
	{"01 12 23", ""},
	{"00", "0 "},
	{"01 10", "01 "},
	{"12 23 31 01", "123 "},
	{"01 12 20 34 43 55", "012 34 5 "},
	{"01 12 20 21", "012 "},   // the first member's own cycle
	{"01 10 12 21", "01 "},    // one part of the graph, one cycle
	{"02 20 01 13 30", "02 "}, // the shortest
	{"10 01 23 32", "01 23 "}, // whatever the order of edges
	{"01 01 10 10", "01 "},    // two ways from one to the other
	{"01 12 23 34 45 56 67 70", "01234567 "},
};

START_TEST(cycles_are_found)
{
	struct arena arena;
	struct blocking b;
	struct blocking_input input;
	struct goroutines all = {.count = NODES};
	char found[64] = "";

	arena_init(&arena, 0);
	init(&b, &arena, &input, &all);
	for (const char *at = rows[_i].edges; *at; at += at[2] ? 3 : 2)
		ck_assert(blocking_add_edge(&b, (struct blocking_edge){(size_t)(at[0] - '0'),
							(size_t)(at[1] - '0'), 1, false}));
	ck_assert_int_eq(cycles_find(&input, &b), CS_OK);
	for (size_t i = 0; i < b.deadlock_count; i++) {
		for (size_t k = 0; k < b.deadlocks[i].count; k++)
			sprintf(found + strlen(found), "%zu", b.deadlocks[i].members[k]);
		strcat(found, " ");
		// A sentence for each member, in their order.
		ck_assert_uint_eq(b.deadlocks[i].evidence_count, b.deadlocks[i].count);
		for (size_t k = 0; k < b.deadlocks[i].count; k++)
			ck_assert_uint_eq(b.evidence[b.deadlocks[i].first_evidence + k].goroutine,
				b.deadlocks[i].members[k]);
	}
	ck_assert_str_eq(found, rows[_i].cycles);
	arena_deinit(&arena);
}
END_TEST

START_TEST(a_chain_may_be_long)
{
	struct arena arena;
	struct blocking b;
	struct blocking_input input;
	struct goroutines all = {.count = LONG};

	arena_init(&arena, 0);
	init(&b, &arena, &input, &all);
	for (size_t i = 0; i < LONG; i++)
		ck_assert(
			blocking_add_edge(&b, (struct blocking_edge){i, (i + 1) % LONG, 1, false}));
	ck_assert_int_eq(cycles_find(&input, &b), CS_OK);
	ck_assert_uint_eq(b.deadlock_count, 1);
	ck_assert_uint_eq(b.deadlocks[0].count, LONG);
	arena_deinit(&arena);
}
END_TEST

START_TEST(edges_beyond_the_cap_are_counted)
{
	struct arena arena;
	struct blocking b;

	arena_init(&arena, 0);
	blocking_init(&b, &arena);
	b.edge_count = MAX_BLOCKING_EDGES;
	ck_assert(blocking_add_edge(&b, (struct blocking_edge){1, 2, 3, true}));
	ck_assert_uint_eq(b.edge_count, MAX_BLOCKING_EDGES);
	ck_assert_uint_eq(b.edge_total, 1);
	arena_deinit(&arena);
}
END_TEST

START_TEST(no_memory_is_said)
{
	for (size_t n = 1;; n++) {
		struct arena arena;
		struct blocking b;
		struct blocking_input input;
		struct goroutines all = {.count = NODES};
		enum cs_status status;

		arena_init(&arena, 0);
		init(&b, &arena, &input, &all);
		ck_assert(blocking_add_edge(&b, (struct blocking_edge){1, 2, 3, false}));
		ck_assert(blocking_add_edge(&b, (struct blocking_edge){2, 1, 3, false}));
		arena.fail_in = n;
		status = cycles_find(&input, &b);
		arena_deinit(&arena);
		if (status == CS_OK)
			break;
		ck_assert_int_eq(status, CS_NO_MEMORY);
		ck_assert_uint_lt(n, 100);
	}
}
END_TEST

Suite *suite_cycles(void);

Suite *suite_cycles(void)
{
	Suite *suite = suite_create("cycles");
	TCase *tests = tcase_create("cycles");

	tcase_add_loop_test(tests, cycles_are_found, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tests, a_chain_may_be_long);
	tcase_add_test(tests, edges_beyond_the_cap_are_counted);
	tcase_add_test(tests, no_memory_is_said);
	suite_add_tcase(suite, tests);
	return suite;
}
