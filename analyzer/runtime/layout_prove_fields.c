// What single fields must hold, in every release from go1.18 to go1.27: pointers that point back
// (runtime/proc.go execute, dropg, wirep, lockOSThread), numbers that cannot be larger, pcs that lie
// in code. A field that moved reads its neighbour, and is noticed unless that is zero everywhere.
#include "analyzer/runtime/layout_prove_internal.h"

#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/labels.h"
#include "common/limits.h"

#define THROWING_MAX 2          // throwTypeRuntime
#define DYING_MAX 3             // startpanic_m
#define STACK_MAP_MAX (1u << 24) // rows, and bits of each, of a stackmap (runtime/symtab.go)
#define UNIX_2011 INT64_C(1300000000000000000)
#define UNIX_2100 INT64_C(4100000000000000000)

/* What is counted apart: a field that moved breaks all of one, and may be few among the rest. */
enum relation {
	CODE,    // pcs that lie in code
	NUMBERS, // that cannot be larger
	PANICS,
	LABELS,
	CHANNELS,
	STACK_MAPS,
	RUNNING, // a goroutine's thread runs it
	SIGNAL_STACKS,
	CURRENT,
	CAUGHT,
	LOCKED,
	SELECTS,
	PROCESSORS,
	QUEUED,
	RELATIONS
};

/* Of the objects of one kind, how many held. */
struct fields {
	const struct runtime *rt;
	struct score scores[RELATIONS];
};

static void note(struct fields *f, enum relation relation, bool holds)
{
	f->scores[relation].seen++;
	f->scores[relation].good += holds;
}

/* One in eight may be caught in the middle of a change. */
static bool is_broken(const struct fields *f)
{
	for (size_t i = 0; i < RELATIONS; i++)
		if ((f->scores[i].seen - f->scores[i].good) * 8 > f->scores[i].seen)
			return true;
	return false;
}

static bool points_back(const struct runtime *rt, target_addr to, enum object_type type,
	enum layout_id field, target_addr from)
{
	struct object object = object_load(rt, to, type);

	return object.bytes && object_get(rt, object, field) == from;
}

/* A field of a struct that names the object at hand. */
struct link {
	enum relation relation;
	enum object_type type;
	enum layout_id field;
};

/* `pointer` is zero or of an object that names `from`. */
static void note_link(struct fields *f, struct link link, target_addr pointer, target_addr from)
{
	if (pointer)
		note(f, link.relation,
			points_back(f->rt, pointer, link.type, link.field, from));
}

static bool is_code(const struct runtime *rt, target_addr pc)
{
	struct pcln_func func;

	return modules_find_function(rt, pc, &func);
}

static bool is_entry(const struct runtime *rt, target_addr pc)
{
	struct pcln_func func;

	return modules_find_function(rt, pc, &func) && func.entry == pc;
}

static bool is_thread(const struct runtime *rt, uint64_t id)
{
	const struct image_notes *notes = image_notes(rt->image);

	for (size_t i = 0; i < notes->thread_count; i++)
		if (notes->threads[i].id == id)
			return true;
	return !notes->thread_count;
}

static bool is_machine_sane(const struct runtime *rt, struct object m)
{
	target_addr vdso_pc = object_get(rt, m, M_VDSO_PC);

	return (uint32_t)object_get(rt, m, M_THROWING) <= THROWING_MAX &&
	       (uint32_t)object_get(rt, m, M_DYING) <= DYING_MAX &&
	       object_get(rt, m, M_SPINNING) <= 1 && object_get(rt, m, M_BLOCKED) <= 1 &&
	       object_get(rt, m, M_IN_CGO) <= 1 && object_get(rt, m, M_IS_EXTRA) <= 1 &&
	       (!vdso_pc || is_code(rt, vdso_pc));
}

/* Of the machines: how many name a thread, one of the process's, and how many die. */
struct machine_count {
	size_t named, known, dying;
};

