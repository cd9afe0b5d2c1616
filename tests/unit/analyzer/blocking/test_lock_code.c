// Which locks a function holds at a call, over functions in machine code that lock and unlock in
// the ways of Go's compiler: by calls, and with the quick half of Lock inlined.
#include "analyzer/blocking/lock_code.h"

#include "tests/lib/mkpclntab.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_SIZE 96
#define TEXT 0x401000
#define TABLE 0x500000
#define GOFUNC 0x580000
#define VARIABLE 0x600000

/** In the order of the table. */
enum { LOCK, UNLOCK, RLOCK, LOCK_SLOW, LEAF, HELPER, SUBJECT, FUNCTIONS };

static const char *const names[] = {"sync.(*Mutex).Lock", "sync.(*Mutex).Unlock",
	"sync.(*RWMutex).RLock", "internal/sync.(*Mutex).lockSlow", "main.leaf", "main.helper",
	"main.subject"};

struct fixture {
	struct arena arena;
	struct diag diag;
	struct mkpclntab *table;
	uint8_t text[FUNCTIONS * FUNCTION_SIZE];
	size_t used; // bytes of the subject
	struct runtime rt;
	struct frame_table frames;
	struct lock_code code;
};

static struct fixture *create(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	memset(f->text, 0xc3, sizeof(f->text)); // ret
	return f;
}

static void destroy(struct fixture *f)
{
	mkpclntab_destroy(f->table);
	arena_deinit(&f->arena);
	free(f);
}

#define PUT(f, ...) put(f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put(struct fixture *f, const uint8_t *bytes, size_t size)
{
	ck_assert_uint_le(f->used + size, FUNCTION_SIZE);
	memcpy(f->text + SUBJECT * FUNCTION_SIZE + f->used, bytes, size);
	f->used += size;
}

static void put_relative(struct fixture *f, int64_t target)
{
	int32_t distance =
		(int32_t)(target - (TEXT + SUBJECT * FUNCTION_SIZE + (int64_t)f->used + 4));

	put(f, (const uint8_t *)&distance, sizeof(distance));
}

/** A call of `function`; where it returns to, in bytes of the subject. */
static size_t call(struct fixture *f, int function)
{
	PUT(f, 0xe8);
	put_relative(f, TEXT + function * FUNCTION_SIZE);
	return f->used;
}

static void take_pointer(struct fixture *f, uint8_t offset)
{
	PUT(f, 0x48, 0x8d, 0x41, offset);
}

static void take_variable(struct fixture *f, target_addr address)
{
	PUT(f, 0x48, 0x8d, 0x05); // lea rax,[rip+…]
	put_relative(f, (int64_t)address);
}

static void add_range(struct image *image, target_addr start, const void *bytes, size_t size)
{
	ck_assert_int_eq(
		image_add(image,
			(struct image_view){.start = start, .end = start + size, .bytes = bytes}),
		CS_OK);
}

/** The process with the subject as it was put together; `inlined` and `calls` are its inline tree.
 */
static void finish(struct fixture *f, const struct mkpclntab_run *inlined,
	const struct mkpclntab_call *calls, size_t call_count)
{
	struct image *image = image_create(ARCH_AMD64, &f->arena);

	PUT(f, 0xc3);
	f->table = mkpclntab_create(0xfffffff1, 1);
	mkpclntab_add_file(f->table, "/src/app/main.go");
	for (int i = 0; i < FUNCTIONS; i++)
		mkpclntab_add(f->table,
			&(struct mkpclntab_func){.name = names[i],
				.size = FUNCTION_SIZE,
				.sp = (struct mkpclntab_run[]){{FUNCTION_SIZE, 24}},
				.files = (struct mkpclntab_run[]){{FUNCTION_SIZE, 0}},
				.lines = (struct mkpclntab_run[]){{8, 1}, {16, 2}, {24, 3}, {32, 4},
					{40, 5}, {48, 6}, {56, 7}, {64, 8}, {FUNCTION_SIZE, 9}},
				.inlined = i == SUBJECT ? inlined : NULL,
				.calls = i == SUBJECT ? calls : NULL,
				.call_count = i == SUBJECT ? call_count : 0});
	mkpclntab_finish(f->table, TEXT);
	ck_assert_ptr_nonnull(image);
	add_range(image, TEXT, f->text, sizeof(f->text));
	add_range(image, TABLE, f->table->table.bytes, f->table->table.size);
	if (f->table->gofunc.size)
		add_range(image, GOFUNC, f->table->gofunc.bytes, f->table->gofunc.size);
	ck_assert_int_eq(image_seal(image), CS_OK);
	f->rt = (struct runtime){.image = image, .arena = &f->arena, .diag = &f->diag};
	layout_init(&f->rt.layout);
	ck_assert_int_eq(pclntab_load(image, TABLE, f->table->table.size, TEXT, GOFUNC, &f->arena,
				 &f->diag, &f->rt.functions),
		CS_OK);
	f->rt.modules[0].functions = f->rt.functions;
	f->rt.module_count = 1;
	frame_table_init(&f->frames, &f->rt);
	ck_assert_int_eq(lock_code_init(&f->code, &f->frames), CS_OK);
}

