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

static struct grouping_keys keys_of(
	const char *message, const struct grouping_frame *frames, size_t count)
{
	struct grouping_keys keys;
	struct arena arena;
	char *class;

	arena_init(&arena, 0);
	class = grouping_class(&arena, "panic", "string", message);
	ck_assert_int_eq(
		grouping_make_keys(&arena, class, frames, count, "example.com/app", &keys), CS_OK);
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
	(const struct grouping_frame[])                                                            \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

// One crash, and others that share its keys ('=') or not ('!'): coarse, default, fine.
static const struct {
	const char *why, *expected, *message;
	struct grouping_frame frames[6];
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
	{"another message", "!!!", "no order",
		{{"main.(*Shop).Sell", true, 5}, {"net/http.(*conn).serve", false, 7},
			{"main.main", true, 9}}},
	{"no frame at all", "!!!", "order 4 is bad", {{0}}},
};

static size_t frames_of(const struct grouping_frame *frames)
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

START_TEST(without_own_frames_all_count)
{
	struct grouping_keys a =
		keys_of("x", FRAMES({"net.Dial", false, 1}, {"net.f", false, 2}), 2);
	struct grouping_keys b =
		keys_of("x", FRAMES({"net.Dial", false, 1}, {"net.g", false, 2}), 2);

	assert_equal(&a, &b, "=!!");
}
END_TEST

START_TEST(hostile_depth_is_capped)
{
	struct grouping_frame frames[2000];
	struct grouping_keys a, b;

	for (size_t i = 0; i < COUNT(frames); i++)
		frames[i] = (struct grouping_frame){i % 2 ? "main.a" : "main.b", true, 1};
	a = keys_of("x", frames, COUNT(frames));
	b = keys_of("x", frames, 1000);
	assert_equal(&a, &b, "===");
}
END_TEST

// The keys are stored for years: a change of the bytes that go into them must be a new version.
START_TEST(version_1_stays)
{
	struct grouping_keys keys = keys_of("boom", FRAMES({"main.handler", true, 3}), 1);

	ck_assert_str_eq(keys.coarse, "ad0e5dffe18b514d26223fe0818509b2");
	ck_assert_str_eq(keys.standard, "47372c97fc77be1131c7fdc596099f86");
	ck_assert_str_eq(keys.fine, "d3483d4f6148c006039f544016cc0ad0");
}
END_TEST

static const struct {
	const char *title, *kind, *message;
	struct grouping_frame frames[6];
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
	title = grouping_title(&arena, titles[_i].kind, titles[_i].message, titles[_i].frames,
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
	struct grouping_frame frame = {"main.main", true, 1};
	struct grouping_keys keys;
	struct arena arena;

	arena_init(&arena, 1);
	ck_assert_int_eq(grouping_make_keys(&arena, "c", &frame, 1, NULL, &keys), CS_NO_MEMORY);
	ck_assert_ptr_null(grouping_normalise(&arena, "x"));
	ck_assert_ptr_null(grouping_class(&arena, "panic", NULL, "x"));
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
	tcase_add_test(tc, without_own_frames_all_count);
	tcase_add_test(tc, hostile_depth_is_capped);
	tcase_add_test(tc, version_1_stays);
	tcase_add_loop_test(tc, title_reads_as_one_line, 0, COUNT(titles));
	tcase_add_test(tc, title_is_cut_between_characters);
	tcase_add_test(tc, memory_limit_is_an_error);
	suite_add_tcase(suite, tc);
	return suite;
}
