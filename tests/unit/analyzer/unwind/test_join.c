// Stacks in pieces: C code called by Go, Go called back by it, C threads; libraries that are there,
// that are other ones, or gone.
#include "analyzer/unwind/join.h"

#include "analyzer/runtime/goroutine.h"
#include "analyzer/unwind/threads.h"
#include "tests/lib/mkobject.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIBRARY 0x7f5500000000 // where it is mapped
#define PATH "/usr/lib/libdemo.so.1"
#define G0_SIZE 0x1000
#define IN(function) (LIBRARY + MKOBJECT_TEXT + (function)*0x100 + 0x10)

// Functions of the library, by number. Each but the last has a return address and nothing else on
// its stack; "start" has no caller.
enum { INNER, OUTER, START, UNNAMED, WITHOUT_RULES };

static const struct mkobject_function functions[] = {
	{"inner", MKOBJECT_TEXT, 0x100, NULL, 0, STB_GLOBAL, false, false},
	{"outer", MKOBJECT_TEXT + 0x100, 0x100, NULL, 0, STB_GLOBAL, false, false},
	{"start", MKOBJECT_TEXT + 0x200, 0x100, "\x07\x10", 2, STB_GLOBAL, false, false},
	{NULL, MKOBJECT_TEXT + 0x300, 0x100, NULL, 0, STB_LOCAL, false, false},
	{"bare", MKOBJECT_TEXT + 0x400, 0x100, NULL, 0, STB_LOCAL, false, true}, {0}};

/** What the library's file is when it is asked for. */
enum library { AS_MAPPED, OTHER_BUILD, GONE };

static struct mkruntime *m;
static target_addr g, machine, g0; // g0: its stack's lowest address
static struct frame_table table;
static struct scheduler scheduler;
static struct cframes c;
static struct joiner joiner;
static struct joined_thread thread;
static struct walk walk;
static enum library library;
static size_t asked;
static const uint8_t *library_bytes;
static size_t library_size;
static struct mkelf *library_elf;

static void set_up(void)
{
	target_addr object;

	m = mkruntime_create(0);
	g = mkruntime_g(m, 1, GOROUTINE_SYSCALL);
	machine = mkruntime_m(m, 100);
	g0 = mkruntime_alloc(m, G0_SIZE);
	object = mkruntime_object(m, G_STACK_LO);
	mkruntime_set(m, object, G_STACK_LO, g0);
	mkruntime_set(m, object, G_STACK_HI, g0 + G0_SIZE);
	mkruntime_set(m, machine, M_G0, object);
	mkruntime_set(m, machine, M_CURG, g);
	mkruntime_set(m, g, G_M, machine);
	mkruntime_stack(m, g,
		(const char *[]){
			"runtime.cgocall", "main.leaf", "main.main", "runtime.goexit", NULL});
	mkruntime_set(m, g, G_SYSCALL_PC, mkruntime_pc("runtime.cgocall"));
	memcpy(&object, mkruntime_at(m, g + layout_value(&m->layout, G_SCHED_SP)), 8);
	mkruntime_set(m, g, G_SYSCALL_SP, object);
	library_elf = mkobject_create(EM_X86_64, functions);
	library_bytes = mkelf_finish(library_elf, &library_size);
	library = AS_MAPPED;
	asked = 0;
}

static void tear_down(void)
{
	cframes_close(&c);
	mkelf_destroy(library_elf);
	mkruntime_destroy(m);
}

/** The word `number` of g0's stack. */
static target_addr at(size_t number)
{
	return g0 + 0x400 + 8 * number;
}

static void put(size_t number, uint64_t word)
{
	mkruntime_word(m, at(number), word);
}

static int open_library(void *context, const char *path, char *why, size_t size)
{
	uint8_t copy[0x8000];

	ck_assert_ptr_eq(context, &library);
	ck_assert_str_eq(path, PATH);
	ck_assert_uint_le(library_size, sizeof(copy));
	asked++;
	memcpy(copy, library_bytes, library_size);
	if (library == GONE) {
		snprintf(why, size, "it went away");
		return -1;
	}
	for (size_t i = 0; library == OTHER_BUILD && i + 4 <= library_size; i++)
		if (!memcmp(copy + i, MKOBJECT_BUILD_ID, 4))
			copy[i]++;
	return mkelf_open_bytes(copy, library_size);
}

