#include "tests/lib/mkruntime.h"

#include "common/limits.h"
#include "tests/lib/mkgo.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELTA 32 // of every function without a row of its own

/** In the order of the table. */
static const struct {
	const char *name;
	int32_t delta; // 0: DELTA; -1: none; -2: no table
	uint8_t flags;
} functions[] = {
	{"runtime.goexit", -1, 4 | 1}, {"runtime.mstart", -1, 1}, {"runtime.rt0_go", 0, 1},
	{"runtime.systemstack", 0, 2}, {"runtime.systemstack_switch", -1, 2},
	{"runtime.sigtramp", 0, 1}, {"runtime.sigpanic", 0, 0}, {"runtime.asyncPreempt", 0, 0},
	{"runtime.asyncPreempt2", 0, 0}, {"runtime.gopreempt_m", 0, 0}, {"runtime.gopanic", 0, 0},
	{"runtime.fatalpanic", 0, 0}, {"runtime.fatalthrow", 0, 0}, {"runtime.gopark", 0, 0},
	{"runtime.chanrecv1", 0, 0}, {"runtime.main", 0, 0}, {"runtime.bgsweep", 0, 0},
	{"runtime.runfinq", 0, 0}, {"runtime.runFinalizers", 0, 0}, {"runtime.runCleanups", 0, 0},
	{"runtime.corostart", 0, 0}, {"runtime.handleAsyncEvent", 0, 0}, {"runtime.Gosched", 0, 0},
	{"runtime.writesSP", 0, 2}, {"runtime.printindented", 0, 0}, {"runtime.printfloat", 0, 0},
	{"main.main", 0, 0}, {"main.worker", 0, 0}, {"main.leaf", 0, 0}, {"main.flat", -1, 0},
	{"main.unsized", -2, 0}, {"main.generic[go.shape.int]", 0, 0},
	{"main.outer", 0, 0}, // main.inlined stands in it
	{"runtime.asmcgocall", -1, 2}, {"runtime.asmcgocall_landingpad", -1, 0},
	{"runtime.cgocall", 0, 0}, {"runtime.cgocallback", 0, 2}, {"crosscall2", 80, 0},
	{"racecall", -1, 2}, {"_cgo_0_Cfunc_f", -2, 0}, // C by Go's own linker: no tables
	{"runtime.selectgo", 0, 0},
	{"sync.(*Mutex).Lock", 0, 0}, {"sync.(*Once).doSlow", 0, 0}, {"sync.(*RWMutex).Lock", 0, 0},
	{"sync.(*RWMutex).RLock", 0, 0}, {"sync.(*WaitGroup).Wait", 0, 0},
};

#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

static size_t function_index(const char *name)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		if (!strcmp(functions[i].name, name))
			return i;
	abort();
}

target_addr mkruntime_pc(const char *function)
{
	return MKRUNTIME_TEXT + function_index(function) * MKRUNTIME_FUNCTION + 0x40;
}

int32_t mkruntime_delta(const char *function)
{
	int32_t delta = functions[function_index(function)].delta;

	return delta < 0 ? 0 : delta ? delta : DELTA;
}

target_addr mkruntime_frame_size(const struct mkruntime *m, const char *function)
{
	return (target_addr)mkruntime_delta(function) + (m->arch == ARCH_AMD64 ? 8 : 0);
}

static struct mkpclntab *make_functions(unsigned int release)
{
	struct mkpclntab *t = mkpclntab_create(0xfffffff1, 1);