static struct held_locks held_at(struct fixture *f, size_t offset)
{
	uint32_t place =
		frame_table_place(&f->frames, TEXT + SUBJECT * FUNCTION_SIZE + offset, false);

	ck_assert_uint_ne(place, NO_PLACE);
	return lock_code_held(&f->code, place);
}

START_TEST(from_lock_to_unlock)
{
	struct fixture *f = create();
	size_t before, in_lock, between, in_unlock, after;
	struct held_locks held;

	before = call(f, LEAF);
	take_pointer(f, 0x18);
	in_lock = call(f, LOCK);
	between = call(f, LEAF);
	take_pointer(f, 0x18);
	in_unlock = call(f, UNLOCK);
	after = call(f, LEAF);
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, before).count, 0);
	ck_assert_uint_eq(held_at(f, in_lock).count, 0);
	held = held_at(f, between);
	ck_assert_uint_eq(held.count, 1);
	ck_assert_int_eq(held.list[0].mode, LOCK_MUTEX);
	ck_assert(!held.list[0].is_variable);
	ck_assert_int_eq(held.list[0].offset, 0x18);
	ck_assert_uint_eq(held_at(f, in_unlock).count, 1); // until it has returned
	ck_assert_uint_eq(held_at(f, after).count, 0);
	destroy(f);
}
END_TEST

START_TEST(locks_are_told_apart)
{
	struct fixture *f = create();
	size_t second, both, one;
	struct held_locks held;

	take_variable(f, VARIABLE);
	call(f, LOCK);
	PUT(f, 0x48, 0x89, 0xc8); // mov rax,rcx: a lock at its object's start
	second = call(f, RLOCK);
	both = call(f, LEAF);
	take_variable(f, VARIABLE);
	call(f, UNLOCK);
	one = call(f, LEAF);
	finish(f, NULL, NULL, 0);
	held = held_at(f, second); // while it waits for the second, it has the first
	ck_assert_uint_eq(held.count, 1);
	ck_assert(held.list[0].is_variable);
	ck_assert_uint_eq(held.list[0].address, VARIABLE);
	ck_assert_uint_eq(held_at(f, both).count, 2);
	held = held_at(f, one);
	ck_assert_uint_eq(held.count, 1);
	ck_assert_int_eq(held.list[0].mode, LOCK_READ);
	ck_assert_int_eq(held.list[0].offset, 0);
	destroy(f);
}
END_TEST

START_TEST(every_way_must_have_taken_it)
{
	struct fixture *f = create();
	size_t joined;

	PUT(f, 0x85, 0xdb, 0x74, 0x09); // test ebx,ebx; je past the call
	take_pointer(f, 8);
	call(f, LOCK);
	joined = call(f, LEAF);
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, joined).count, 0);
	destroy(f);
}
END_TEST

START_TEST(a_way_that_gives_it_back_and_returns_does_not_count)
{
	struct fixture *f = create();
	size_t behind;

	take_pointer(f, 8);
	call(f, LOCK);
	PUT(f, 0x85, 0xdb, 0x74, 0x0a); // test ebx,ebx; je past the return
	take_pointer(f, 8);
	call(f, UNLOCK);
	PUT(f, 0xc3);
	behind = call(f, LEAF);
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, behind).count, 1);
	destroy(f);
}
END_TEST

