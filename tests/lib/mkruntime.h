// Builds a dead Go process in memory: g's, m's, p's, queues, types, stacks and a function table,
// over a layout that this file makes up from the rows of layout.def. No ELF, no DWARF, no Go
// toolchain: what a test sets by layout_id the readers must find by it. Out of memory aborts.
//
//	struct mkruntime *m = mkruntime_create(0);
//	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
//	mkruntime_set(m, g, G_WAIT_REASON, 2);
//	mkruntime_stack(m, g, (const char *[]){"runtime.gopark", "main.main", "runtime.goexit",
//NULL}); 	mkruntime_open(m);            // m->rt 	mkruntime_analyze(m);         // or all of it:
//m->analysis
#ifndef CORESNAP_TESTS_LIB_MKRUNTIME_H
#define CORESNAP_TESTS_LIB_MKRUNTIME_H

#include "analyzer/snapshot/analysis.h"
#include "tests/lib/mkelf.h"
#include "tests/lib/mkpclntab.h"

#define MKRUNTIME_TEXT 0x401000
#define MKRUNTIME_FUNCTION 0x100 // bytes of each function
#define MKRUNTIME_TABLE 0x500000
#define MKRUNTIME_GOFUNC 0x600000
#define MKRUNTIME_DATA 0xc000000000 // all that can be written: variables, heap, stacks, types
#define MKRUNTIME_DATA_SIZE 0x40000
#define MKRUNTIME_STACK 0x800 // bytes of a goroutine's stack
#define MKRUNTIME_DESCRIPTOR 160 // bytes of a type descriptor: as many as any kind has
#define MKRUNTIME_MAX_GOROUTINES 256
#define MKRUNTIME_MAX_THREADS 16
#define MKRUNTIME_REASONS                                                                          \
	4 // "", "chan receive", "select", "sync.Mutex.Lock": and from there on zeros

/** What the release at hand has: flags of mkruntime_create. */
enum mkruntime_release {
	MKRUNTIME_OLD_FLOATS = 1, // runtime.printfloat: until 1.25
	MKRUNTIME_NO_INDENT = 2,  // no runtime.printindented: until 1.22
};

struct mkruntime {
	struct arena arena;
	struct diag diag;
	struct image *image;
	struct layout layout; // may be changed until mkruntime_open
	uint8_t *memory;      // of MKRUNTIME_DATA; may be changed at any time
	size_t used;
	struct runtime *rt;                        // after mkruntime_open
	struct types *types;                       // likewise
	struct analysis *analysis;                 // after mkruntime_analyze
	struct analysis_options options;           // may be changed until then
	struct core_executable executable;         // likewise
	target_addr crashing_g, dying_m, ucontext; // of mkruntime_sample

	/* Private. */
	struct mkpclntab *functions;
	struct image_thread threads[MKRUNTIME_MAX_THREADS];
	target_addr gs, ps, last_m;
	uint64_t g_count, p_count, m_count;
	struct mkelf *elf;
	int fd;
	struct binary *binary;
};

/** A process with a scheduler, a module, wait reasons, but no goroutine, thread or processor. */
struct mkruntime *mkruntime_create(unsigned int release);

/** NULL is fine. */
void mkruntime_destroy(struct mkruntime *m);

/** `size` zeroed bytes of the target, aligned to 16. */
target_addr mkruntime_alloc(struct mkruntime *m, size_t size);

/** Where the target's bytes at `address` lie here. */
void *mkruntime_at(struct mkruntime *m, target_addr address);

/** Writes field `id` of the struct at `object`; the variable itself where `id` is one. */
void mkruntime_set(struct mkruntime *m, target_addr object, enum layout_id id, uint64_t value);

/** The address of variable `id`. */
target_addr mkruntime_variable(const struct mkruntime *m, enum layout_id id);

/** Writes 8 bytes at `address`. */
void mkruntime_word(struct mkruntime *m, target_addr address, uint64_t value);

/** Writes the header of a Go string at `address`, and its bytes somewhere. */
void mkruntime_string(struct mkruntime *m, target_addr address, const char *text);

/** Writes a slice header at `address`. */
void mkruntime_slice(struct mkruntime *m, target_addr address, target_addr data, uint64_t length);

/** The release does not have this field or variable. */
void mkruntime_forget(struct mkruntime *m, enum layout_id id);

/** Zeroed, but for what mkruntime_g and its like set: a struct of layout.def's. */
target_addr mkruntime_object(struct mkruntime *m, enum layout_id any_field);

/** A goroutine in allgs, with an empty stack of its own, at runtime.goexit. */
target_addr mkruntime_g(struct mkruntime *m, uint64_t id, uint64_t status);

/** A machine in allm, behind those before it, on kernel thread `thread` (0: none). */
target_addr mkruntime_m(struct mkruntime *m, uint64_t thread);

/** A processor in allp. */
target_addr mkruntime_p(struct mkruntime *m);

/** A thread of the core, in the order of calls, at `pc` and `sp`. */
struct image_thread *mkruntime_thread(
	struct mkruntime *m, uint32_t id, target_addr pc, target_addr sp);

/**
 * An abi.Type; `name` gets the star that flags say it has. What its kind adds is zero, and the
 * test's affair.
 */
target_addr mkruntime_type(struct mkruntime *m, const char *name, uint64_t kind, uint64_t size);

/** A return address (or, as an exact pc, an instruction) in the middle of `function`. */
target_addr mkruntime_pc(const char *function);

/** By how much `function` moves sp. */
int32_t mkruntime_delta(const char *function);

/**
 * Writes frames, innermost first and NULL at the end, so that the outermost ends at `high`. Returns
 * the innermost's sp; its pc is mkruntime_pc(names[0]).
 */
target_addr mkruntime_frames(struct mkruntime *m, target_addr high, const char *const *names);

/** The same on g's own stack, and sets g.sched. */
void mkruntime_stack(struct mkruntime *m, target_addr g, const char *const *names);

/** The process as the readers get it. Returns what runtime_open_with did. */
enum cs_status mkruntime_open(struct mkruntime *m);

/**
 * The analysis, with an executable whose main module is example.com/app. Opens first where that has
 * not been done. Returns what analysis_run did.
 */
enum cs_status mkruntime_analyze(struct mkruntime *m);

/**
 * Damages the process's memory: `count` patches of eight bytes each, which say what is written (u8),
 * where (u24), with which number (u32). For fuzzing.
 */
void mkruntime_patch(struct mkruntime *m, const uint8_t *bytes, size_t count);

/**
 * A process with something of everything: goroutines that wait on a channel, in a select and for a
 * lock, one that panics, queues, labels, threads in signal handlers. What fuzzing starts from.
 */
struct mkruntime *mkruntime_sample(void);

#endif