static void prove_machine(struct fields *f, struct object m, struct machine_count *count)
{
	static const struct {
		enum layout_id field;
		struct link link;
	} links[] = {
		{M_GSIGNAL, {SIGNAL_STACKS, OBJECT_G, G_M}},
		{M_CURG, {CURRENT, OBJECT_G, G_M}},
		{M_CAUGHT_SIG, {CAUGHT, OBJECT_G, G_M}},
		{M_LOCKED_G, {LOCKED, OBJECT_G, G_LOCKED_M}},
		{M_P, {PROCESSORS, OBJECT_P, P_M}},
	};
	const struct runtime *rt = f->rt;
	uint64_t id = object_get(rt, m, M_PROC_ID);

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		note_link(f, links[i].link, object_get(rt, m, links[i].field), m.address);
	note(f, NUMBERS, is_machine_sane(rt, m));
	count->named += id != 0;
	count->known += id && is_thread(rt, id);
	count->dying += object_get(rt, m, M_DYING) != 0;
}

/* startpanic_m sets dying, then freezes the world. */
static bool is_frozen(const struct runtime *rt)
{
	uint64_t stop_wait = 0;

	return runtime_read_field(rt, VAR_SCHED, SCHED_STOP_WAIT, &stop_wait) &&
	       (int32_t)stop_wait > INT32_MAX - MAX_PROCESSORS;
}

static bool are_machines_sane(const struct runtime *rt)
{
	struct fields f = {.rt = rt};
	struct machine_count count = {0};
	target_addr at = 0;

	runtime_read_variable(rt, VAR_ALLM, &at);
	for (int i = 0; at && i < MAX_RUNTIME_THREADS; i++) {
		struct object m = object_load(rt, at, OBJECT_M);

		if (!m.bytes)
			break;
		prove_machine(&f, m, &count);
		at = object_get(rt, m, M_ALL_LINK);
	}
	if ((image_notes(rt->image)->thread_count && !count.known) ||
		(is_frozen(rt) && !count.dying))
		return false;
	return !is_broken(&f) && count.known * 8 >= count.named * 7;
}

static bool is_on_stack(const struct runtime *rt, struct object g, target_addr address)
{
	return address >= object_get(rt, g, G_STACK_LO) && address < object_get(rt, g, G_STACK_HI);
}

static bool is_channel(const struct runtime *rt, target_addr address)
{
	struct object c = object_load(rt, address, OBJECT_HCHAN);
	uint64_t capacity;

	if (!c.bytes)
		return false;
	capacity = object_get(rt, c, HCHAN_CAPACITY);
	return object_get(rt, c, HCHAN_COUNT) <= capacity &&
	       (uint32_t)object_get(rt, c, HCHAN_CLOSED) <= 1 &&
	       object_get(rt, c, HCHAN_SEND_INDEX) <= capacity &&
	       object_get(rt, c, HCHAN_RECEIVE_INDEX) <= capacity &&
	       modules_of_type(rt, object_get(rt, c, HCHAN_ELEM_TYPE));
}

static void prove_waiting(struct fields *f, struct object g)
{
	struct object sudog = object_load(f->rt, object_get(f->rt, g, G_WAITING), OBJECT_SUDOG);
	target_addr channel;

	if (!sudog.bytes)
		return;
	channel = object_get(f->rt, sudog, SUDOG_C);
	if (channel)
		note(f, CHANNELS, is_channel(f->rt, channel));
	note(f, SELECTS, object_get(f->rt, sudog, SUDOG_IS_SELECT) <= 1);
	// Of a semaphore it leads to the next who waits (runtime/sema.go).
	if (channel && object_get(f->rt, sudog, SUDOG_IS_SELECT))
		note_link(f, (struct link){SELECTS, OBJECT_SUDOG, SUDOG_G},
			object_get(f->rt, sudog, SUDOG_WAIT_LINK), g.address);
}

static bool is_panic(const struct runtime *rt, struct object g, target_addr address)
{
	struct object panic = object_load(rt, address, OBJECT_PANIC);
	target_addr type;

	if (!panic.bytes || !is_on_stack(rt, g, address))
		return false;
	type = object_get(rt, panic, PANIC_ARG);
	return (!type || modules_of_type(rt, type)) && object_get(rt, panic, PANIC_RECOVERED) <= 1 &&
	       object_get(rt, panic, PANIC_GOEXIT) <= 1 &&
	       object_get(rt, panic, PANIC_REPANICKED) <= 1;
}