	mkpclntab_add_file(t, "/src/app/main.go");
	for (size_t i = 0; i < FUNCTION_COUNT; i++) {
		const char *name = functions[i].name;
		int32_t line = (int32_t)(10 * (i + 1));
		bool is_outer = !strcmp(name, "main.outer");

		if ((!strcmp(name, "runtime.printfloat") && !(release & MKRUNTIME_OLD_FLOATS)) ||
			(!strcmp(name, "runtime.printindented") && release & MKRUNTIME_NO_INDENT))
			name = "runtime.other";
		mkpclntab_add(
			t, &(struct mkpclntab_func){.name = name,
				   .size = MKRUNTIME_FUNCTION,
				   .flags = functions[i].flags,
				   .start_line = line - 5,
				   .sp = functions[i].delta == -2
						 ? NULL
						 : (struct mkpclntab_run[]){{MKRUNTIME_FUNCTION,
							   mkruntime_delta(functions[i].name)}},
				   .files = *name == '_' ? NULL
							 : (struct mkpclntab_run[]){{
								   MKRUNTIME_FUNCTION, 0}},
				   .lines = (struct mkpclntab_run[]){{MKRUNTIME_FUNCTION, line}},
				   .inlined = is_outer ? (struct mkpclntab_run[]){{0x20, -1},
								 {MKRUNTIME_FUNCTION, 0}}
						       : NULL,
				   .calls = is_outer ? (struct mkpclntab_call[]){{"main.inlined", 0,
							       0x10, 7}}
						     : NULL,
				   .call_count = is_outer});
	}
	mkpclntab_finish(t, MKRUNTIME_TEXT);
	return t;
}

static bool is_byte(enum layout_id id)
{
	switch ((int)id) {
	case G_WAIT_REASON:
	case G_RUNNING_CLEANUPS:
	case M_SPINNING:
	case M_BLOCKED:
	case M_IN_CGO:
	case M_IS_EXTRA:
	case SUDOG_IS_SELECT:
	case PANIC_RECOVERED:
	case PANIC_GOEXIT:
	case PANIC_REPANICKED:
	case G_TRACKING:
	case TIMER_STATE:
	case NETPOLL_CLOSING:
	case TYPE_TFLAG:
	case TYPE_KIND:
	case HMAP_B:
	case HMAP_FLAGS:
	case TYPE_ALIGN:
	case BUCKET_KEY_SIZE:
	case BUCKET_ELEM_SIZE:
	case MAP_GLOBAL_DEPTH:
	case MAP_WRITING:
		return true;
	default:
		return false;
	}
}

static uint64_t field_size(enum layout_id id)
{
	if (is_byte(id))
		return 1;
	switch ((int)id) {
	case HCHAN_ELEM_SIZE:
	case HMAP_OVERFLOW:
	case BUCKET_SIZE:
	case TABLE_USED:
	case TABLE_CAPACITY:
		return 2;
	case G_STATUS:
	case G_SIG:
	case M_THROWING:
	case M_DYING:
	case P_ID:
	case P_STATUS:
	case P_SCHED_TICK:
	case P_SYSCALL_TICK:
	case P_SYSMON_SCHED_TICK:
	case P_SYSMON_SYSCALL_TICK:
	case M_SYSCALL_TICK:
	case TIMER_STATUS:
	case FINALIZERS_IN_BLOCK:
	case CLEANUPS_RUNNING:
	case P_RUNQ_HEAD:
	case P_RUNQ_TAIL:
	case SCHED_STOP_WAIT:
	case TYPE_STR:
	case TYPE_HASH:
	case TYPE_POINTER_TO:
	case MAP_TYPE_FLAGS:
	case GC_PERCENT:
	case DEBUG_TRACEBACK_LABELS:
		return 4;
	case SPAN_USED:
	case SPAN_USED_BEFORE_CACHE:
		return 2;
	case PANIC_ARG:
	case TIMER_ARGUMENT:
		return 16;
	case P_TIMERS:
	case P_TIMERS_HEAP:
	case LABEL_SET_LIST:
	case LABEL_MAP_LIST:
		return 24;
	case P_RUNQ:
		return 2048;
	case HEAP_SMALL_ALLOCS:
	case HEAP_SMALL_FREES:
		return 68 * 8;
	case STATS_HEAP:
		return 3 * 1536;
	case MCACHE_ALLOC:
		return 136 * 8;
	case STATS_PAUSE_NS:
	case STATS_PAUSE_END:
		return 2048;
	default:
		return 8;
	}
}