/** A thread at `pc` and `sp`, its process, and its walk. */
static void join(target_addr pc, target_addr sp)
{
	static struct image_mapping mapping;
	struct image_thread *row = mkruntime_thread(m, 100, pc, sp);
	struct image_notes *notes;

	row->regs.count = 27;
	row->regs.raw[3] = at(40); // r12
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(image_add(m->image, (struct image_view){.start = LIBRARY,
						     .end = LIBRARY + 0x1000,
						     .bytes = library_bytes,
						     .is_core = true}),
		CS_OK);
	ck_assert_int_eq(image_seal(m->image), CS_OK);
	notes = image_edit_notes(m->image);
	mapping = (struct image_mapping){LIBRARY, LIBRARY + 0x4000, 0, PATH};
	notes->mappings = &mapping;
	notes->mapping_count = 1;
	frame_table_init(&table, m->rt);
	ck_assert_int_eq(scheduler_load(m->rt, &scheduler), CS_OK);
	cframes_init(&c, &table, NULL, NULL, (struct file_source){open_library, &library});
	ck_assert_int_eq(join_init(&joiner, &c), CS_OK);
	join_thread(&joiner, &notes->threads[0], scheduler_machine_of_thread(&scheduler, 100),
		&walk, &thread);
}

/** The walk's functions, innermost first; "?" for one without a name, "[…]" around C. */
static const char *names_of(const struct walk *of)
{
	static char text[4096];
	size_t used = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < of->count; i++) {
		const struct code_place *place = &table.places[of->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			const struct frame *frame = &table.frames[place->first_frame + k];

			used += (size_t)snprintf(text + used, sizeof(text) - used,
				frame->object ? "%s[%s]" : "%s%s", used ? " " : "",
				*frame->function ? frame->function : "?");
		}
	}
	return text;
}

/** The goroutine's own walk with its C frames. */
static const char *goroutine_names(void)
{
	const struct machine *of = scheduler_machine_at(&scheduler, machine);
	struct goroutine loaded;
	static struct walk own;

	ck_assert(goroutine_load(m->rt, g, &loaded));
	walk_stack(
		&table, (struct position){.pc = loaded.syscall_pc, .sp = loaded.syscall_sp}, &own);
	join_goroutine(&joiner, of, thread.entry.is_set ? &thread.entry : NULL, &own);
	return names_of(&own);
}

static bool has_diagnostic(const char *code)
{
	for (size_t i = 0; i < m->diag.count; i++)
		if (!strcmp(m->diag.entries[i].code, code))
			return true;
	return false;
}

#define GO_FRAMES "runtime.cgocall main.leaf main.main runtime.goexit"

/** inner, called by outer, called by asmcgocall, whose words are `words` above its sp. */
static void put_call(size_t words, bool by_landing_pad)
{
	uint64_t depth = 0x100;
	size_t sp = by_landing_pad ? 3 : 2;

	put(0, IN(OUTER));
	put(1, mkruntime_pc(
		       by_landing_pad ? "runtime.asmcgocall_landingpad" : "runtime.asmcgocall"));
	if (by_landing_pad)
		put(2, mkruntime_pc("runtime.asmcgocall"));
	put(sp + words, depth);
	put(sp + words + 1, g);
}

static const struct {
	const char *name;
	size_t words;
	bool by_landing_pad;
	const char *thread;
} calls[] = {
	{"go1.26", 0, true,
		"[inner] [outer] runtime.asmcgocall_landingpad runtime.asmcgocall " GO_FRAMES},
	{"go1.22", 0, false, "[inner] [outer] runtime.asmcgocall " GO_FRAMES},
	{"go1.18", 5, false, "[inner] [outer] runtime.asmcgocall " GO_FRAMES},
};

/** Go's frame that called asmcgocall: its return address at `depth` from the stack's end. */
static void put_caller(void)
{
	target_addr hi;

	memcpy(&hi, mkruntime_at(m, g + layout_value(&m->layout, G_STACK_HI)), 8);
	mkruntime_word(m, hi - 0x100, mkruntime_pc("runtime.cgocall"));
}

START_TEST(a_cgo_call)
{
	put_call(calls[_i].words, calls[_i].by_landing_pad);
	put_caller();
	join(IN(INNER), at(0));
	ck_assert_str_eq(names_of(&walk), calls[_i].thread);
	ck_assert_int_eq(walk.end, WALK_COMPLETE);
	ck_assert_uint_eq(walk.frames_total, walk.count);
	ck_assert(thread.entry.is_set && !thread.is_in_go);
	ck_assert_uint_eq(thread.entry.goroutine, g);
	ck_assert_str_eq(goroutine_names(), "[inner] [outer] " GO_FRAMES);
	ck_assert_uint_eq(asked, 1);
	ck_assert(!has_diagnostic("incomplete-c-frames"));
}
END_TEST