static void prove_running(struct fields *f, struct object g)
{
	const struct runtime *rt = f->rt;

	note_link(f, (struct link){RUNNING, OBJECT_M, M_CURG}, object_get(rt, g, G_M), g.address);
	note_link(f, (struct link){LOCKED, OBJECT_M, M_LOCKED_G}, object_get(rt, g, G_LOCKED_M),
		g.address);
	if (object_get(rt, g, G_SYSCALL_SP))
		note(f, RUNNING, is_on_stack(rt, g, object_get(rt, g, G_SYSCALL_SP)) &&
				is_code(rt, object_get(rt, g, G_SYSCALL_PC)));
}

static bool are_labels(const struct runtime *rt, target_addr address)
{
	struct labels labels = labels_load(rt, address);

	return !labels.is_unreadable && labels.count;
}

static void prove_goroutine(struct fields *f, struct object g)
{
	const struct runtime *rt = f->rt;
	target_addr go_pc = object_get(rt, g, G_GO_PC);
	target_addr panic = object_get(rt, g, G_PANIC), labels = object_get(rt, g, G_LABELS);
	uint64_t made = 0;

	runtime_read_field(rt, VAR_SCHED, SCHED_GOIDGEN, &made);
	note(f, CODE, is_entry(rt, object_get(rt, g, G_START_PC)) && (!go_pc || is_code(rt, go_pc)));
	note(f, NUMBERS, object_get(rt, g, G_PARENT_ID) <= made &&
			(int64_t)object_get(rt, g, G_WAIT_SINCE) >= 0 &&
			object_get(rt, g, G_RUNNING_CLEANUPS) <= 1);
	if (panic)
		note(f, PANICS, is_panic(rt, g, panic));
	if (labels)
		note(f, LABELS, are_labels(rt, labels));
	prove_running(f, g);
	prove_waiting(f, g);
}

static bool is_alive(const struct runtime *rt, struct object g)
{
	uint64_t status = object_get(rt, g, G_STATUS) & ~(uint64_t)GOROUTINE_SCAN_BIT;

	// Only of these is known what they hold; a dead g keeps what it likes.
	return status >= GOROUTINE_RUNNABLE && status <= GOROUTINE_WAITING;
}

/* Those that run are few, and have more to say than the rest: each is looked at. */
static bool are_goroutines_sane(const struct runtime *rt)
{
	struct fields f = {.rt = rt};
	target_addr data;
	uint64_t length;

	if (!runtime_slice(rt, runtime_variable(rt, VAR_ALLGS), &data, &length))
		return false;
	for (uint64_t i = 0; i < length && i < MAX_GOROUTINES; i++) {
		struct object g = object_load(rt, prove_element(rt, data, i), OBJECT_G);
		bool is_sample = i % (length / PROVE_SAMPLES + 1) == 0;

		if (!g.bytes || !is_alive(rt, g))
			continue;
		if (is_sample)
			prove_goroutine(&f, g);
		else if (object_get(rt, g, G_M) || object_get(rt, g, G_LOCKED_M))
			prove_running(&f, g);
	}
	return !is_broken(&f);
}

static bool are_processors_sane(const struct runtime *rt, uint64_t *idle_ret, uint64_t *count_ret)
{
	struct fields f = {.rt = rt};
	target_addr data;

	*idle_ret = *count_ret = 0;
	if (!runtime_slice(rt, runtime_variable(rt, VAR_ALLP), &data, count_ret))
		return false;
	for (uint64_t i = 0; i < *count_ret && i < MAX_PROCESSORS; i++) {
		struct object p = object_load(rt, prove_element(rt, data, i), OBJECT_P);
		target_addr next;

		if (!p.bytes)
			return false;
		next = object_get(rt, p, P_RUN_NEXT);
		*idle_ret += object_get(rt, p, P_STATUS) == 0;
		note(&f, NUMBERS, object_get(rt, p, P_STATUS) <= 4 &&
				 (uint32_t)(object_get(rt, p, P_RUNQ_TAIL) -
					 object_get(rt, p, P_RUNQ_HEAD)) <= 256);
		note_link(&f, (struct link){PROCESSORS, OBJECT_M, M_P}, object_get(rt, p, P_M),
			p.address);
		note_link(&f, (struct link){QUEUED, OBJECT_G, G_SCHED_G}, next, next);
	}
	return !is_broken(&f);
}