/** Bytes of the struct that has field `id`: to the end of its last row. */
static uint64_t struct_size(const struct layout *layout, const char *type)
{
	uint64_t size = 8; // nothing lies at offset 0: a forgotten offset shows

	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		const struct fact *fact = &layout->facts[i];

		if (fact->kind == FACT_FIELD && fact->found && !strcmp(fact->type, type))
			size = (fact->value + fact->size + 7) & ~UINT64_C(7);
	}
	return size;
}

/** The struct that each variable is; any other takes the bytes given, or 8. */
static const struct {
	enum layout_id id;
	const char *type;
	uint64_t size;
} variables[] = {
	{VAR_ALLGS, NULL, 24},
	{VAR_ALLP, NULL, 24},
	{VAR_SCHED, "runtime.schedt", 0},
	{VAR_FIRST_MODULE, "runtime.moduledata", 0},
	{VAR_BUILD_VERSION, NULL, 16},
	{VAR_WAIT_REASONS, NULL, 16 * 8},
	{VAR_PRINT_BACKLOG, NULL, 512},
	{VAR_GOMAXPROCS, NULL, 4},
	{VAR_GC_PHASE, NULL, 4},
	{VAR_FING_STATUS, NULL, 4},
	{VAR_TRACEBACK, NULL, 4},
	{VAR_ARGS, NULL, 24},
	{VAR_ENVS, NULL, 24},
	{VAR_MEMSTATS, "runtime.mstats", 0},
	{VAR_GC_CONTROLLER, "runtime.gcControllerState", 0},
	{VAR_WORK, "runtime.workType", 0},
	{VAR_MHEAP, "runtime.mheap", 0},
	{VAR_DEBUG, "runtime.debug", 0},
	{VAR_CLEANUPS, "runtime.cleanupQueue", 0},
	{VAR_SEMTABLE, NULL, 251 * 16},
	{VAR_SIGTABLE, NULL, 12 * 24},
};

/**
 * Type descriptors lie as in go1.26: what their kinds add begins at fixed offsets in every release.
 * Maps are Swiss ones; tests forget GROUP_SIZE and MAP_USED for the others.
 */
static const struct {
	enum layout_id id;
	uint64_t offset;
} descriptor_rows[] = {{TYPE_SIZE, 0}, {TYPE_POINTER_BYTES, 8},
	{TYPE_POINTER_MASK, 32}, {TYPE_HASH, 16}, {TYPE_TFLAG, 20}, {TYPE_ALIGN, 21},
	{TYPE_KIND, 23}, {TYPE_STR, 40}, {TYPE_POINTER_TO, 44}, {MAP_TYPE_FLAGS, 104},
	{BUCKET_KEY_SIZE, 80}, {BUCKET_ELEM_SIZE, 81}, {BUCKET_SIZE, 82}, {GROUP_SIZE, 80},
	{GROUP_SLOT_SIZE, 88}, {GROUP_ELEM_OFFSET, 96}};

static const enum layout_id not_in_go126[] = {FIELD_OFFSET_EMBEDDED, GROUP_KEYS_OFFSET,
	GROUP_KEY_STRIDE, GROUP_ELEMS_OFFSET, GROUP_ELEM_STRIDE};

static void place_descriptors(struct layout *layout)
{
	for (size_t i = 0; i < sizeof(descriptor_rows) / sizeof(descriptor_rows[0]); i++)
		layout->facts[descriptor_rows[i].id].value = descriptor_rows[i].offset;
	for (size_t i = 0; i < sizeof(not_in_go126) / sizeof(not_in_go126[0]); i++) {
		struct fact *fact = &layout->facts[not_in_go126[i]];

		fact->found = false;
		fact->value = fact->size = 0;
	}
}