START_TEST(interrupted_by_a_signal)
{
	target_addr handler = g0 + 0x100;
	target_addr context = handler + (target_addr)mkruntime_delta("runtime.sigtramp") + 8;

	put_call(0, false);
	put_caller();
	mkruntime_word(m, context + 168, IN(INNER));
	mkruntime_word(m, context + 160, at(0));
	join(mkruntime_pc("runtime.sigtramp"), handler);
	ck_assert_str_eq(
		names_of(&walk), "runtime.sigtramp [inner] [outer] runtime.asmcgocall " GO_FRAMES);
	ck_assert_uint_eq(thread.stop_count, 2);
	ck_assert_uint_eq(thread.stops[1].pc, IN(INNER));
	ck_assert_uint_eq(thread.first_context, context);
	ck_assert_str_eq(goroutine_names(), "[inner] [outer] " GO_FRAMES);
}
END_TEST

START_TEST(a_call_of_nothing)
{
	put(0, IN(INNER));
	put(1, IN(START));
	join(0, at(0));
	ck_assert_str_eq(names_of(&walk), "[?] [inner] [start]");
	ck_assert_int_eq(walk.end, WALK_COMPLETE);
	ck_assert(!thread.entry.is_set);
}
END_TEST

START_TEST(a_thread_of_c)
{
	mkruntime_set(m, machine, M_PROC_ID, 0);
	put(0, IN(UNNAMED));
	put(1, IN(START));
	join(IN(INNER), at(0));
	ck_assert_str_eq(names_of(&walk), "[inner] [?] [start]");
	ck_assert_int_eq(walk.end, WALK_COMPLETE);
	ck_assert(!has_diagnostic("incomplete-c-frames"));
}
END_TEST

START_TEST(c_that_goes_nowhere)
{
	put(0, IN(WITHOUT_RULES));
	join(IN(INNER), at(0));
	ck_assert_str_eq(names_of(&walk), "[inner] [bare]");
	ck_assert_int_eq(walk.end, WALK_UNKNOWN_PC);
	ck_assert(has_diagnostic("incomplete-c-frames"));
	ck_assert(!thread.entry.is_set);
}
END_TEST

