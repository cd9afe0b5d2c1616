// Package variables by the code that uses them. A row names functions that exist in every release,
// and what each of them does with the variable; the variable is the one address of which all that
// is true. Measured over Go 1.18 to 1.27, optimized and not, position independent and not.
#include "analyzer/runtime/roots_internal.h"

#include "analyzer/binary/decode.h"
#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TERMS 8
#define NO_FIELD LAYOUT_COUNT
#define STRING_SIZE 16
#define SLICE_SIZE 24
#define SIGNALS 65
#define SIGNAL_ROW 24
#define SEMAPHORE_ROOTS 251

/** How a function uses the variable; from AVOIDS on, how it does not. */
enum use {
	USES,         // refers to it in any way
	USES_WORD,    // loads or stores 8 bytes there
	USES_HALF,    // loads or stores 4 bytes there
	USES_ADDRESS, // takes its address
	AVOIDS,       // does not refer to it
	AVOIDS_WORD,  // does not load or store 8 bytes there
	AVOIDS_VALUE, // neither loads nor stores there; may take its address
};

struct term {
	const char *function; // NULL ends the list
	enum use use;
	uint16_t offset;      // of what it refers to within the variable
	enum layout_id field; // likewise, added; NO_FIELD: none
};

struct row {
	enum layout_id variable;
	uint32_t size; // 0: a struct whose fields are read, or one that depends on the architecture
	struct term terms[MAX_TERMS];
	bool (*is_plausible)(struct roots *roots, target_addr address);
};

static bool is_small(struct roots *roots, target_addr address, uint64_t max)
{
	uint64_t value;

	return roots_number(roots, address, 4, &value) && value <= max;
}

static bool is_flag(struct roots *roots, target_addr address)
{
	uint64_t value;

	return roots_number(roots, address, 1, &value) && value <= 1;
}

static bool is_gc_phase(struct roots *roots, target_addr address)
{
	return is_small(roots, address, 2); // runtime/mgc.go _GCoff, _GCmark, _GCmarktermination
}

static bool is_fing_status(struct roots *roots, target_addr address)
{
	return is_small(roots, address, 31); // runtime/mfinal.go: five bits
}

static bool is_processor_count(struct roots *roots, target_addr address)
{
	uint64_t value;

	return roots_number(roots, address, 4, &value) && value > 0 && value <= MAX_PROCESSORS;
}

static bool is_backlog_index(struct roots *roots, target_addr address)
{
	uint64_t value;

	return roots_number(roots, address, 8, &value) && value < 512;
}

static bool is_level(struct roots *roots, target_addr address)
{
	return is_small(roots, address, UINT32_MAX);
}

static bool is_time(struct roots *roots, target_addr address)
{
	uint64_t value;

	return roots_number(roots, address, 8, &value) && value > 0 && value <= INT64_MAX;
}

static bool has_prefix(struct roots *roots, target_addr address, const char *prefix)
{
	const char *text = runtime_string(roots->rt, address, MAX_TYPE_NAME);

	return text && !strncmp(text, prefix, strlen(prefix));
}

static bool is_version(struct roots *roots, target_addr address)
{
	return has_prefix(roots, address, "go1.") || has_prefix(roots, address, "devel ");
}

static bool is_wait_reasons(struct roots *roots, target_addr address)
{
	// runtime/runtime2.go: the first reasons are these in every release.
	return has_prefix(roots, address + STRING_SIZE, "GC assist marking") &&
	       has_prefix(roots, address + 2 * STRING_SIZE, "IO wait");
}

static bool is_signal_table(struct roots *roots, target_addr address)
{
	// runtime/sigtab_linux_generic.go: {flags int32, name string}
	return has_prefix(roots, address + SIGNAL_ROW + 8, "SIGHUP") &&
	       has_prefix(roots, address + 15 * SIGNAL_ROW + 8, "SIGTERM");
}

static bool is_strings(struct roots *roots, target_addr address)
{
	target_addr data;
	uint64_t length, header[2];

	if (!runtime_slice(roots->rt, address, &data, &length) || length > MAX_PROCESS_STRINGS * 16)
		return false;
	if (!length)
		return true;
	return image_read(roots->rt->image, data, header, sizeof(header)) == CS_OK &&
	       (!header[1] || (header[1] < UINT32_MAX && runtime_bytes(roots->rt, header[0], 1)));
}