static void make_fields(struct layout *layout)
{
	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		struct fact *fact = &layout->facts[i];

		if (fact->kind == FACT_FIELD) {
			fact->value = struct_size(layout, fact->type);
			fact->size = field_size((enum layout_id)i);
			fact->found = true;
		}
	}
}

static void make_variables(struct mkruntime *m)
{
	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		struct fact *fact = &m->layout.facts[i];

		if (fact->kind != FACT_VARIABLE)
			continue;
		fact->size = 8;
		for (size_t k = 0; k < sizeof(variables) / sizeof(variables[0]); k++)
			if (variables[k].id == i)
				fact->size = variables[k].type
						     ? struct_size(&m->layout, variables[k].type)
						     : variables[k].size;
		fact->value = mkruntime_alloc(m, fact->size);
		fact->found = true;
	}
}

static void make_module(struct mkruntime *m)
{
	static const char *const reasons[MKRUNTIME_REASONS] = {
		"", "chan receive", "select", "sync.Mutex.Lock"};
	target_addr module = mkruntime_variable(m, VAR_FIRST_MODULE);

	mkruntime_set(m, module, MODULE_PCHEADER, MKRUNTIME_TABLE);
	mkruntime_set(m, module, MODULE_TEXT, MKRUNTIME_TEXT);
	mkruntime_set(m, module, MODULE_GOFUNC, MKRUNTIME_GOFUNC);
	mkruntime_set(m, module, MODULE_TYPES, MKRUNTIME_DATA);
	mkruntime_set(m, module, MODULE_ETYPES, MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE);
	mkruntime_string(m, mkruntime_variable(m, VAR_BUILD_VERSION), "go1.26.8");
	for (size_t i = 0; i < MKRUNTIME_REASONS; i++)
		mkruntime_string(m, mkruntime_variable(m, VAR_WAIT_REASONS) + 16 * i, reasons[i]);
	mkruntime_set(m, 0, VAR_GOMAXPROCS, 2);
	mkruntime_string(m, mkruntime_variable(m, VAR_SIGTABLE) + 11 * 24 + 8,
		"SIGSEGV: segmentation violation");
	mkruntime_string(m, mkruntime_variable(m, VAR_SIGTABLE) + 3 * 24 + 8, "SIGQUIT: quit");
	mkruntime_string(m, mkruntime_variable(m, VAR_SIGTABLE) + 6 * 24 + 8, "SIGABRT: abort");
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct mkruntime *mkruntime_create(unsigned int release)
{
	struct mkruntime *m = must(calloc(1, sizeof(*m)));

	m->memory = must(calloc(1, MKRUNTIME_DATA_SIZE));
	m->fd = -1;
	m->arch = release & MKRUNTIME_ARM64 ? ARCH_ARM64 : ARCH_AMD64;
	m->functions = make_functions(release);
	arena_init(&m->arena, 0);
	diag_init(&m->diag, &m->arena);
	layout_init(&m->layout);
	m->layout.from = "go1.26.8";
	mkruntime_alloc(m, 64);
	make_fields(&m->layout);
	place_descriptors(&m->layout);
	make_variables(m);
	make_module(m);
	m->gs = mkruntime_alloc(m, MKRUNTIME_MAX_GOROUTINES * 8);
	m->ps = mkruntime_alloc(m, MKRUNTIME_MAX_THREADS * 8);
	m->options = (struct analysis_options){.include_system = true,
		.limits = {.max_string = 256,
			.max_elements = 64,
			.max_depth = 6,
			.max_fields = 64,
			.max_queue = 64},
		.max_goroutines = MKRUNTIME_MAX_GOROUTINES,
		.generator_version = "0.1.0",
		.captured_at = 1795000000,
		.hostname = "host",
		.kernel = "6.1",
		.core_name = "core"};
	m->executable = (struct core_executable){.path = "/usr/bin/app", .go_build_id = "id"};
	return m;
}

void mkruntime_destroy(struct mkruntime *m)
{
	if (!m)
		return;
	analysis_close(m->analysis);
	binary_close(m->binary);
	mkelf_destroy(m->elf);
	if (m->fd >= 0)
		close(m->fd);
	image_close(m->image);
	arena_deinit(&m->arena);
	mkpclntab_destroy(m->functions);
	free(m->analysis);
	free(m->memory);
	free(m);
}

target_addr mkruntime_alloc(struct mkruntime *m, size_t size)
{
	target_addr address = MKRUNTIME_DATA + m->used;

	size = (size + 15) & ~(size_t)15;
	if (size > MKRUNTIME_DATA_SIZE - m->used)
		abort();
	m->used += size;
	return address;
}

void *mkruntime_at(struct mkruntime *m, target_addr address)
{
	if (address < MKRUNTIME_DATA || address > MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 8)
		abort();
	return m->memory + (address - MKRUNTIME_DATA);
}

target_addr mkruntime_variable(const struct mkruntime *m, enum layout_id id)
{
	return layout_value(&m->layout, id);
}

void mkruntime_set(struct mkruntime *m, target_addr object, enum layout_id id, uint64_t value)
{
	const struct fact *fact = &m->layout.facts[id];
	uint64_t size = fact->size < 8 ? fact->size : 8;

	memcpy(mkruntime_at(m, fact->kind == FACT_VARIABLE ? fact->value : object + fact->value),
		&value, size);
}

void mkruntime_word(struct mkruntime *m, target_addr address, uint64_t value)
{
	memcpy(mkruntime_at(m, address), &value, sizeof(value));
}

void mkruntime_string(struct mkruntime *m, target_addr address, const char *text)
{
	size_t size = strlen(text);
	target_addr data = mkruntime_alloc(m, size + 8);

	memcpy(mkruntime_at(m, data), text, size);
	mkruntime_word(m, address, data);
	mkruntime_word(m, address + 8, size);
}

void mkruntime_slice(struct mkruntime *m, target_addr address, target_addr data, uint64_t length)
{
	mkruntime_word(m, address, data);
	mkruntime_word(m, address + 8, length);
	mkruntime_word(m, address + 16, length);
}

void mkruntime_forget(struct mkruntime *m, enum layout_id id)
{
	m->layout.facts[id].found = false;
	m->layout.facts[id].value = m->layout.facts[id].size = 0;
}

target_addr mkruntime_object(struct mkruntime *m, enum layout_id any_field)
{
	return mkruntime_alloc(m, struct_size(&m->layout, m->layout.facts[any_field].type));
}

target_addr mkruntime_g(struct mkruntime *m, uint64_t id, uint64_t status)
{
	target_addr g = mkruntime_object(m, G_ID);
	target_addr stack = mkruntime_alloc(m, MKRUNTIME_STACK);

	if (m->g_count == MKRUNTIME_MAX_GOROUTINES)
		abort();
	mkruntime_set(m, g, G_ID, id);
	mkruntime_set(m, g, G_STATUS, status);
	mkruntime_set(m, g, G_STACK_LO, stack);
	mkruntime_set(m, g, G_STACK_HI, stack + MKRUNTIME_STACK);
	mkruntime_set(m, g, G_SCHED_G, g);
	mkruntime_set(m, g, G_SCHED_PC, mkruntime_pc("runtime.goexit"));
	mkruntime_set(m, g, G_SCHED_SP, stack + MKRUNTIME_STACK - 64);
	mkruntime_set(m, g, G_START_PC, mkruntime_pc("main.worker") - 0x40);
	mkruntime_word(m, m->gs + 8 * m->g_count++, g);
	mkruntime_slice(m, mkruntime_variable(m, VAR_ALLGS), m->gs, m->g_count);
	return g;
}

target_addr mkruntime_m(struct mkruntime *m, uint64_t thread)
{
	target_addr machine = mkruntime_object(m, M_ID);

	mkruntime_set(m, machine, M_ID, m->m_count++);
	mkruntime_set(m, machine, M_PROC_ID, thread);
	if (m->last_m)
		mkruntime_set(m, m->last_m, M_ALL_LINK, machine);
	else
		mkruntime_set(m, 0, VAR_ALLM, machine);
	m->last_m = machine;
	return machine;
}

target_addr mkruntime_p(struct mkruntime *m)
{
	target_addr p = mkruntime_object(m, P_ID);

	if (m->p_count == MKRUNTIME_MAX_THREADS)
		abort();
	mkruntime_set(m, p, P_ID, m->p_count);
	mkruntime_word(m, m->ps + 8 * m->p_count++, p);
	mkruntime_slice(m, mkruntime_variable(m, VAR_ALLP), m->ps, m->p_count);
	return p;
}

struct image_thread *mkruntime_thread(
	struct mkruntime *m, uint32_t id, target_addr pc, target_addr sp)
{
	struct image_thread *thread;
	size_t count = 0;

	while (count < MKRUNTIME_MAX_THREADS && m->threads[count].id)
		count++;
	if (count == MKRUNTIME_MAX_THREADS)
		abort();
	thread = &m->threads[count];
	*thread = (struct image_thread){.id = id, .regs = {.count = 27, .pc = pc, .sp = sp}};
	thread->regs.raw[16] = pc;
	thread->regs.raw[19] = sp;
	return thread;
}

target_addr mkruntime_type(struct mkruntime *m, const char *name, uint64_t kind, uint64_t size)
{
	target_addr type = mkruntime_alloc(m, MKRUNTIME_DESCRIPTOR);
	size_t length = strlen(name);
	target_addr bytes = mkruntime_alloc(m, length + 16);
	uint8_t *at = mkruntime_at(m, bytes);

	if (length >= 0x80)
		abort();
	at[1] = (uint8_t)length;
	memcpy(at + 2, name, length);
	mkruntime_set(m, type, TYPE_SIZE, size);
	mkruntime_set(m, type, TYPE_KIND, kind);
	mkruntime_set(m, type, TYPE_TFLAG, name[0] == '*' ? 1u << 1 : 0);
	mkruntime_set(m, type, TYPE_STR, bytes - MKRUNTIME_DATA);
	mkruntime_set(m, type, TYPE_HASH, type >> 4);
	mkruntime_set(m, type, TYPE_ALIGN, size < 8 ? size : 8);
	return type;
}

target_addr mkruntime_frames(struct mkruntime *m, target_addr high, const char *const *names)
{
	target_addr sp = high, at;
	size_t count;

	for (count = 0; names[count]; count++)
		sp -= mkruntime_frame_size(m, names[count]);
	at = sp;
	for (size_t i = 0; i < count; i++) {
		target_addr end = at + mkruntime_frame_size(m, names[i]);
		target_addr caller = names[i + 1] ? mkruntime_pc(names[i + 1]) : 0;

		if (m->arch == ARCH_AMD64)
			mkruntime_word(m, end - 8, caller);
		else if (end > at) // a function without a frame has it in lr
			mkruntime_word(m, at, caller);
		at = end;
	}
	return sp;
}

void mkruntime_stack(struct mkruntime *m, target_addr g, const char *const *names)
{
	target_addr high;

	memcpy(&high, mkruntime_at(m, g + layout_value(&m->layout, G_STACK_HI)), sizeof(high));
	mkruntime_set(m, g, G_SCHED_SP, mkruntime_frames(m, high - 16, names));
	mkruntime_set(m, g, G_SCHED_PC, mkruntime_pc(names[0]));
}

static void add_range(struct mkruntime *m, target_addr start, const void *bytes, size_t size)
{
	if (image_add(m->image, (struct image_view){.start = start,
					.end = start + size,
					.bytes = bytes,
					.is_core = true}) != CS_OK)
		abort();
}

static void open_binary(struct mkruntime *m)
{
	m->elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKRUNTIME_TEXT);
	mkgo_add_buildinfo(m->elf, "go1.26.8",
		"path\texample.com/app\nmod\texample.com/app\tv1.2.3\t\nbuild\tGOARCH=amd64\n"
		"build\tGOOS=linux\n",
		true);
	m->fd = mkelf_open(m->elf);
	if (binary_open(m->fd, "app", &m->arena, &m->diag, &m->binary) != CS_OK)
		abort();
}

