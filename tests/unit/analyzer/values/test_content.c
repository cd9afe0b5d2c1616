// What well-known structs hold, and forms that need more than one struct: contexts, timers, pools,
// sync.Map of both kinds, lists, reflect.Value.
#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, 0, false                                                                  \
	}

static target_addr define_struct(struct values *v, const char *package, const char *name,
	uint64_t size, const struct mktypes_field *fields)
{
	target_addr type = mktypes_struct(v->m, name, size, fields);

	mktypes_define(v->m, type, 80, package, NULL);
	return type;
}

static struct value *read_text(struct values *v, target_addr type, target_addr at, const char *text)
{
	struct value *value;

	value_reader_begin(&v->reader, &v->scratch, 1000);
	value = values_read(v, type, at);
	if (text) {
		ck_assert_ptr_nonnull(value->natural_text);
		ck_assert_str_eq(value->natural_text, text);
	} else {
		ck_assert_ptr_null(value->natural_text);
	}
	return value;
}

/** An interface {} at `at` that holds the value of `type` at `data`. */
static void put_any(struct values *v, target_addr at, target_addr type, target_addr data)
{
	mkruntime_word(v->m, at, type);
	mkruntime_word(v->m, at + 8, data);
}

struct contexts {
	struct values *v;
	target_addr interface, background, cancel, value, error, failure;
	target_addr t_key;
};

static void define_contexts(struct contexts *c)
{
	struct values *v = c->v = values_create();
	static const struct mktypes_field none[] = {END};
	struct mktypes_field text[] = {{"s", v->t_string, 0, false}, END};
	target_addr background, cancel, value, failure;

	c->interface = mktypes_interface(v->m, "context.Context", 4);
	c->error = mktypes_interface(v->m, "error", 1);
	background = define_struct(v, "context", "context.backgroundCtx", 0, none);
	failure = define_struct(v, "errors", "errors.errorString", 16, text);
	{
		struct mktypes_field fields[] = {{"Context", c->interface, 0, true},
			{"err", c->error, 16, false}, {"cause", c->error, 32, false}, END};

		cancel = define_struct(v, "context", "context.cancelCtx", 48, fields);
	}
	{
		struct mktypes_field fields[] = {{"Context", c->interface, 0, true},
			{"key", v->t_any, 16, false}, {"val", v->t_any, 32, false}, END};

		value = define_struct(v, "context", "context.valueCtx", 48, fields);
	}
	c->background = background;
	c->cancel = mktypes_of(v->m, "&context.cancelCtx", GO_POINTER, cancel);
	c->value = mktypes_of(v->m, "&context.valueCtx", GO_POINTER, value);
	c->failure = mktypes_of(v->m, "&errors.errorString", GO_POINTER, failure);
	c->t_key = mkruntime_type(v->m, "main.key", GO_STRING, 16);
	mktypes_define(v->m, c->t_key, 48, "main", NULL);
}

static void put_interface(struct contexts *c, target_addr at, target_addr interface,
	target_addr type, target_addr data)
{
	mkruntime_word(c->v->m, at, mktypes_itab(c->v->m, interface, type));
	mkruntime_word(c->v->m, at + 8, data);
}

