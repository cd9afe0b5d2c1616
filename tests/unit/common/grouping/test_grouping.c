// Names as real toolchains write them, messages as real programs print them, and what must and must
// not fall into one group.
#include "common/grouping/function_name.h"
#include "common/grouping/grouping.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SAME 6

// One function of one source, as each release names it (measured with 1.18.10, 1.20.14, 1.21.13,
// 1.22.12 … 1.26.8, and 1.27.3 where it differs), and its one key.
static const struct {
	const char *key;
	const char *names[SAME];
} releases[] = {
	{"example.com/app.outer",
		{"main.outer.func1.1", "main.main.outer.lock.main.outer.func4.func5",
			"main.outer.func1", "main.outer"}},
	{"example.com/app.(*S).Run",
		{"main.(*S).Run.func1.1", "main.(*S).Run.(*S).Run.func1.func2",
			"main.(*S).Run.func1", "main.(*S).Run-fm", "main.(*S).Run"}},
	{"example.com/app.G[...]",
		{"main.G[...].func1", "main.main.G[...].func3", "main.G[go.shape.int_0].func1",
			"main.G[go.shape.int].func1", "main.G[...]"}},
	{"example.com/app.init", {"main.glob..func1", "main.init.func1", "main.init.0",
					 "main.init.0.func2", "main.glob..func1.1", "main.init"}},
	{"example.com/app.main",
		{"main.main.func2", "main.main.func6", "main.main.gowrap1", "main.main.func2.2",
			"main.main.func2.deferwrap1", "main.main"}},
	{"net.(*netFD).addrFunc", {"net.(*netFD).accept.(*netFD).addrFunc.func1",
					  "net.(*netFD).addrFunc.func1", "net.(*netFD).addrFunc"}},
	{"example.com/app.walk", {"main.walk-range1", "main.walk-range1.func2",
					 "main.walk.func3-range2", "main.walk"}},
	{"example.com/app.sum",
		{"main.sum.sum.numbers.func1.sum-range1-range3", "main.sum-range1-range1",
			"main.sum-range2", "main.sum", "main.sum.sum.numbers.func1.sum-range1"}},
	{"example.com/app.(*List[...]).Each",
		{"main.(*List[...]).Each.func1", "main.(*List[go.shape.string_0]).Each",
			"main.(*List[go.shape.struct { example.com/x.A int }]).Each.func1.2",
			"main.use.(*List[...]).Each.func4"}},
	{"example.com/app.(*T[...]).Map[...]",
		{"main.(*T[...]).Map[...]", "main.(*T[int]).Map[map[string]int].func1"}},
	{"github.com/acme/store.(*DB).Get",
		{"github.com/acme/store.(*DB).Get", "github.com/acme/store/v2.(*DB).Get.func1",
			"example.com/app/vendor/github.com/acme/store.(*DB).Get",
			"vendor/github.com/acme/store/v3.(*DB).Get.gowrap2"}},
	{"gopkg.in/yaml.v3.Unmarshal",
		{"gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml%2ev3.Unmarshal.func1"}},
	{"runtime.asmcgocall", {"runtime.asmcgocall", "runtime.asmcgocall.abi0"}},
	{"net/http.(*conn).serve", {"net/http.(*conn).serve", "net/http.(*conn).serve.func1",
					   "net/http.(*conn).serve.func1.1"}},
	// A value receiver's closure: the type cannot be told from a function it was inlined into.
	{"example.com/app.Run",
		{"main.S.Run.func1", "main.main.S.Run.func2", "main.main.Run.func3"}},
	{"example.com/app.S.Run", {"main.S.Run", "main.S.Run-fm"}},
	{"crosscall2", {"crosscall2"}},
	{"_cgo_panic", {"_cgo_panic"}},
};

START_TEST(closure_has_one_key_in_all_releases)
{
	struct arena arena;

	arena_init(&arena, 0);
	for (size_t i = 0; i < SAME && releases[_i].names[i]; i++) {
		const char *name = releases[_i].names[i];
		const char *key = function_name_key(&arena, name, "example.com/app");

		ck_assert_msg(key && !strcmp(key, releases[_i].key), "%s: %s, not %s", name,
			key ? key : "none", releases[_i].key);
	}
	arena_deinit(&arena);
}
END_TEST