enum cs_status mkruntime_open(struct mkruntime *m)
{
	struct image_notes *notes;
	enum cs_status status;

	m->image = must(image_create(m->arch, &m->arena));
	notes = image_edit_notes(m->image);
	notes->threads = m->threads;
	while (notes->thread_count < MKRUNTIME_MAX_THREADS && m->threads[notes->thread_count].id)
		notes->thread_count++;
	add_range(m, MKRUNTIME_TABLE, m->functions->table.bytes, m->functions->table.size);
	add_range(m, MKRUNTIME_GOFUNC, m->functions->gofunc.bytes, m->functions->gofunc.size);
	add_range(m, MKRUNTIME_DATA, m->memory, MKRUNTIME_DATA_SIZE);
	if (image_seal(m->image) != CS_OK)
		abort();
	open_binary(m);
	status = runtime_open_with(m->image, 0, &m->layout, &m->arena, &m->diag, &m->rt);
	if (status == CS_OK)
		m->types = must(types_create(m->rt, &m->arena));
	return status;
}

enum cs_status mkruntime_analyze(struct mkruntime *m)
{
	enum cs_status status = m->rt ? CS_OK : mkruntime_open(m);

	if (status != CS_OK)
		return status;
	m->analysis = must(calloc(1, sizeof(*m->analysis)));
	*m->analysis = (struct analysis){.image = m->image,
		.binary = m->binary,
		.executable = &m->executable,
		.options = &m->options,
		.arena = &m->arena,
		.diag = &m->diag,
		.id = "00112233445566778899aabbccddeeff",
		.rt = m->rt};
	return analysis_run(m->analysis);
}

