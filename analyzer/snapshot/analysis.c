// Puts the layers together: runtime, goroutines, scheduler, threads, stacks, crash, groups. The
// order matters where one step needs another's result, and where it decides the order of table
// rows: goroutines are walked in allgs order before threads' rows are used.
#include "analyzer/snapshot/analysis.h"

#include "analyzer/binary/binary.h"
#include "analyzer/blocking/verdicts.h"
#include "analyzer/core/link_map.h"
#include "analyzer/snapshot/identity.h"
#include "analyzer/snapshot/plugins.h"
#include "analyzer/snapshot/values.h"
#include "common/redact/redact.h"

#include <string.h>

/**
 * Since when the scheduler itself says that the goroutine has been so; 0 where it does not. One
 * goroutine in eight is followed while it is ready to run and, since 1.20, while it waits for a lock
 * (proc.go casgstatus); system calls are stamped by sysmon.
 */
static int64_t scheduler_stamp(const struct analysis *analysis, const struct goroutine *g)
{
	const char *reason = goroutine_wait_reason(analysis->rt, g);
	const struct machine *m = scheduler_machine_at(&analysis->scheduler, g->m);
	bool is_lock = reason && (!strcmp(reason, "sync.Mutex.Lock") ||
					 !strncmp(reason, "sync.RWMutex.", 13));

	if (g->status == GOROUTINE_SYSCALL && m)
		return scheduler_syscall_since(&analysis->scheduler, m);
	if (g->is_tracked && !g->is_frozen && (g->status == GOROUTINE_RUNNABLE || is_lock))
		return g->tracking_stamp;
	return 0;
}

struct wait_time analysis_wait(const struct analysis *analysis, size_t index)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	int64_t stamp = scheduler_stamp(analysis, g), now = analysis->clock.now;
	struct wait_time wait = clock_wait(&analysis->clock, g);

	if (stamp > 0 && stamp <= now)
		wait = (struct wait_time){
			.best = now - stamp, .min = now - stamp, .max = -1, .is_exact = true};
	return wait;
}

static const char *function_name_at(const struct runtime *rt, struct u64map *names, target_addr pc)
{
	struct pcln_func func;
	uint64_t name;

	if (u64map_get(names, pc, &name))
		return (const char *)(uintptr_t)name;
	name = modules_find_function(rt, pc, &func) ? (uintptr_t)func.name : 0;
	if (!u64map_put(names, pc, name))
		return NULL;
	return (const char *)(uintptr_t)name;
}

/**
 * Whether the goroutine's thread printed it, or was about to, from where it panicked or threw. The
 * handler of a signal shows the whole stack, that of a panic which it interrupted too.
 */
static bool is_dying(const struct analysis *analysis, const struct goroutine *g)
{
	const struct machine *m = scheduler_machine_at(&analysis->scheduler, g->m);

	return m && m->dying && !m->caught_signal;
}

/**
 * Walks goroutine `index` and takes the runtime's dying off its stack; *died_ret says whether there
 * was any of the crash itself. False where it is not known at which place the goroutine stands.
 */
static bool walk_without_dying(const struct analysis *analysis, struct frame_table *table,
	size_t index, struct walk *ret, bool *died_ret)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	struct position start;

	if (!goroutine_position(&analysis->threads, g, &start))
		return false;
	walk_stack(table, start, ret);
	*died_ret = is_dying(analysis, g) && walk_drop_crash(table, ret) &&
		    g->m == analysis->crash.dying_m;
	return true;
}

/** Adds the C frames of goroutine `index`, which few have. */
static void join_c_frames(const struct analysis *analysis, size_t index, struct walk *walk)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	const struct c_entry *entry = goroutine_c_entry(&analysis->threads, g);

	// In a callback it is locked to its thread (cgocall.go cgocallbackg).
	if (entry || g->locked_m)
		join_goroutine(analysis->joiner,
			scheduler_machine_at(&analysis->scheduler, g->m ? g->m : g->locked_m),
			entry, walk);
}