static const struct {
	const char *function, *package, *name;
} packages[] = {
	{"net/http.(*conn).serve", "net/http", "http.(*conn).serve"},
	{"main.main", "main", "main.main"},
	{"example.com/a.b/c.(*T[...]).F.func1", "example.com/a.b/c", "c.(*T[...]).F"},
	{"gopkg.in/yaml%2ev3.(*Decoder).Decode", "gopkg.in/yaml.v3", "yaml.v3.(*Decoder).Decode"},
	{"vendor/golang.org/x/net/http2/hpack.Read", "golang.org/x/net/http2/hpack", "hpack.Read"},
	{"a/vendor/b.com/c.F", "b.com/c", "c.F"},
	{"main.G[go.shape.struct { a.b/c.D int }]", "main", "main.G[...]"},
	{"slices.SortFunc[...]", "slices", "slices.SortFunc[...]"},
	{"type:.eq.main.T", "type:", "type:.eq.main.T"},
	{"_rt0_amd64_linux", "", "_rt0_amd64_linux"},
	{"", "", ""},
	{"a%2", "", "a%2"},
	{"a%zz.b", "a%zz", "a%zz.b"},
	{"main.main.main.func9.func10", "main", "main.main"},
	{"main.glob..func1", "main", "main.init"},
	{"main.", "main", "main."},
	{"main.F[", "main", "main.F[...]"},
	{"main.)].F", "main", "main.)].F"},
};

START_TEST(package_of_a_name)
{
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_str_eq(
		function_name_package(&arena, packages[_i].function), packages[_i].package);
	ck_assert_str_eq(function_name_short(&arena, packages[_i].function), packages[_i].name);
	ck_assert_ptr_nonnull(function_name_key(&arena, packages[_i].function, NULL));
	arena_deinit(&arena);
}
END_TEST

START_TEST(own_code_is_known_by_its_module)
{
	ck_assert(grouping_in_app("main", NULL));
	ck_assert(grouping_in_app("main", "example.com/app"));
	ck_assert(grouping_in_app("example.com/app", "example.com/app"));
	ck_assert(grouping_in_app("example.com/app/store", "example.com/app"));
	ck_assert(!grouping_in_app("example.com/apple", "example.com/app"));
	ck_assert(!grouping_in_app("net/http", "example.com/app"));
	ck_assert(!grouping_in_app("example.com/app", ""));
	ck_assert(!grouping_in_app("", ""));
	ck_assert(grouping_is_standard("net/http"));
	ck_assert(grouping_is_standard("runtime"));
	ck_assert(!grouping_is_standard("main"));
	ck_assert(!grouping_is_standard("golang.org/x/net/http2"));
	ck_assert(!grouping_is_standard(""));
}
END_TEST