START_TEST(a_context_says_its_state)
{
	struct contexts c;
	target_addr root, cancel, value, key, error, cause, at;

	define_contexts(&c);
	root = mkruntime_alloc(c.v->m, 16);
	cancel = mkruntime_alloc(c.v->m, 48);
	value = mkruntime_alloc(c.v->m, 48);
	key = mkruntime_alloc(c.v->m, 16);
	error = mkruntime_alloc(c.v->m, 16);
	cause = mkruntime_alloc(c.v->m, 16);
	at = mkruntime_alloc(c.v->m, 16);
	mkruntime_string(c.v->m, key, "id");
	mkruntime_string(c.v->m, error, "context canceled");
	mkruntime_string(c.v->m, cause, "too slow");
	put_interface(&c, value, c.interface, c.background, root);
	put_any(c.v, value + 16, c.t_key, key);
	put_any(c.v, value + 32, c.v->t_string, key);
	put_interface(&c, cancel, c.interface, c.value, value);
	put_interface(&c, at, c.interface, c.cancel, cancel);
	values_open(c.v, 1000);
	read_text(c.v, c.interface, at,
		"context.Background.WithValue(main.key(\"id\"), string).WithCancel");
	put_interface(&c, cancel + 16, c.error, c.failure, error);
	put_interface(&c, cancel + 32, c.error, c.failure, error);
	read_text(c.v, c.interface, at,
		"context.Background.WithValue(main.key(\"id\"), string)"
		".WithCancel [context canceled]");
	put_interface(&c, cancel + 32, c.error, c.failure, cause);
	read_text(c.v, c.interface, at,
		"context.Background.WithValue(main.key(\"id\"), string)"
		".WithCancel [context canceled: too slow]");
	mkruntime_word(c.v->m, value + 32, 0);
	put_interface(&c, at, c.interface, c.value, value);
	read_text(c.v, c.interface, at, "context.Background.WithValue(main.key(\"id\"), nil)");
	put_interface(&c, cancel, c.interface, c.cancel, cancel); // a ring
	put_interface(&c, at, c.interface, c.cancel, cancel);
	value_reader_begin(&c.v->reader, &c.v->scratch, 1000);
	ck_assert_ptr_nonnull(values_read(c.v, c.interface, at));
	values_destroy(c.v);
}
END_TEST