static void walk_goroutine(struct analysis *analysis, size_t index, struct walk *walk)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	struct goroutine_row *row = &analysis->rows[index];
	bool died;

	row->stack = NO_STACK;
	if (!walk_without_dying(analysis, &analysis->frames, index, walk, &died)) {
		diag_add(analysis->diag, DIAG_INFO, "running-in-c",
			"goroutines were running at a place that is not known (in C code, or on a "
			"thread that is not in the core): they have no stack");
		return;
	}
	if (walk->end != WALK_COMPLETE)
		diag_add(analysis->diag, DIAG_WARNING, "incomplete-stack",
			"stacks could not be walked to their end (the first: goroutine %llu, at pc "
			"0x%llx): %s",
			(unsigned long long)g->id, (unsigned long long)walk->end_pc,
			walk->end == WALK_UNKNOWN_PC   ? "no Go function lies there"
			: walk->end == WALK_UNREADABLE ? "the stack is not in the core"
						       : "it is too long");
	analysis->crash.is_on_goroutine |= died;
	join_c_frames(analysis, index, walk);
	row->frames_total = walk->frames_total;
	row->stack = stack_table_intern(&analysis->stacks, walk);
}

bool analysis_walk(const struct analysis *analysis, size_t index, struct walk *ret)
{
	struct frame_table table = analysis->frames; // every pc has its place by now: none is added
	bool died;

	if (analysis->rows[index].stack == NO_STACK)
		return false;
	// As many steps as the first time: a frame at least each, and those of dying.
	table.steps_left = analysis->rows[index].frames_total + MAX_CRASH_FRAMES;
	if (!walk_without_dying(analysis, &table, index, ret, &died))
		return false;
	join_c_frames(analysis, index, ret);
	return true;
}

void analysis_value_reader(const struct analysis *analysis, struct value_reader *ret)
{
	static const struct value_limits nothing; // --variables none: no contents of anything
	const struct analysis_options *options = analysis->options;

	value_reader_init(ret, analysis->rt, analysis->types,
		options->variables == VARIABLES_NONE ? &nothing : &options->limits, NULL);
	ret->now = analysis->clock.now;
}

static void place_goroutine(struct analysis *analysis, size_t index)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	struct goroutine_row *row = &analysis->rows[index];
	const struct machine *m = scheduler_machine_at(&analysis->scheduler, g->m);
	const struct processor *p = m ? scheduler_processor_at(&analysis->scheduler, m->p) : NULL;

	row->thread_id = m ? (uint32_t)m->thread_id : 0;
	row->processor = p ? p->id : -1;
}

static enum cs_status build_rows(struct analysis *analysis)
{
	struct goroutines *all = &analysis->goroutines;
	struct walk *walk = arena_alloc(analysis->arena, sizeof(*walk));
	struct u64map names;

	u64map_init(&names, analysis->arena);
	analysis->rows = arena_array(analysis->arena, all->count, sizeof(*analysis->rows));
	if (!walk || !analysis->rows)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < all->count; i++) {
		struct goroutine_row *row = &analysis->rows[i];
		const struct goroutine *g = &all->list[i];

		*row = (struct goroutine_row){.stack = NO_STACK, .created_by = NO_FRAME};
		row->is_shown = analysis->options->include_system || !g->is_system;
		if (!row->is_shown)
			continue;
		analysis->shown_count++;
		walk_goroutine(analysis, i, walk);
		place_goroutine(analysis, i);
		// Goroutine 1 is not created by a statement of the program's (traceback.go).
		if (g->id != 1)
			row->created_by = frame_table_creation(&analysis->frames, g->go_pc);
		row->start = function_name_at(analysis->rt, &names, g->start_pc);
	}
	return CS_OK;
}

static bool walk_for_blocking(const void *context, size_t index, struct walk *ret)
{
	return analysis_walk(context, index, ret);
}

static enum cs_status find_blocking(struct analysis *analysis)
{
	size_t count = analysis->goroutines.count;
	uint32_t *stack_of = arena_array(analysis->arena, count, sizeof(*stack_of));
	struct blocking_input input = {.rt = analysis->rt,
		.arena = analysis->arena,
		.goroutines = &analysis->goroutines,
		.threads = &analysis->threads,
		.frames = &analysis->frames,
		.stacks = &analysis->stacks,
		.stack_of = stack_of,
		.walk = walk_for_blocking,
		.context = analysis};

	blocking_init(&analysis->blocking, analysis->arena);
	if (!stack_of)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		stack_of[i] = analysis->rows[i].stack;
	return blocking_find(&input, &analysis->blocking);
}

static void redact_program_arguments(struct analysis *analysis)
{
	struct string_list *arguments = &analysis->arguments;
	char **redacted = NULL;

	if (process_arguments(analysis->rt, arguments))
		redacted = redact_arguments(analysis->arena, arguments->list, arguments->count);
	analysis->has_arguments = redacted != NULL;
	arguments->list = (const char **)redacted;
}