static const struct {
	const char *in, *out;
} messages[] = {
	{"index out of range [5] with length 3", "index out of range [*] with length *"},
	{"unexpected fault address 0xc000123000", "unexpected fault address *"},
	{"key \"user-42\" not found", "key * not found"},
	{"can't open 'a b': no such file", "can't open *: no such file"},
	{"job 123e4567-e89b-12d3-a456-426614174000 lost", "job * lost"},
	{"commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "commit *"},
	{"facade of decades", "facade of decades"},
	{"dial tcp 10.0.0.1:5432: timeout after 1.5s", "dial tcp *:*: timeout after *"},
	{"took 5m3.25s, not 350ms", "took *, not *"},
	{"x509: unknown", "x*: unknown"},
	{"open /var/lib/app/7.db: no such file", "open *: no such file"},
	{"GET http://host/a/b?c=1 failed", "GET http:* failed"},
	{"and/or a / b", "and/or a / b"},
	{"(/a/b)", "(*)"},
	{"bad \xff byte", "bad * byte"},
	{"bad \\xff byte", "bad * byte"},
	{"größe \\d", "größe \\d"},
	{"first line\nsecond 7", "first line"},
	{"unclosed \"quote 7", "unclosed \"quote *"},
	{"`raw 1` and 1e9", "* and *e*"},
	{"", ""},
};

START_TEST(message_loses_what_differs)
{
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_str_eq(grouping_normalise(&arena, messages[_i].in), messages[_i].out);
	arena_deinit(&arena);
}
END_TEST

/* A frame as tests write it; prepare() adds what follows from its name. */
struct test_frame {
	const char *function;
	bool in_app;
	int32_t relative_line;
};

static struct grouping_frame *prepare(
	struct arena *arena, const struct test_frame *frames, size_t count)
{
	struct grouping_frame *list = arena_array(arena, count + 1, sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		struct function_name name;

		ck_assert_int_eq(
			function_name_read(arena, frames[i].function, "example.com/app", &name),
			CS_OK);
		list[i] = (struct grouping_frame){.function = frames[i].function,
			.package = name.package,
			.key = name.key,
			.declared = name.declared,
			.in_app = frames[i].in_app,
			.is_c = !name.is_go,
			.relative_line = frames[i].relative_line};
	}
	return list;
}

static struct grouping group(struct arena *arena, const char *kind, const char *message,
	unsigned int reraised, const struct test_frame *frames, size_t count)
{
	struct grouping_input input = {.kind = kind,
		.message = message,
		.reraised = reraised,
		.frames = prepare(arena, frames, count),
		.count = count};
	struct grouping grouping;

	ck_assert_int_eq(grouping_make(arena, &input, &grouping), CS_OK);
	return grouping;
}

static struct grouping_keys keys_of(
	const char *message, const struct test_frame *frames, size_t count)
{
	struct grouping_keys keys;
	struct arena arena;

	arena_init(&arena, 0);
	keys = group(&arena, "panic", message, 0, frames, count).keys;
	arena_deinit(&arena);
	return keys;
}

static void assert_equal(
	const struct grouping_keys *a, const struct grouping_keys *b, const char *expected)
{
	ck_assert_int_eq(!strcmp(a->coarse, b->coarse), expected[0] == '=');
	ck_assert_int_eq(!strcmp(a->standard, b->standard), expected[1] == '=');
	ck_assert_int_eq(!strcmp(a->fine, b->fine), expected[2] == '=');
}

#define FRAMES(...)                                                                                \
	(const struct test_frame[])                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

// One crash, and others that share its keys ('=') or not ('!'): coarse, default, fine.
static const struct {
	const char *why, *expected, *message;
	struct test_frame frames[6];
} crashes[] = {
	{"another closure name and Go's own frames", "===", "order 17 is bad",
		{{"runtime.gopanic", false, 1}, {"runtime.panicIndex", false, 2},
			{"main.(*Shop).Sell.func1", true, 5}, {"net/http.(*conn).serve", false, 7},
			{"main.main", true, 9}}},
	{"the names of go1.21", "===", "order 4 is bad",
		{{"main.run.(*Shop).Sell.func2.func3", true, 5},
			{"net/http.(*conn).serve", false, 7}, {"main.main", true, 9}}},
	{"another line", "==!", "order 4 is bad",
		{{"main.(*Shop).Sell", true, 6}, {"net/http.(*conn).serve", false, 7},
			{"main.main", true, 9}}},
	{"a function that calls itself by another", "==!", "order 4 is bad",
		{{"main.(*Shop).Sell", true, 5}, {"main.main", true, 9},
			{"main.(*Shop).Sell", true, 5}, {"main.main", true, 9}}},
	{"in a dependency that it calls", "=!!", "order 4 is bad",
		{{"fmt.Sprint", false, 3}, {"example.org/mux.Serve", false, 7},
			{"main.(*Shop).Sell", true, 5}, {"main.main", true, 9}}},
	{"below C code", "===", "order 4 is bad",
		{{"abort", false, 0}, {"main.(*Shop).Sell", true, 5},
			{"net/http.(*conn).serve", false, 7}, {"main.main", true, 9}}},
	{"another way through a library", "==!", "order 4 is bad",
		{{"main.(*Shop).Sell", true, 5}, {"example.org/mux.Serve", false, 7},
			{"main.main", true, 9}}},
	{"a recursion", "==!", "order 4 is bad",
		{{"main.(*Shop).Sell", true, 5}, {"main.(*Shop).Sell", true, 5},
			{"main.main", true, 9}}},
	{"another caller", "=!!", "order 4 is bad",
		{{"main.(*Shop).Sell", true, 5}, {"net/http.(*conn).serve", false, 7},
			{"main.test", true, 9}}},
	{"another function", "!!!", "order 4 is bad",
		{{"main.(*Shop).Buy", true, 5}, {"net/http.(*conn).serve", false, 7},
			{"main.main", true, 9}}},
	{"another message", "=!!", "no order",
		{{"main.(*Shop).Sell", true, 5}, {"net/http.(*conn).serve", false, 7},
			{"main.main", true, 9}}},
	{"no frame at all", "!!!", "order 4 is bad", {{0}}},
};

static size_t frames_of(const struct test_frame *frames)
{
	size_t count = 0;

	while (count < 6 && frames[count].function)
		count++;
	return count;
}

START_TEST(one_cause_is_one_group)
{
	struct grouping_keys first = keys_of(crashes[0].message, crashes[0].frames, 5);
	struct grouping_keys other =
		keys_of(crashes[_i].message, crashes[_i].frames, frames_of(crashes[_i].frames));

	assert_equal(&first, &other, crashes[_i].expected);
	ck_assert_uint_eq(strspn(other.standard, "0123456789abcdef"), GROUPING_KEY_SIZE - 1);
	ck_assert_str_ne(other.coarse, other.standard);
	ck_assert_str_ne(other.standard, other.fine);
}
END_TEST

// The nearest tier counts: dependencies, then the standard library, then whatever there is.
static const struct {
	const char *what;
	struct test_frame frames[4];
	enum grouping_verdict verdicts[4];
} tiers[] = {
	{"own", {{"runtime.gopanic", false, 1}, {"net.Dial", false, 1}, {"main.f", true, 2}},
		{GROUPING_MACHINERY, GROUPING_FOREIGN, GROUPING_COUNTS}},
	{"site",
		{{"strings.Repeat", false, 1}, {"b.org/x.g", false, 1}, {"b.org/x.h", false, 1},
			{"main.f", true, 2}},
		{GROUPING_FOREIGN, GROUPING_SITE, GROUPING_FOREIGN, GROUPING_COUNTS}},
	{"dependency",
		{{"net.Dial", false, 1}, {"b.org/x.g", false, 2}, {"runtime.goexit", false, 3}},
		{GROUPING_FOREIGN, GROUPING_DEPENDENCY, GROUPING_MACHINERY}},
	{"standard", {{"runtime.gopark", false, 1}, {"net.Dial", false, 2}, {"net.Dial", false, 3}},
		{GROUPING_FOREIGN, GROUPING_STANDARD, GROUPING_REPEATED}},
	{"runtime",
		{{"abort", false, 1}, {"runtime.gopark", false, 2}, {"runtime.bgsweep", false, 3}},
		{GROUPING_NOT_GO, GROUPING_ANY, GROUPING_ANY}},
};

START_TEST(nearest_tier_counts)
{
	size_t count = 0;
	struct grouping g;
	struct arena arena;

	arena_init(&arena, 0);
	while (count < 4 && tiers[_i].frames[count].function)
		count++;
	g = group(&arena, "panic", "x", 0, tiers[_i].frames, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(g.verdicts[i] == tiers[_i].verdicts[i], "%s: frame %zu: %s",
			tiers[_i].what, i, grouping_verdict_text(g.verdicts[i]));
	arena_deinit(&arena);
}
END_TEST

// What a deferred function recovers and raises again happened where it was raised first.
START_TEST(raised_again_is_where_it_was)
{
	const struct test_frame frames[] = {{"runtime.gopanic", false, 1},
		{"main.protect.func1.1", true, 1}, {"runtime.deferCallSave", false, 1},
		{"runtime.gopanic", false, 1}, {"runtime.goPanicIndex", false, 1},
		{"main.list", true, 1}, {"main.main", true, 1}};
	struct arena arena;
	struct grouping again, other, first;

	arena_init(&arena, 0);
	again = group(&arena, "panic", "x", 1, frames, COUNT(frames));
	other = group(&arena, "panic", "x", 0, frames, COUNT(frames));
	first = group(&arena, "panic", "x", 0, frames + 3, COUNT(frames) - 3);
	assert_equal(&again.keys, &first.keys, "===");
	assert_equal(&again.keys, &other.keys, "!!!");
	ck_assert_int_eq(again.verdicts[1], GROUPING_RERAISED);
	ck_assert_uint_eq(again.origin, 5);
	// More than there are.
	ck_assert_uint_eq(group(&arena, "panic", "x", 9, frames, COUNT(frames)).origin, 5);
	arena_deinit(&arena);
}
END_TEST

START_TEST(either_side_of_a_race_is_one_group)
{
	struct arena arena;
	struct grouping a, b;

	arena_init(&arena, 0);
	a = group(&arena, "fatal error", "concurrent map writes", 0,
		FRAMES({"runtime.mapassign", false, 1}, {"main.put", true, 1},
			{"main.main", true, 2}),
		3);
	b = group(&arena, "fatal error", "concurrent map read and map write", 0,
		FRAMES({"main.put", true, 1}, {"main.worker", true, 2}), 2);
	assert_equal(&a.keys, &b.keys, "==!");
	ck_assert_int_eq(a.verdicts[2], GROUPING_RACE);
	ck_assert_ptr_nonnull(grouping_family_text(a.family));
	arena_deinit(&arena);
}
END_TEST

START_TEST(overflow_may_end_anywhere)
{
	static struct test_frame one[601], two[600];
	struct arena arena;
	struct grouping a, b;

	arena_init(&arena, 0);
	one[0] = (struct test_frame){"main.leaf", true, 1};
	for (size_t i = 0; i < 600; i++) {
		two[i] = (struct test_frame){i % 2 ? "main.even" : "main.odd", true, 1};
		one[i + 1] = (struct test_frame){i % 2 ? "main.odd" : "main.even", true, 1};
	}
	a = group(&arena, "fatal error", "stack overflow", 0, one, COUNT(one));
	b = group(&arena, "fatal error", "stack overflow", 0, two, COUNT(two));
	assert_equal(&a.keys, &b.keys, "==!");
	ck_assert_int_eq(a.verdicts[0], GROUPING_NO_CYCLE);
	ck_assert_int_eq(a.verdicts[1], GROUPING_CYCLE);
	ck_assert_uint_eq(a.standard.count, 3);
	// Without a recursion it is like any other.
	a = group(&arena, "fatal error", "stack overflow", 0, FRAMES({"main.f", true, 1}), 1);
	ck_assert_int_eq(a.verdicts[0], GROUPING_COUNTS);
	arena_deinit(&arena);
}
END_TEST

// go1.20 has changed the words.
START_TEST(old_words_are_the_new_ones)
{
	static const char old[] = "runtime error: cannot convert slice with length 3 to pointer to "
				  "array with length 4";
	static const char now[] = "runtime error: cannot convert slice with length 2 to array or "
				  "pointer to array with length 8";
	const struct test_frame frame = {"main.f", true, 1};
	struct grouping_keys a = keys_of(old, &frame, 1), b = keys_of(now, &frame, 1);

	assert_equal(&a, &b, "===");
	ck_assert_str_eq(grouping_reword("other"), "other");
}
END_TEST

START_TEST(hostile_depth_is_capped)
{
	static struct test_frame frames[2000];
	struct grouping_keys a, b;

	for (size_t i = 0; i < COUNT(frames); i++)
		frames[i] = (struct test_frame){i % 2 ? "main.a" : "main.b", true, 1};
	a = keys_of("x", frames, COUNT(frames));
	b = keys_of("x", frames, 1000);
	assert_equal(&a, &b, "===");
}
END_TEST

// The keys are stored for years: a change of the bytes that go into them must be a new version.
START_TEST(version_2_stays)
{
	struct grouping_keys keys = keys_of("boom", FRAMES({"main.handler", true, 3}), 1);

	ck_assert_str_eq(keys.coarse, "3e1e40302577640cedff0623b884a81d");
	ck_assert_str_eq(keys.standard, "895e9ba1746beda8465ebcc511bacf39");
	ck_assert_str_eq(keys.fine, "31076b932417909b35eec7ddf834f2dc");
}
END_TEST

static const struct {
	const char *title, *kind, *message;
	struct test_frame frames[6];
} titles[] = {
	{"panic: boom in main.handler", "panic", "boom",
		{{"runtime.gopanic", false, 0}, {"main.handler", true, 0}, {"main.main", true, 0}}},
	{"panic: a map… in main.use", "panic", "a map\nmore",
		{{"fmt.Println", false, 0}, {"main.use", true, 0}}},
	{"fatal error: all goroutines are asleep - deadlock!", "fatal error",
		"all goroutines are asleep - deadlock!", {{0}}},
	{"signal in net.Dial", "signal", NULL,
		{{"runtime.sigpanic", false, 0}, {"net.Dial", false, 0}}},
	{"signal: SIGQUIT: quit in http.(*conn).serve", "signal", "SIGQUIT: quit",
		{{"runtime.gopark", false, 0}, {"internal/poll.(*FD).Read", false, 0},
			{"net/http.(*conn).serve", false, 0}, {"runtime.goexit", false, 0}}},
	{"signal: SIGQUIT: quit in pool.(*Pool).work", "signal", "SIGQUIT: quit",
		{{"runtime.gopark", false, 0}, {"net.(*conn).Read", false, 0},
			{"example.org/pool.(*Pool).work", false, 0}}},
	{"signal: SIGQUIT: quit in runtime.gopark", "signal", "SIGQUIT: quit",
		{{"runtime.gopark", false, 0}, {"runtime.goexit", false, 0}}},
	{"panic in store.(*DB).Get", "panic", "", {{"example.com/app/store.(*DB).Get", true, 0}}},
};

START_TEST(title_reads_as_one_line)
{
	struct arena arena;
	char *title;

	arena_init(&arena, 0);
	title = grouping_title(&arena, titles[_i].kind, titles[_i].message,
		prepare(&arena, titles[_i].frames, frames_of(titles[_i].frames)),
		frames_of(titles[_i].frames));
	ck_assert_str_eq(title, titles[_i].title);
	arena_deinit(&arena);
}
END_TEST

START_TEST(title_is_cut_between_characters)
{
	struct arena arena;
	char message[1001];
	char *title;

	arena_init(&arena, 0);
	for (size_t i = 0; i + 1 < sizeof(message); i += 2)
		memcpy(message + i, "ä", 2);
	message[sizeof(message) - 1] = '\0';
	for (size_t shift = 0; shift < 2; shift++) {
		message[0] = 'x';
		title = grouping_title(&arena, "panic", message + shift, NULL, 0);
		ck_assert_uint_le(strlen(title), 140);
		ck_assert_msg(strstr(title, "ä…"), "%s", title);
	}
	arena_deinit(&arena);
}
END_TEST

START_TEST(memory_limit_is_an_error)
{
	const struct grouping_frame frame = {
		"main.main", "main", "main.main", "main", true, false, 1};
	const struct grouping_input input = {.kind = "panic", .frames = &frame, .count = 1};
	struct grouping grouping;
	struct arena arena;

	arena_init(&arena, 1);
	ck_assert_int_eq(grouping_make(&arena, &input, &grouping), CS_NO_MEMORY);
	ck_assert_ptr_null(grouping_normalise(&arena, "x"));
	ck_assert_ptr_null(grouping_title(&arena, "panic", "x", &frame, 1));
	ck_assert_ptr_null(function_name_key(&arena, "main.main", NULL));
	ck_assert_ptr_null(function_name_package(&arena, "main.main"));
	arena_deinit(&arena);
}
END_TEST

Suite *suite_grouping(void);

Suite *suite_grouping(void)
{
	Suite *suite = suite_create("grouping");
	TCase *tc = tcase_create("grouping");

	tcase_add_loop_test(tc, closure_has_one_key_in_all_releases, 0, COUNT(releases));
	tcase_add_loop_test(tc, package_of_a_name, 0, COUNT(packages));
	tcase_add_test(tc, own_code_is_known_by_its_module);
	tcase_add_loop_test(tc, message_loses_what_differs, 0, COUNT(messages));
	tcase_add_loop_test(tc, one_cause_is_one_group, 0, COUNT(crashes));
	tcase_add_loop_test(tc, nearest_tier_counts, 0, COUNT(tiers));
	tcase_add_test(tc, raised_again_is_where_it_was);
	tcase_add_test(tc, either_side_of_a_race_is_one_group);
	tcase_add_test(tc, overflow_may_end_anywhere);
	tcase_add_test(tc, old_words_are_the_new_ones);
	tcase_add_test(tc, hostile_depth_is_capped);
	tcase_add_test(tc, version_2_stays);
	tcase_add_loop_test(tc, title_reads_as_one_line, 0, COUNT(titles));
	tcase_add_test(tc, title_is_cut_between_characters);
	tcase_add_test(tc, memory_limit_is_an_error);
	suite_add_tcase(suite, tc);
	return suite;
}