static uint64_t sched_field(const struct runtime *rt, enum layout_id id)
{
	uint64_t value = 0;

	runtime_read_field(rt, VAR_SCHED, id, &value);
	return value;
}

static bool is_sched_sane(const struct runtime *rt, uint64_t idle, uint64_t processors)
{
	uint64_t threads = sched_field(rt, SCHED_MNEXT);
	uint64_t queued = sched_field(rt, layout_has(&rt->layout, SCHED_RUNQ_SIZE)
						  ? SCHED_RUNQ_SIZE
						  : SCHED_RUNQ_SIZE_OLD);
	target_addr head = sched_field(rt, SCHED_RUNQ_HEAD);
	uint64_t counted_idle = sched_field(rt, SCHED_NP_IDLE);

	if (counted_idle > processors || counted_idle > idle + 1 || idle > counted_idle + 1)
		return false;
	if (head ? !queued || !points_back(rt, head, OBJECT_G, G_SCHED_G, head) : queued != 0)
		return false;
	return sched_field(rt, SCHED_NM_IDLE) <= threads &&
	       sched_field(rt, SCHED_NM_IDLE_LOCKED) <= threads &&
	       sched_field(rt, SCHED_NM_SYS) <= threads &&
	       sched_field(rt, SCHED_NM_SPINNING) <= threads &&
	       sched_field(rt, SCHED_NM_FREED) < threads &&
	       sched_field(rt, SCHED_GC_WAITING) <= 1 &&
	       (int64_t)sched_field(rt, SCHED_LAST_POLL) >= 0 &&
	       (int64_t)sched_field(rt, SCHED_PROCRESIZE_TIME) >= 0;
}

/* The base of function data: what lies there for a function's arguments is a stackmap. */
static bool is_module_sane(const struct runtime *rt)
{
	const struct module *module = &rt->modules[0];
	struct fields f = {.rt = rt};
	struct pcln_func func;

	for (uint32_t i = 0; f.scores[STACK_MAPS].seen < PROVE_SAMPLES && pclntab_at(module->functions, i, &func);
		i++) {
		target_addr map = pclntab_funcdata(
			module->functions, &func, FUNCDATA_ARGS_POINTER_MAPS);
		uint32_t rows, bits;

		if (map)
			note(&f, STACK_MAPS, image_read_u32(rt->image, map, &rows) == CS_OK &&
					 image_read_u32(rt->image, map + 4, &bits) == CS_OK &&
					 rows && rows < STACK_MAP_MAX && bits < STACK_MAP_MAX);
	}
	return !is_broken(&f) && module->types < module->etypes &&
	       module->etypes - module->types < MAX_EXECUTABLE_SIZE;
}

static bool are_statistics_sane(const struct runtime *rt)
{
	uint64_t cycles = 0, forced = 0, last = 0;

	if (!runtime_read_field(rt, VAR_MEMSTATS, STATS_NUM_GC, &cycles) ||
		!runtime_read_field(rt, VAR_MEMSTATS, STATS_NUM_FORCED_GC, &forced) ||
		!runtime_read_field(rt, VAR_MEMSTATS, STATS_LAST_GC_UNIX, &last))
		return true; // the variable was not found: nothing will be read from it
	return forced <= cycles &&
	       (cycles ? (int64_t)last > UNIX_2011 && (int64_t)last < UNIX_2100 : !last);
}

const char *prove_fields(const struct runtime *rt)
{
	uint64_t idle, processors;

	if (!is_module_sane(rt))
		return "runtime.moduledata";
	if (!are_machines_sane(rt))
		return "runtime.m";
	if (!are_goroutines_sane(rt))
		return "runtime.g";
	if (!are_processors_sane(rt, &idle, &processors))
		return "runtime.p";
	if (!is_sched_sane(rt, idle, processors))
		return "runtime.schedt";
	return are_statistics_sane(rt) ? NULL : "runtime.mstats";
}