static bool is_semaphores(struct roots *roots, target_addr address)
{
	// runtime/sema.go semaRoot{lock mutex, treap *sudog, nwait}; treaps are pointers.
	uint64_t treap;

	for (uint64_t lock = 8; lock <= 16; lock += 8)
		if (!roots_number(roots, address + lock, 8, &treap))
			return false;
	return roots_holds(roots, address, 64);
}

/** A chunk of persistentalloc begins with the address of the one before it. */
static bool is_persistent_chunk(struct roots *roots, target_addr address)
{
	uint64_t chunk, before;

	return roots_number(roots, address, 8, &chunk) && chunk && !(chunk & 4095) &&
	       roots_number(roots, chunk, 8, &before) && !(before & 4095) && before != chunk;
}

/** runtime/mfinal.go: nothing yet, or a block that has room for 101 finalizers. */
static bool is_finalizer_block(struct roots *roots, target_addr address)
{
	uint64_t block, count;

	return roots_number(roots, address, 8, &block) &&
	       (!block || (roots_field(roots, block, FINALIZERS_IN_BLOCK, &count) &&
				  count <= 101));
}

static bool is_goroutines(struct roots *roots, target_addr address)
{
	return roots_goroutines_at(roots, address) > 0;
}

static bool is_processors(struct roots *roots, target_addr address)
{
	return roots_processors_at(roots, address) > 0;
}

static bool is_machines(struct roots *roots, target_addr address)
{
	return roots_machines_at(roots, address) > 0;
}