START_TEST(what_is_given_back_by_pointer_may_be_any_other)
{
	struct fixture *f = create();
	size_t after;

	take_pointer(f, 8);
	call(f, LOCK);
	PUT(f, 0x48, 0x8b, 0x44, 0x24, 0x08); // mov rax,[rsp+8]: it may have lain there
	call(f, UNLOCK);
	after = call(f, LEAF);
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, after).count, 0);
	destroy(f);
}
END_TEST

START_TEST(computed_jumps_are_not_followed)
{
	struct fixture *f = create();
	size_t after;

	take_pointer(f, 8);
	call(f, LOCK);
	after = call(f, LEAF);
	PUT(f, 0xff, 0xe3); // jmp rbx
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, after).count, 0);
	destroy(f);
}
END_TEST

/**
 * As go1.24 to go1.27 write it: the compare and swap, and the call of the slow half. Both are
 * within the inlined Lock.
 */
START_TEST(an_inlined_lock)
{
	static const struct mkpclntab_run inlined[] = {{2, -1}, {22, 0}, {FUNCTION_SIZE, -1}};
	static const struct mkpclntab_call calls[] = {{"sync.(*Mutex).Lock", 0, 1, 10}};
	struct fixture *f = create();
	size_t slow, between;
	struct held_locks held;

	PUT(f, 0x31, 0xc0);                   // xor eax,eax
	PUT(f, 0xf0, 0x0f, 0xb1, 0x5a, 0x20); // lock cmpxchg [rdx+0x20],ebx
	PUT(f, 0x85, 0xc0, 0x74, 0x0b);       // test eax,eax; je past the slow half
	PUT(f, 0x48, 0x89, 0xd0);             // mov rax,rdx
	PUT(f, 0x48, 0x83, 0xc0, 0x20);       // add rax,0x20: nothing that is followed
	slow = call(f, LOCK_SLOW);
	between = call(f, LEAF);
	finish(f, inlined, calls, 1);
	ck_assert_uint_eq(held_at(f, slow).count, 0); // it waits for it
	held = held_at(f, between);
	ck_assert_uint_eq(held.count, 1);
	ck_assert_int_eq(held.list[0].offset, 0x20);
	destroy(f);
}
END_TEST

START_TEST(a_helper_may_give_it_back)
{
	struct fixture *f = create();
	uint8_t *helper = f->text + HELPER * FUNCTION_SIZE;
	int32_t distance = UNLOCK * FUNCTION_SIZE - (HELPER * FUNCTION_SIZE + 9);
	size_t before, after;

	memcpy(helper, (const uint8_t[]){0x48, 0x8d, 0x41, 0x08, 0xe8}, 5); // lea rax,[rcx+8]; call
	memcpy(helper + 5, &distance, sizeof(distance));
	take_pointer(f, 8);
	call(f, LOCK);
	before = call(f, LEAF);
	call(f, HELPER);
	after = call(f, LEAF);
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, before).count, 1);
	ck_assert_uint_eq(held_at(f, after).count, 0);
	destroy(f);
}
END_TEST

START_TEST(damaged_code_tells_nothing)
{
	struct fixture *f = create();
	size_t after;

	take_pointer(f, 8);
	call(f, LOCK);
	after = call(f, LEAF);
	PUT(f, 0x06); // no instruction in 64 bits
	finish(f, NULL, NULL, 0);
	ck_assert_uint_eq(held_at(f, after).count, 0);
	destroy(f);
}
END_TEST

Suite *suite_lock_code(void);

Suite *suite_lock_code(void)
{
	Suite *suite = suite_create("lock_code");
	TCase *tests = tcase_create("lock_code");

	tcase_add_test(tests, from_lock_to_unlock);
	tcase_add_test(tests, locks_are_told_apart);
	tcase_add_test(tests, every_way_must_have_taken_it);
	tcase_add_test(tests, a_way_that_gives_it_back_and_returns_does_not_count);
	tcase_add_test(tests, what_is_given_back_by_pointer_may_be_any_other);
	tcase_add_test(tests, computed_jumps_are_not_followed);
	tcase_add_test(tests, an_inlined_lock);
	tcase_add_test(tests, a_helper_may_give_it_back);
	tcase_add_test(tests, damaged_code_tells_nothing);
	suite_add_tcase(suite, tests);
	return suite;
}