/* What the runtime says of the goroutine stands, whatever is known of C. */
START_TEST(a_cgo_call_in_a_lost_library)
{
	library = _i ? OTHER_BUILD : GONE;
	mkruntime_set(m, machine, M_IN_CGO, 1);
	put_call(0, false);
	join(IN(INNER), at(0));
	ck_assert_str_eq(names_of(&walk), "[?] " GO_FRAMES);
	ck_assert_str_eq(goroutine_names(), "[?] " GO_FRAMES);
	ck_assert_str_eq(table.frames[table.places[walk.places[0]].first_frame].object, PATH);
	cframes_report(&c, &m->diag);
	ck_assert(has_diagnostic("missing-library"));
	ck_assert_ptr_nonnull(strstr(c.objects.missing,
		_i ? "libdemo.so.1 (it has another build id" : "libdemo.so.1 (it went away)"));
	ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(a_wrapper_by_go_s_own_linker)
{
	mkruntime_set(m, machine, M_IN_CGO, 1);
	put(0, mkruntime_pc("_cgo_0_Cfunc_f"));
	join(IN(INNER), at(0));
	ck_assert_str_eq(names_of(&walk), "[inner] [_cgo_0_Cfunc_f] " GO_FRAMES);
	ck_assert_str_eq(goroutine_names(), "[inner] [_cgo_0_Cfunc_f] " GO_FRAMES);
	ck_assert(!has_diagnostic("incomplete-c-frames"));
}
END_TEST

START_TEST(the_race_detector)
{
	mkruntime_set(m, g, G_STATUS, GOROUTINE_RUNNING);
	put(0, mkruntime_pc("racecall"));
	// r12 is at(40): as if the goroutine's stack were there.
	mkruntime_set(m, g, G_STACK_LO, at(30));
	mkruntime_set(m, g, G_STACK_HI, at(100));
	put(40, mkruntime_pc("runtime.goexit"));
	join(IN(INNER), at(0));
	ck_assert_str_eq(names_of(&walk), "[inner] racecall runtime.goexit");
	ck_assert(thread.entry.is_set);
	ck_assert_uint_eq(thread.entry.resumed.sp, at(41));
	ck_assert_uint_eq(thread.entry.resumed.pc, mkruntime_pc("runtime.goexit"));
}
END_TEST

/** Two calls from C, one within the other, on g0; `s` is where the inner one's frame is. */
static void put_callbacks(size_t s, size_t outer)
{
	size_t words = (size_t)mkruntime_delta("runtime.cgocallback") / 8;
	target_addr object;
	const size_t starts[] = {s, outer};

	for (size_t i = 0; i < COUNT(starts); i++) {
		size_t fp = starts[i] + words + 1, caller = fp + 80 / 8 + 1;

		put(starts[i], i ? 0 : at(outer));
		put(fp - 1, mkruntime_pc("crosscall2"));
		put(caller - 1, IN(INNER)); // C's own return address
		put(caller, IN(i ? START : UNNAMED));
		put(caller + 1, mkruntime_pc("runtime.asmcgocall"));
	}
	memcpy(&object, mkruntime_at(m, machine + layout_value(&m->layout, M_G0)), 8);
	mkruntime_set(m, object, G_SCHED_SP, at(s));
}

static void stand_in_callbacks(void)
{
	target_addr sp;

	mkruntime_stack(m, g,
		(const char *[]){"main.leaf", "runtime.cgocallback", "runtime.cgocall",
			"main.worker", "runtime.cgocallback", "runtime.goexit", NULL});
	memcpy(&sp, mkruntime_at(m, g + layout_value(&m->layout, G_SCHED_SP)), 8);
	mkruntime_set(m, g, G_SYSCALL_PC, mkruntime_pc("main.leaf"));
	mkruntime_set(m, g, G_SYSCALL_SP, sp);
}

START_TEST(callbacks)
{
	stand_in_callbacks();
	put_callbacks(0, 60);
	join(mkruntime_pc("runtime.mstart"), at(0));
	ck_assert_str_eq(goroutine_names(),
		"main.leaf runtime.cgocallback [inner] [?] runtime.cgocall main.worker "
		"runtime.cgocallback [inner] [start] runtime.goexit");
	ck_assert(!has_diagnostic("lost-c-frames"));
	joiner.callbacks_left = 1;
	ck_assert_str_eq(goroutine_names(),
		"main.leaf runtime.cgocallback [inner] [?] runtime.cgocall main.worker "
		"runtime.cgocallback runtime.goexit");
}
END_TEST

START_TEST(callbacks_that_a_panic_has_cleared)
{
	stand_in_callbacks();
	put_callbacks(0, 60);
	put(mkruntime_delta("runtime.cgocallback") / 8, 0);
	join(mkruntime_pc("runtime.mstart"), at(0));
	ck_assert_str_eq(goroutine_names(),
		"main.leaf runtime.cgocallback runtime.cgocall main.worker "
		"runtime.cgocallback runtime.goexit");
	ck_assert(has_diagnostic("lost-c-frames"));
}
END_TEST

/* The steps of all walks together are counted. */
START_TEST(many_frames)
{
	for (size_t i = 0; i < 64; i++)
		put(i, IN(INNER));
	put(64, IN(START));
	join(IN(INNER), at(0));
	ck_assert_uint_eq(walk.count, 66);
	c.steps_left = 10;
	join_thread(&joiner, &image_notes(m->image)->threads[0], NULL, &walk, &thread);
	ck_assert_uint_eq(walk.count, 10);
	ck_assert_int_eq(walk.end, WALK_UNKNOWN_PC);
}
END_TEST

Suite *suite_join(void);

Suite *suite_join(void)
{
	Suite *suite = suite_create("join");
	TCase *tcase = tcase_create("join");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_cgo_call, 0, COUNT(calls));
	tcase_add_test(tcase, interrupted_by_a_signal);
	tcase_add_test(tcase, a_call_of_nothing);
	tcase_add_test(tcase, a_thread_of_c);
	tcase_add_test(tcase, c_that_goes_nowhere);
	tcase_add_loop_test(tcase, a_cgo_call_in_a_lost_library, 0, 2);
	tcase_add_test(tcase, a_wrapper_by_go_s_own_linker);
	tcase_add_test(tcase, the_race_detector);
	tcase_add_test(tcase, callbacks);
	tcase_add_test(tcase, callbacks_that_a_panic_has_cleared);
	tcase_add_test(tcase, many_frames);
	suite_add_tcase(suite, tcase);
	return suite;
}