/** Whether an entry for the same name (`size` bytes with its "=") is kept already. */
static bool is_kept(
	const struct string_list *environment, size_t kept, const char *entry, size_t size)
{
	for (size_t i = 0; i < kept; i++)
		if (!strncmp(environment->list[i], entry, size))
			return true;
	return false;
}

/** Of entries with one name the first counts (syscall/env_unix.go copyenv). */
static void redact_environment(struct analysis *analysis)
{
	struct string_list *environment = &analysis->environment;
	size_t kept = 0;

	analysis->has_environment = process_environment(analysis->rt, environment);
	for (size_t i = 0; analysis->has_environment && i < environment->count; i++) {
		const char *entry = environment->list[i];
		const char *equals = strchr(entry, '=');
		size_t size = equals ? (size_t)(equals - entry) : 0;
		const char *name = equals ? arena_copy(analysis->arena, entry, size) : NULL;

		if (!name || !redact_environment_allowed(name) ||
			is_kept(environment, kept, entry, size + 1))
			continue;
		entry = redact_text(analysis->arena, entry, strlen(entry), NULL);
		if (entry)
			environment->list[kept++] = entry;
	}
	environment->count = kept;
}

static enum cs_status open_joiner(struct analysis *analysis)
{
	struct cframes *c = arena_alloc(analysis->arena, sizeof(*c));
	struct joiner *joiner = arena_alloc(analysis->arena, sizeof(*joiner));

	if (!c || !joiner)
		return CS_NO_MEMORY;
	cframes_init(c, &analysis->frames, analysis->binary,
		analysis->executable ? analysis->executable->path : NULL,
		analysis->options->libraries);
	analysis->joiner = joiner;
	return join_init(joiner, c);
}

void analysis_close(struct analysis *analysis)
{
	if (analysis && analysis->joiner && analysis->joiner->c)
		cframes_close(analysis->joiner->c);
}

/** What the scheduler, the collector and the allocator keep of themselves. */
static enum cs_status load_state(struct analysis *analysis)
{
	const struct runtime *rt = analysis->rt;
	enum cs_status status = scheduler_load(rt, &analysis->scheduler);

	if (status != CS_OK)
		return status;
	status = scheduler_undo_freeze(rt, &analysis->scheduler, &analysis->goroutines);
	if (status != CS_OK)
		return status;
	analysis->gc = gc_load(rt);
	analysis->memory = memory_stats_load(rt, &analysis->scheduler);
	analysis->finalizers = finalizer_queues_load(rt, &analysis->scheduler);
	analysis->clock =
		clock_load(rt, &analysis->scheduler, &analysis->goroutines, &analysis->gc);
	status = timers_load(rt, &analysis->scheduler, &analysis->timers);
	clock_see_timers(&analysis->clock, &analysis->timers);
	return status == CS_OK ? poll_descriptors_load(rt, &analysis->descriptors) : status;
}

enum cs_status analysis_run(struct analysis *analysis)
{
	struct runtime *rt = analysis->rt;
	enum cs_status status = goroutines_load(rt, &analysis->goroutines);

	analysis->types = types_create(rt, analysis->arena);
	if (!analysis->types)
		return CS_NO_MEMORY;
	if (status == CS_OK)
		status = load_state(analysis);
	if (status != CS_OK)
		return status;
	frame_table_init(&analysis->frames, rt);
	stack_table_init(&analysis->stacks, analysis->arena);
	analysis->frame_keys = arena_alloc(analysis->arena, sizeof(*analysis->frame_keys));
	if (!analysis->frame_keys)
		return CS_NO_MEMORY;
	frame_keys_init(analysis->frame_keys, analysis->arena);
	status = open_joiner(analysis);
	if (status == CS_OK)
		status = thread_states_load(analysis->joiner, &analysis->stacks,
			&analysis->scheduler, &analysis->threads);
	if (status == CS_OK)
		status = crash_find(analysis);
	if (status == CS_OK)
		status = build_rows(analysis);
	if (status == CS_OK)
		status = find_blocking(analysis);
	if (status == CS_OK)
		status = groups_build(analysis);
	if (status == CS_OK)
		status = crash_describe(analysis);
	if (status == CS_OK)
		status = numbering_build(analysis);
	if (status == CS_OK)
		cframes_report(analysis->joiner->c, analysis->diag);
	if (status == CS_OK)
		status = analysis_values_prepare(analysis);
	redact_program_arguments(analysis);
	redact_environment(analysis);
	return status;
}