#define MAX_PATCHES 64
#define FUNCTIONS_SIZE (40 * MKRUNTIME_FUNCTION) // and a little beyond

static uint64_t patch_value(
	const struct mkruntime *m, uint8_t kind, target_addr at, uint32_t number)
{
	switch (kind % 8) {
	case 0:
		return number;
	case 1:
		return MKRUNTIME_DATA + number % m->used;
	case 2:
		return MKRUNTIME_DATA + number % m->used / 16 * 16;
	case 3:
		return at - number % 16 * 8; // itself, or just before
	case 4:
		return UINT64_MAX >> number % 64;
	case 5:
		return MKRUNTIME_TEXT + number % FUNCTIONS_SIZE;
	case 6:
		return UINT64_C(1) << number % 64;
	default:
		return (uint64_t)number << 32 | number;
	}
}

void mkruntime_patch(struct mkruntime *m, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count && i < MAX_PATCHES; i++, bytes += 8) {
		uint32_t where = (bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16);
		target_addr at = MKRUNTIME_DATA + where % (m->used - 8);
		uint32_t number;
		uint64_t value;

		memcpy(&number, bytes + 4, sizeof(number));
		if (!(bytes[0] & 0x80)) // words lie at multiples of their size
			at &= ~UINT64_C(7);
		value = patch_value(m, bytes[0], at, number);
		memcpy(mkruntime_at(m, at), &value, bytes[0] & 0x40 ? 1 : sizeof(value));
	}
}