START_TEST(timers)
{
	static const struct {
		int64_t when, period, status, now;
		const char *text;
	} rows[] = {{0, 0, 0, 5000000000, "not running"},
		{9000000000, 0, 3, 5000000000, "not running"},
		{9000000000, 0, 1, 5000000000, "fires within 4s"},
		{4000000000, 0, 1, 5000000000, "fired"},
		{5000000001, 0, 1, 5000000000, "fires within 1ms"},
		{9000000000, 60000000000, 1, 5000000000, "fires within 4s, every 1m0s"},
		{9000000000, 0, 1, 0, NULL}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		const struct mktypes_field inner[] = {{"when", v->t_int, 0, false},
			{"period", v->t_int, 8, false}, {"status", v->t_int, 16, false},
			{"nextwhen", v->t_int, 24, false}, END};
		const struct mktypes_field outer[] = {
			{"C", v->t_int, 0, false}, {"r", 0, 8, false}, END};
		struct mktypes_field fields[3];
		target_addr type, at = mkruntime_alloc(v->m, 48);

		memcpy(fields, outer, sizeof(fields));
		fields[1].type = mktypes_struct(v->m, "time.runtimeTimer", 32, inner);
		type = define_struct(v, "time", "time.Timer", 40, fields);
		mkruntime_word(v->m, at + 8, (uint64_t)rows[i].when);
		mkruntime_word(v->m, at + 16, (uint64_t)rows[i].period);
		mkruntime_word(v->m, at + 24, (uint64_t)rows[i].status);
		values_open(v, 100);
		v->reader.now = rows[i].now;
		read_text(v, type, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(pools)
{
	struct values *v = values_create();
	target_addr pointer = mkruntime_type(v->m, "unsafe.Pointer", GO_UNSAFE_POINTER, 8);
	const struct mktypes_field fields[] = {{"local", pointer, 0, false},
		{"localSize", v->t_int, 8, false}, {"victim", pointer, 16, false},
		{"victimSize", v->t_int, 24, false}, END};
	target_addr type = define_struct(v, "sync", "sync.Pool", 32, fields);
	target_addr at = mkruntime_alloc(v->m, 32), locals = mkruntime_alloc(v->m, 256);
	target_addr lists[2] = {mkruntime_alloc(v->m, 48), mkruntime_alloc(v->m, 48)};

	values_open(v, 100);
	read_text(v, type, at, "0 kept");
	mkruntime_word(v->m, at, locals);
	mkruntime_word(v->m, at + 8, 2);
	mkruntime_word(v->m, locals + 128, v->t_int); // the second processor's own
	mkruntime_word(v->m, locals + 24, lists[0]);  // the first one's list, from its tail
	mkruntime_word(v->m, lists[0], UINT64_C(7) << 32 | 5);
	mkruntime_word(v->m, lists[0] + 32, lists[1]);
	mkruntime_word(v->m, lists[1], UINT64_C(1) << 32 | UINT32_MAX); // the counters have turned
	read_text(v, type, at, "5 kept");
	mkruntime_word(v->m, lists[1] + 32, lists[0]); // a ring
	read_text(v, type, at, NULL);
	mkruntime_word(v->m, at + 8, 1000000); // more processors than there can be
	read_text(v, type, at, NULL);
	values_destroy(v);
}
END_TEST

START_TEST(lists)
{
	struct values *v = values_create();
	target_addr element = mkruntime_type(v->m, "&list.Element", GO_POINTER, 8);
	struct mktypes_field node[] = {
		{"next", element, 0, false}, {"Value", v->t_any, 8, false}, END};
	target_addr t_node = mktypes_struct(v->m, "list.Element", 24, node);
	struct mktypes_field fields[] = {
		{"root", t_node, 0, false}, {"len", v->t_int, 24, false}, END};
	target_addr type = define_struct(v, "container/list", "list.List", 32, fields);
	target_addr at = mkruntime_alloc(v->m, 32), number = mkruntime_alloc(v->m, 8);
	target_addr nodes[2] = {mkruntime_alloc(v->m, 32), mkruntime_alloc(v->m, 32)};
	struct value *value;

	mkruntime_word(v->m, number, 42);
	mkruntime_word(v->m, at, nodes[0]);
	mkruntime_word(v->m, at + 24, 2);
	mkruntime_word(v->m, nodes[0], nodes[1]);
	mkruntime_word(v->m, nodes[1], at);
	put_any(v, nodes[0] + 8, v->t_int, number);
	put_any(v, nodes[1] + 8, v->t_int, number);
	values_open(v, 100);
	value = read_text(v, type, at, "2 elements");
	ck_assert_uint_eq(value->length, 2);
	ck_assert_uint_eq(value->element_count, 2);
	ck_assert_int_eq(value->elements[1]->dynamic_value->scalar.integer, 42);
	ck_assert(!value->is_truncated);
	mkruntime_word(v->m, nodes[0], at); // shorter than it says
	value = read_text(v, type, at, "2 elements");
	ck_assert_uint_eq(value->element_count, 1);
	ck_assert(value->is_truncated);
	values_destroy(v);
}
END_TEST

START_TEST(reflected_values)
{
	struct values *v = values_create();
	target_addr pointer = mkruntime_type(v->m, "unsafe.Pointer", GO_UNSAFE_POINTER, 8);
	struct mktypes_field fields[] = {{"typ_", pointer, 0, false}, {"ptr", pointer, 8, false},
		{"flag", v->t_int, 16, false}, END};
	target_addr type = define_struct(v, "reflect", "reflect.Value", 24, fields);
	target_addr at = mkruntime_alloc(v->m, 24), number = mkruntime_alloc(v->m, 16);
	struct value *value;

	mkruntime_string(v->m, number, "text");
	values_open(v, 100);
	value = read_text(v, type, at, "<invalid Value>");
	ck_assert_ptr_null(value->dynamic_type);
	mkruntime_word(v->m, at, v->t_int);
	mkruntime_word(v->m, at + 8, number);
	mkruntime_word(v->m, at + 16, 1 << 7 | GO_INT);
	value = read_text(v, type, at, "<int Value>");
	ck_assert_uint_eq((uint64_t)value->dynamic_value->scalar.integer,
		*(uint64_t *)mkruntime_at(v->m, number));
	mkruntime_word(v->m, at, v->t_string);
	mkruntime_word(v->m, at + 16, 1 << 7 | GO_STRING);
	read_text(v, type, at, "text");
	mkruntime_word(v->m, at + 16, 1 << 9 | 1 << 7 | GO_STRING); // a method
	read_text(v, type, at, NULL);
	mkruntime_word(v->m, at, 0x10); // no type
	mkruntime_word(v->m, at + 16, 1 << 7 | GO_INT);
	read_text(v, type, at, NULL);
	values_destroy(v);
}
END_TEST

/** An atomic.Pointer of `element`. */
static target_addr define_pointer(struct values *v, target_addr element)
{
	target_addr pointer = mktypes_of(v->m, "&x", GO_POINTER, element);
	target_addr array = mktypes_array(v->m, "[0]*x", pointer, 0, 0);
	target_addr word = mkruntime_type(v->m, "unsafe.Pointer", GO_UNSAFE_POINTER, 8);
	struct mktypes_field fields[] = {{"_", array, 0, false}, {"v", word, 0, false}, END};

	return define_struct(v, "sync/atomic", "atomic.Pointer[x]", 8, fields);
}

START_TEST(maps_that_are_tries)
{
	struct values *v = values_create();
	target_addr children = mktypes_array(v->m, "[16]child", v->t_int, 16, 128);
	struct mktypes_field node[] = {{"isEntry", v->t_uint8, 0, false},
		{"parent", v->t_int, 8, false}, {"children", children, 16, false}, END};
	target_addr indirect = mktypes_struct(v->m, "sync.indirect", 144, node);
	struct mktypes_field trie[] = {{"root", define_pointer(v, indirect), 0, false}, END};
	target_addr t_trie = mktypes_struct(v->m, "sync.HashTrieMap", 8, trie);
	struct mktypes_field fields[] = {{"m", t_trie, 0, false}, END};
	target_addr type = define_struct(v, "sync", "sync.Map", 8, fields);
	target_addr at = mkruntime_alloc(v->m, 8), root = mkruntime_alloc(v->m, 144);
	target_addr inner = mkruntime_alloc(v->m, 144), number = mkruntime_alloc(v->m, 8);
	target_addr leaves[3];
	struct value *value;

	values_open(v, 100);
	value = read_text(v, type, at, "0 entries");
	ck_assert_uint_eq(value->length, 0);
	for (size_t i = 0; i < 3; i++) {
		leaves[i] = mkruntime_alloc(v->m, 48);
		*(uint8_t *)mkruntime_at(v->m, leaves[i]) = 1;
		put_any(v, leaves[i] + 16, v->t_int, number);
		put_any(v, leaves[i] + 32, v->t_int, number);
	}
	mkruntime_word(v->m, number, 9);
	mkruntime_word(v->m, at, root);
	mkruntime_word(v->m, root + 16, leaves[0]);
	mkruntime_word(v->m, root + 16 + 120, inner);
	mkruntime_word(v->m, inner + 24, leaves[1]);
	mkruntime_word(v->m, leaves[1] + 8, leaves[2]); // the same hash
	value = read_text(v, type, at, "3 entries");
	ck_assert_uint_eq(value->length, 3);
	ck_assert_uint_eq(value->entry_count, 3);
	ck_assert_int_eq(value->entries[2].key->dynamic_value->scalar.integer, 9);
	mkruntime_word(v->m, inner + 32, inner); // a ring
	value = read_text(v, type, at, NULL);
	ck_assert(value->is_truncated && !value->has_length);
	mkruntime_word(v->m, root + 16, 0x10); // nowhere
	value = read_text(v, type, at, NULL);
	ck_assert(value->is_truncated && !value->has_length);
	values_destroy(v);
}
END_TEST

START_TEST(messages_leave_out_how_they_are_kept)
{
	struct values *v = values_create();
	struct mktypes_field inside[] = {{"atomicMessageInfo", v->t_int, 0, false}, END};
	target_addr state = define_struct(
		v, "google.golang.org/protobuf/internal/impl", "impl.MessageState", 8, inside);
	struct mktypes_field fields[] = {{"state", state, 0, false},
		{"sizeCache", v->t_int, 8, false}, {"unknownFields", v->t_int, 16, false},
		{"Size", v->t_int, 24, false}, END};
	struct mktypes_field other[] = {
		{"state", v->t_int, 0, false}, {"Size", v->t_int, 8, false}, END};
	target_addr type = define_struct(v, "main", "main.Message", 32, fields);
	target_addr plain = define_struct(v, "main", "main.State", 16, other);
	target_addr at = mkruntime_alloc(v->m, 32);

	mkruntime_word(v->m, at + 8, 5);
	mkruntime_word(v->m, at + 24, 7);
	values_open(v, 100);
	values_expect(v, type, at, "{Size:7}");
	values_expect(v, plain, at, "{state:0 Size:5}");
	values_destroy(v);
}
END_TEST

Suite *suite_values_content(void);

Suite *suite_values_content(void)
{
	Suite *suite = suite_create("values_content");
	TCase *tc = tcase_create("values_content");

	tcase_add_test(tc, a_context_says_its_state);
	tcase_add_test(tc, timers);
	tcase_add_test(tc, pools);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, reflected_values);
	tcase_add_test(tc, maps_that_are_tries);
	tcase_add_test(tc, messages_leave_out_how_they_are_kept);
	suite_add_tcase(suite, tc);
	return suite;
}