/** Whether the core has anything of the executable's variables. */
static bool is_in_core(const struct image *image, const struct binary *binary, uint64_t bias)
{
	struct image_view view;
	uint64_t start, end;

	if (!binary_bounds(binary, &start, &end))
		return false;
	for (size_t i = 0; image_view_at(image, i, &view); i++)
		if (view.is_core && view.is_writable && view.start < end + bias &&
			view.end > start + bias)
			return true;
	return false;
}

static enum cs_status refuse_without_variables(struct analysis *analysis)
{
	uint64_t size = image_file_size(analysis->image);
	uint64_t expected = image_expected_size(analysis->image);

	if (size < expected)
		return diag_fail(analysis->diag, CS_FAULT, "no-variables-in-core",
			"%s was cut off before the program's variables (%llu of %llu bytes are "
			"there): no goroutine can be read",
			analysis->options->core_name, (unsigned long long)size,
			(unsigned long long)expected);
	return diag_fail(analysis->diag, CS_FAULT, "no-variables-in-core",
		"%s holds none of the program's variables: /proc/PID/coredump_filter without bit 0 "
		"keeps private memory out, or this is not the executable that crashed",
		analysis->options->core_name);
}

static enum cs_status open_runtime(struct analysis *analysis)
{
	const struct binary_info *info = binary_info(analysis->binary);
	const struct core_executable *executable = analysis->executable;
	uint64_t bias;
	bool has_variables;
	enum cs_status status;

	if (info->is_too_old)
		return diag_fail(analysis->diag, CS_UNSUPPORTED, "go-too-old",
			"%s: its executable was built by %s: goroutines are read from Go 1.18 on",
			analysis->options->core_name,
			info->go_version ? info->go_version : "a Go release before 1.18");
	if (!binary_bias(analysis->binary, executable, &bias))
		return diag_fail(analysis->diag, CS_NOT_FOUND, "no-load-address",
			"%s: the executable is position independent and the core's notes do not "
			"say where it was loaded",
			analysis->options->core_name);
	has_variables = is_in_core(analysis->image, analysis->binary, bias);
	status = binary_add_to_image(analysis->binary, analysis->image, bias);
	if (status == CS_OK)
		status = image_seal(analysis->image);
	if (status == CS_OK)
		status = link_map_load(analysis->image, analysis->diag);
	if (status != CS_OK)
		return status;
	if (!has_variables)
		return refuse_without_variables(analysis);
	status = runtime_open(analysis->image, analysis->binary, bias, analysis->arena,
		analysis->diag, &analysis->rt);
	if (status == CS_OK && analysis->rt->module_count > 1)
		status = plugins_add(analysis);
	return status;
}

enum cs_status analysis_create(struct image *image, struct binary *binary,
	const struct core_executable *executable, const struct analysis_options *options,
	struct arena *arena, struct diag *diag, struct analysis **ret)
{
	struct analysis *analysis = arena_alloc(arena, sizeof(*analysis));
	const char *go_build_id = executable->go_build_id;
	enum cs_status status;

	if (!analysis)
		return diag_fail(
			diag, CS_NO_MEMORY, "no-memory", "%s: out of memory", options->core_name);
	*analysis = (struct analysis){.image = image,
		.binary = binary,
		.executable = executable,
		.options = options,
		.arena = arena,
		.diag = diag};
	analysis->build = binary ? binary_info(binary) : options->build;
	if (!analysis->build)
		analysis->build = binary_build_in_core(image, executable, arena);
	if (!go_build_id && binary)
		go_build_id = binary_info(binary)->go_build_id;
	if (identity_compute(image, go_build_id, analysis->id, sizeof(analysis->id)))
		return diag_fail(diag, CS_UNSUPPORTED, "no-digest",
			"%s: this machine's libcrypto has no SHA-256; install libssl3 anew",
			options->core_name);
	if (binary) {
		status = open_runtime(analysis);
		if (status == CS_OK)
			status = analysis_run(analysis);
		if (status != CS_OK)
			analysis_close(analysis);
		if (status == CS_NO_MEMORY && !diag->fatal)
			return diag_fail(
				diag, status, "no-memory", "%s: out of memory", options->core_name);
		if (status != CS_OK)
			return status;
	}
	if (image_is_torn(image))
		diag_add(diag, DIAG_WARNING, "torn-core",
			"%s shrank while it was read: zeros were read in its place",
			options->core_name);
	*ret = analysis;
	return CS_OK;
}
