// One analysis: what is known of a dead program, gathered from its image and its executable. The
// emitters write it out; the process that made it knows nothing of files or options of a command.
// Without an executable it is a minimal one: signal, threads, registers, build ids.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_ANALYSIS_H
#define CORESNAP_ANALYZER_SNAPSHOT_ANALYSIS_H

#include "analyzer/blocking/blocking.h"
#include "analyzer/core/executable.h"
#include "analyzer/core/image.h"
#include "analyzer/runtime/clock.h"
#include "analyzer/runtime/finalizers.h"
#include "analyzer/runtime/gc.h"
#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/machine.h"
#include "analyzer/runtime/memory_stats.h"
#include "analyzer/runtime/netpoll.h"
#include "analyzer/runtime/process.h"
#include "analyzer/runtime/runtime.h"
#include "analyzer/runtime/timers.h"
#include "analyzer/snapshot/crash.h"
#include "analyzer/snapshot/frame_keys.h"
#include "analyzer/snapshot/groups.h"
#include "analyzer/snapshot/numbering.h"
#include "analyzer/unwind/threads.h"
#include "analyzer/unwind/walk.h"
#include "analyzer/values/value.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

struct plugins;

#define ANALYSIS_ID_SIZE 33 // 32 hex digits and a NUL

struct analysis_values;

enum analysis_variables { VARIABLES_ALL, VARIABLES_CRASH, VARIABLES_NONE };

/** What the caller wants, and what only the caller knows. Strings are borrowed. */
struct analysis_options {
	bool include_system; // goroutines that the runtime itself started and uses
	enum analysis_variables variables;
	struct value_limits limits;
	uint32_t max_goroutines; // with variables
	const char *globals;     // shell pattern for package variables; NULL: none
	const char *generator_version;
	int64_t captured_at;             // seconds since 1970, UTC; a core file's modification time
	const char *hostname, *kernel;   // of this machine, as uname gives them
	const char *core_name;           // for messages
	const struct binary_info *build; // of an executable that could not be analysed; NULL
	struct file_source libraries;    // of C code, where there are C frames; and plugins
	struct plugins *plugins;         // borrowed; NULL: no plugin's file is wanted
};

/** What was found out about goroutines.list[i], at the same index. */
struct goroutine_row {
	uint32_t stack;        // NO_STACK: none could be walked
	uint32_t created_by;   // index of a frame; NO_FRAME
	const char *start;     // the function that it was started with; NULL: not known
	uint64_t frames_total; // logical frames, cut ones too
	uint32_t thread_id;    // 0: on none
	int32_t processor;     // -1: on none
	bool is_shown;         // false: a system goroutine, and those were not wanted
};

/** Everything in it is borrowed or in the arena, and const for the emitters. */
struct analysis {
	struct image *image;             // borrowed
	struct binary *binary;           // borrowed; NULL: minimal
	const struct binary_info *build; // its build information, or the core's; NULL: none
	const struct core_executable *executable; // borrowed
	const struct analysis_options *options;   // borrowed
	struct arena *arena;                      // borrowed
	struct diag *diag;                        // borrowed; goes on growing until it is written
	char id[ANALYSIS_ID_SIZE];

	// All below only where binary is not NULL.
	struct runtime *rt;
	struct types *types;
	struct goroutines goroutines;
	struct goroutine_row *rows; // one for each of goroutines
	size_t shown_count;
	struct scheduler scheduler;
	struct thread_states threads;
	struct frame_table frames;
	struct stack_table stacks;
	struct joiner *joiner; // what joins C frames to Go's; a cache, so not const
	struct frame_keys *frame_keys; // a cache, so not const
	struct gc_state gc;
	struct memory_stats memory;
	struct timers timers;
	struct poll_descriptors descriptors;
	struct finalizer_queues finalizers;
	struct clock clock;
	struct blocking blocking; // who waits for what and whom
	struct crash crash;
	struct groups groups;
	struct numbering numbering;
	struct analysis_values *values; // NULL: none are wanted
	struct string_list arguments, environment; // redacted; environment: allowed names only
	bool has_arguments, has_environment;
};

/**
 * Analyses `image`, with `binary` or, where that is NULL, minimally. Everything that is passed must
 * outlive the result, which lives in `arena`. Fails only where no snapshot at all can be made: then
 * `diag` has the line that says why. What could not be read is in `diag` otherwise.
 */
CS_MUST_USE enum cs_status analysis_create(struct image *image, struct binary *binary,
	const struct core_executable *executable, const struct analysis_options *options,
	struct arena *arena, struct diag *diag, struct analysis **ret);

/**
 * The half of analysis_create that needs the executable: fills in everything behind `rt`, which is
 * open already, as are the members before it.
 */
CS_MUST_USE enum cs_status analysis_run(struct analysis *analysis);

/** Closes what was opened meanwhile. The struct goes with its arena. NULL is fine. */
void analysis_close(struct analysis *analysis);

/**
 * Walks goroutine `index` again, for what the interned stack does not keep: its stack pointers.
 * `ret` is the caller's scratch. False where it has no stack.
 */
bool analysis_walk(const struct analysis *analysis, size_t index, struct walk *ret);

/** Whether the values of goroutine `index` are shown (options.variables, max_goroutines). */
bool analysis_wants_values(const struct analysis *analysis, size_t index);

/** Makes a reader of values within options.limits; borrows from the analysis. */
void analysis_value_reader(const struct analysis *analysis, struct value_reader *ret);

/** How long goroutine `index` has waited. */
struct wait_time analysis_wait(const struct analysis *analysis, size_t index);

#endif