static const struct row rows[] = {
	{VAR_ALLGS, SLICE_SIZE,
		{{"runtime.forEachG", USES, 0, NO_FIELD}, {"runtime.allgadd", USES, 0, NO_FIELD}},
		is_goroutines},
	{VAR_ALLP, SLICE_SIZE,
		{{"runtime.preemptall", USES, 0, NO_FIELD},
			{"runtime.preemptall", USES, 8, NO_FIELD},
			{"runtime.gcMarkTinyAllocs", USES, 0, NO_FIELD}},
		is_processors},
	{VAR_ALLM, 8,
		{{"runtime.mexit", USES, 0, NO_FIELD}, {"runtime.mcommoninit", USES, 0, NO_FIELD},
			{"runtime.schedtrace", USES, 0, NO_FIELD}},
		is_machines},
	{VAR_SCHED, 0,
		{{"runtime.handoffp", USES, 0, SCHED_GC_WAITING},
			{"runtime.handoffp", USES, 0, SCHED_LAST_POLL},
			{"runtime.handoffp", USES, 0, SCHED_STOP_WAIT},
			{"runtime.checkdead", USES, 0, SCHED_NM_IDLE},
			{"runtime.checkdead", USES, 0, SCHED_NM_SYS}},
		roots_is_sched},
	{VAR_GOMAXPROCS, 4,
		{{"runtime.gcBgMarkStartWorkers", USES, 0, NO_FIELD},
			{"runtime.startTheWorldWithSema", USES, 0, NO_FIELD},
			{"runtime.stopTheWorldWithSema", USES_HALF, 0, NO_FIELD}},
		is_processor_count},
	{VAR_BUILD_VERSION, STRING_SIZE, {{"runtime.schedinit", USES, 0, NO_FIELD}}, is_version},
	{VAR_WAIT_REASONS, STRING_SIZE, {{"runtime.waitReason.String", USES_ADDRESS, 0, NO_FIELD}},
		is_wait_reasons},
	{VAR_PRINT_BACKLOG_INDEX, 8, {{"runtime.recordForPanic", USES_WORD, 0, NO_FIELD}},
		is_backlog_index},
	{VAR_PRINT_BACKLOG, 512,
		{{"runtime.recordForPanic", USES_ADDRESS, 0, NO_FIELD},
			{"runtime.recordForPanic", AVOIDS_VALUE, 0, NO_FIELD},
			{"runtime.printlock", AVOIDS, 0, NO_FIELD},
			{"runtime.startpanic_m", AVOIDS, 0, NO_FIELD}},
		NULL},
	{VAR_FREEZING, 1,
		{{"runtime.freezetheworld", USES, 0, NO_FIELD},
			{"runtime.stopTheWorldWithSema", USES, 0, NO_FIELD},
			{"runtime.handoffp", AVOIDS, 0, NO_FIELD}},
		is_flag},
	{VAR_TRACEBACK, 4,
		{{"runtime/debug.SetTraceback", USES_ADDRESS, 0, NO_FIELD},
			{"runtime.checkdead", AVOIDS, 0, NO_FIELD}},
		is_level},
	// Position independent arm64 code of Go before 1.21 takes the address of all that it loads.
	{VAR_TRACEBACK, 4,
		{{"runtime/debug.SetTraceback", USES_HALF, 0, NO_FIELD},
			{"runtime.sighandler", USES_HALF, 0, NO_FIELD},
			{"runtime.checkdead", AVOIDS, 0, NO_FIELD}},
		is_level},
	{VAR_FING_STATUS, 4,
		{{"runtime.createfing", USES_ADDRESS, 0, NO_FIELD},
			{"runtime.finalizercommit", USES, 0, NO_FIELD}},
		is_fing_status},
	{VAR_FING_STATUS, 4,
		{{"runtime.createfing", USES_HALF, 0, NO_FIELD},
			{"runtime.finalizercommit", USES_HALF, 0, NO_FIELD}},
		is_fing_status},
	{VAR_ARGS, SLICE_SIZE,
		{{"runtime.goargs", USES, 0, NO_FIELD}, {"runtime.goargs", USES, 8, NO_FIELD},
			{"runtime.goargs", USES, 16, NO_FIELD}},
		is_strings},
	{VAR_ENVS, SLICE_SIZE,
		{{"runtime.goenvs_unix", USES, 0, NO_FIELD},
			{"runtime.goenvs_unix", USES, 8, NO_FIELD},
			{"runtime.goenvs_unix", USES, 16, NO_FIELD}},
		is_strings},
	{VAR_MEMSTATS, 0,
		{{"runtime.gcMarkTermination", USES, 0, STATS_LAST_GC_UNIX},
			{"runtime.gcMarkTermination", USES, 0, STATS_LAST_GC_NANOTIME},
			{"runtime.gcMarkTermination", USES, 0, STATS_NUM_GC},
			{"runtime.gcMarkTermination", USES, 0, STATS_NUM_FORCED_GC},
			{"runtime.gcMarkTermination", USES, 0, STATS_PAUSE_NS},
			{"runtime.gcMarkTermination", USES, 0, STATS_PAUSE_END},
			{"runtime.gcMarkTermination", USES, 0, STATS_PAUSE_TOTAL}},
		NULL},
	{VAR_GC_CONTROLLER, 0,
		{{"runtime.gcStart", USES, 0, GC_HEAP_LIVE},
			{"runtime.gcStart", USES, 0, GC_PERCENT},
			{"runtime.gcinit", USES, 0, GC_PERCENT},
			{"runtime.gcResetMarkState", USES, 0, GC_HEAP_LIVE}},
		NULL},
	{VAR_GC_PHASE, 4,
		{{"runtime.(*gcWork).balance", USES, 0, NO_FIELD},
			{"runtime.freeSomeWbufs", USES, 0, NO_FIELD},
			{"runtime.stackpoolfree", USES, 0, NO_FIELD}},
		is_gc_phase},
	// The first member of work is the list of full buffers, in every release (runtime/mgc.go).
	{VAR_WORK, 0,
		{{"runtime.putfull", USES, 0, NO_FIELD}, {"runtime.trygetfull", USES, 0, NO_FIELD}},
		NULL},
	{VAR_MHEAP, 0,
		{{"runtime.spanOfHeap", USES, 0, MHEAP_ARENAS},
			{"runtime.findObject", USES, 0, MHEAP_ARENAS}},
		NULL},
	// Without inlining those two ask a third.
	{VAR_MHEAP, 0, {{"runtime.spanOf", USES, 0, MHEAP_ARENAS}}, NULL},
	// globalAlloc.base holds a chunk too, which arm64 code loads through an address that it
	// names, but never without the offset behind it (runtime/malloc.go persistentAlloc).
	{VAR_PERSISTENT_CHUNKS, 8,
		{{"runtime.persistentalloc1", USES_WORD, 0, NO_FIELD},
			{"runtime.persistentalloc1", AVOIDS_WORD, 8, NO_FIELD}},
		is_persistent_chunk},
	{VAR_CPUS, 4,
		{{"runtime.osinit", USES_HALF, 0, NO_FIELD},
			{"runtime.gcStart", USES_HALF, 0, NO_FIELD}},
		is_processor_count},
	{VAR_CPUS_AT_START, 4,
		{{"runtime.osinit", USES_HALF, 0, NO_FIELD},
			{"runtime.gcStart", USES_HALF, 0, NO_FIELD}},
		is_processor_count},
	{VAR_ALL_FINALIZERS, 8,
		{{"runtime.queuefinalizer", USES_WORD, 0, NO_FIELD},
			{"runtime.markroot", USES_WORD, 0, NO_FIELD}},
		is_finalizer_block},
	{VAR_CLEANUPS, 0,
		{{"runtime.(*p).destroy", USES, 0, CLEANUPS_QUEUED},
			{"runtime.gcMarkTermination", USES, 0, CLEANUPS_EXECUTED}},
		NULL},
	// Without inlining another function reads them.
	{VAR_CLEANUPS, 0,
		{{"runtime.(*p).destroy", USES, 0, CLEANUPS_QUEUED},
			{"runtime.freeSpecial", USES_ADDRESS, 0, NO_FIELD}},
		NULL},
	{VAR_SEMTABLE, 0,
		{{"runtime.semacquire1", USES_ADDRESS, 0, NO_FIELD},
			{"runtime.semacquire1", AVOIDS_VALUE, 0, NO_FIELD},
			{"runtime.semrelease1", USES_ADDRESS, 0, NO_FIELD}},
		is_semaphores},
	{VAR_SEMTABLE, 0, {{"runtime.semroot", USES_ADDRESS, 0, NO_FIELD}}, is_semaphores},
	{VAR_SIGTABLE, SIGNALS *SIGNAL_ROW,
		{{"runtime.sigfwdgo", USES, 0, NO_FIELD},
			{"runtime.sighandler", USES, 0, NO_FIELD}},
		is_signal_table},
	{VAR_RUNTIME_INIT_TIME, 8,
		{{"runtime.main", USES_WORD, 0, NO_FIELD},
			{"runtime.gcMarkTermination", USES_WORD, 0, NO_FIELD}},
		is_time},
	// Programs that add no cleanup have no runCleanups.
	{VAR_CLEANUPS, 0,
		{{"runtime.markroot", USES, 0, CLEANUPS_ALL},
			{"runtime.freeSpecial", USES_ADDRESS, 0, NO_FIELD}},
		NULL},
	{VAR_DEBUG, 0,
		{{"runtime.goroutineheader", USES, 0, DEBUG_TRACEBACK_LABELS},
			{"runtime/debug.SetTraceback", AVOIDS, 0, DEBUG_TRACEBACK_LABELS},
			{"runtime.parseRuntimeDebugVars", USES, 0, NO_FIELD}},
		NULL},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/** One function's references. */
struct used {
	const char *function;
	bool is_read;
	struct code_reference *list;
	size_t count;
};

struct references {
	struct roots *roots;
	struct used functions[ROWS * MAX_TERMS];
	size_t count;
	struct decoder *decoder;        // owned
	struct code_reference *scratch; // MAX_CODE_REFERENCES of them
	uint32_t *starts;               // MAX_CODE_STARTS of them
};

static int compare_functions(const void *a, const void *b)
{
	const struct used *left = a, *right = b;

	return strcmp(left->function, right->function);
}

static struct used *find_function(struct references *refs, const char *name)
{
	const struct used key = {.function = name};

	return bsearch(&key, refs->functions, refs->count, sizeof(key), compare_functions);
}

/** The functions that the rows name, each once, in order of their names. */
static void want_functions(struct references *refs)
{
	size_t kept = 0;

	for (size_t i = 0; i < ROWS; i++)
		for (const struct term *term = rows[i].terms;
			term < rows[i].terms + MAX_TERMS && term->function; term++)
			refs->functions[refs->count++] = (struct used){.function = term->function};
	qsort(refs->functions, refs->count, sizeof(refs->functions[0]), compare_functions);
	for (size_t i = 0; i < refs->count; i++)
		if (!i || compare_functions(&refs->functions[i], &refs->functions[kept - 1]))
			refs->functions[kept++] = refs->functions[i];
	refs->count = kept;
}

static void read_function(struct references *refs, struct used *used, const struct pcln_func *func)
{
	const struct roots *roots = refs->roots;
	const struct runtime *rt = roots->rt;
	uint64_t size = func->end - func->entry;
	struct code_span code = {.size = size,
		.pc = func->entry,
		.start = roots->start,
		.end = roots->end,
		.starts = refs->starts};
	size_t kept = 0;

	code.bytes = size <= MAX_FUNCTION_CODE ? runtime_bytes(rt, func->entry, size) : NULL;
	if (!code.bytes)
		return;
	used->is_read = true;
	code.start_count = pclntab_line_starts(rt->functions, func, refs->starts, MAX_CODE_STARTS);
	used->count = decode_references(refs->decoder, &code, refs->scratch, MAX_CODE_REFERENCES);
	for (size_t i = 0; i < used->count; i++)
		if (roots_holds(roots, refs->scratch[i].target, 1))
			refs->scratch[kept++] = refs->scratch[i];
	used->count = kept;
	used->list = arena_array(rt->arena, kept, sizeof(*used->list));
	if (!used->list)
		used->count = 0;
	else if (kept)
		memcpy(used->list, refs->scratch, kept * sizeof(*used->list));
}

static void read_functions(struct references *refs)
{
	const struct pclntab *table = refs->roots->rt->functions;
	uint32_t count = pclntab_count(table);
	struct pcln_func func;

	for (uint32_t i = 0; i < count; i++) {
		struct used *used;

		if (!pclntab_at(table, i, &func) || strncmp(func.name, "runtime", 7))
			continue;
		used = find_function(refs, func.name);
		if (used && !used->is_read)
			read_function(refs, used, &func);
	}
}

static bool is_used_so(const struct code_reference *reference, enum use use)
{
	switch (use) {
	case USES_WORD:
	case AVOIDS_WORD:
		return reference->size == 8;
	case USES_HALF:
		return reference->size == 4;
	case USES_ADDRESS:
		return !reference->size;
	case AVOIDS_VALUE:
		return reference->size;
	default:
		return true;
	}
}

static uint64_t term_offset(const struct layout *layout, const struct term *term)
{
	return term->offset + (term->field == NO_FIELD ? 0 : layout_value(layout, term->field));
}

static bool is_term_true(struct references *refs, const struct term *term, target_addr base)
{
	const struct used *used = find_function(refs, term->function);
	target_addr wanted = base + term_offset(&refs->roots->rt->layout, term);
	bool is_avoided = term->use >= AVOIDS;

	if (!used || !used->is_read)
		return false;
	for (size_t i = 0; i < used->count; i++)
		if (used->list[i].target == wanted && is_used_so(&used->list[i], term->use))
			return !is_avoided;
	return is_avoided;
}

static bool is_row_true(struct references *refs, const struct row *row, target_addr base)
{
	for (const struct term *term = row->terms; term < row->terms + MAX_TERMS && term->function;
		term++)
		if (!is_term_true(refs, term, base))
			return false;
	return roots_holds(refs->roots, base, row->size ? row->size : 1) &&
	       (!row->is_plausible || row->is_plausible(refs->roots, base));
}

/** Whether the layout has all fields that the row speaks of. */
static bool is_row_known(const struct layout *layout, const struct row *row)
{
	for (const struct term *term = row->terms; term < row->terms + MAX_TERMS && term->function;
		term++)
		if (term->field != NO_FIELD && !layout_has(layout, term->field))
			return false;
	return true;
}

/** The one address of which the row is true; 0 where there is none, or more. */
static target_addr resolve(struct references *refs, const struct row *row)
{
	const struct layout *layout = &refs->roots->rt->layout;
	const struct used *first = find_function(refs, row->terms[0].function);
	target_addr found = 0;

	if (!first || !first->is_read || !is_row_known(layout, row))
		return 0;
	for (size_t i = 0; i < first->count; i++) {
		target_addr base = first->list[i].target - term_offset(layout, &row->terms[0]);

		if (base == found || !is_row_true(refs, row, base))
			continue;
		if (found)
			return 0;
		found = base;
	}
	return found;
}

/** Bytes of the table of wait reasons: strings follow each other until something else does. */
static uint64_t wait_reasons_size(struct roots *roots, target_addr table)
{
	const struct runtime *rt = roots->rt;
	uint64_t count = 0;

	for (; count < MAX_WAIT_REASONS; count++) {
		uint64_t header[2];

		if (!roots_holds(roots, table + count * STRING_SIZE, STRING_SIZE) ||
			image_read(rt->image, table + count * STRING_SIZE, header,
				sizeof(header)) != CS_OK ||
			(count && !header[1]) || header[1] > MAX_WAIT_REASON ||
			(header[1] && !runtime_bytes(rt, header[0], header[1])))
			break;
	}
	return count * STRING_SIZE;
}

static uint64_t variable_size(struct roots *roots, const struct row *row, target_addr address)
{
	if (row->variable == VAR_WAIT_REASONS)
		return wait_reasons_size(roots, address);
	// Each root has a cache line of its own, internal/cpu.CacheLinePadSize.
	if (row->variable == VAR_SEMTABLE)
		return SEMAPHORE_ROOTS * (image_arch(roots->rt->image) == ARCH_ARM64 ? 128 : 64);
	return row->size;
}

/**
 * Whether the release has the variable. A table of layouts gives the size of those that it has, but
 * for structs; one that has no size of allgs gives none at all.
 */
static bool is_row_of_release(const struct references *refs, const struct row *row)
{
	const struct layout *layout = &refs->roots->rt->layout;

	return !row->size || !layout_size(layout, VAR_ALLGS) || layout_size(layout, row->variable);
}

static void settle(struct references *refs, const struct row *row)
{
	struct roots *roots = refs->roots;
	struct fact *fact = &roots->rt->layout.facts[row->variable];
	target_addr by_code, by_structure, address;

	if (!fact->found && !is_row_of_release(refs, row))
		return;
	if (!fact->found) {
		by_code = resolve(refs, row);
		// Where the fields are certain, what the code says has been proved by them.
		by_structure = by_code && roots->rt->layout.source == LAYOUT_EXACT
				       ? by_code
				       : roots_scan(roots, row->variable);
		address = by_code ? by_code : by_structure;
		if (by_code && by_structure && by_code != by_structure)
			diag_add(roots->rt->diag, DIAG_WARNING, "root-contradiction",
				"%s: the code says 0x%llx, the structure 0x%llx: the code was "
				"believed",
				fact->path, (unsigned long long)by_code,
				(unsigned long long)by_structure);
		if (address)
			roots_set(roots, row->variable, address);
	}
	if (!fact->found)
		return;
	address = fact->value + roots->rt->bias;
	// A newer release than the one that the layout was guessed from has more wait reasons.
	if (!fact->size ||
		(row->variable == VAR_WAIT_REASONS && roots->rt->layout.source == LAYOUT_GUESSED))
		fact->size = variable_size(roots, row, address);
	if (row->variable == VAR_ALLGS)
		roots->goroutine_id = roots_highest_id(roots, address);
	if (row->variable == VAR_ALLM)
		roots->chain_length = roots_machines_at(roots, address);
}

static void tell_missing(const struct references *refs)
{
	const struct runtime *rt = refs->roots->rt;

	for (size_t i = 0; i < ROWS; i++) {
		const struct fact *fact = &rt->layout.facts[rows[i].variable];

		if (!fact->found && is_row_known(&rt->layout, &rows[i]) &&
			is_row_of_release(refs, &rows[i]))
			diag_add(rt->diag, DIAG_WARNING, "no-variable",
				"variables of the runtime were not found in this executable "
				"without "
				"symbols (the first: %s): what they hold is missing",
				fact->path);
	}
}

void roots_find_by_reference(struct roots *roots)
{
	const struct runtime *rt = roots->rt;
	struct references refs = {.roots = roots,
		.scratch = arena_array(rt->arena, MAX_CODE_REFERENCES, sizeof(*refs.scratch)),
		.starts = arena_array(rt->arena, MAX_CODE_STARTS, sizeof(*refs.starts))};

	if (!refs.scratch || !refs.starts)
		return;
	want_functions(&refs);
	refs.decoder = decoder_create(image_arch(rt->image));
	if (refs.decoder)
		read_functions(&refs);
	decoder_destroy(refs.decoder);
	for (size_t i = 0; i < ROWS; i++)
		settle(&refs, &rows[i]);
	tell_missing(&refs);
}
