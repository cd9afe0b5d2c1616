#include "analyzer/runtime/goroutine.h"

#include "common/limits.h"

#include <string.h>

// runtime/mfinal.go fingRunningFinalizer, since 1.20
#define FING_RUNNING_FINALIZER (1u << 1)

const char *goroutine_status_name(unsigned int status)
{
	switch ((enum goroutine_status)status) {
	case GOROUTINE_IDLE:
		return "idle";
	case GOROUTINE_RUNNABLE:
		return "runnable";
	case GOROUTINE_RUNNING:
		return "running";
	case GOROUTINE_SYSCALL:
		return "syscall";
	case GOROUTINE_WAITING:
		return "waiting";
	case GOROUTINE_DEAD:
	case GOROUTINE_DEAD_EXTRA:
		return "dead";
	case GOROUTINE_COPYSTACK:
		return "copystack";
	case GOROUTINE_PREEMPTED:
		return "preempted";
	case GOROUTINE_LEAKED:
		return "leaked";
	}
	return "unknown";
}

const char *goroutine_wait_reason(const struct runtime *rt, const struct goroutine *g)
{
	const char *reason = rt->wait_reasons[g->wait_reason];

	if (g->status != GOROUTINE_WAITING && g->status != GOROUTINE_LEAKED)
		return NULL;
	return reason && *reason ? reason : NULL; // waitReasonZero is the empty string
}

/**
 * runtime/traceback.go isSystemGoroutine(gp, false): by the function that it was started with. The
 * finalizer and cleanup goroutines count as the program's while they call back into it.
 */
enum start_kind { START_USER, START_SYSTEM, START_FINALIZERS, START_CLEANUPS };

static enum start_kind start_kind(const struct runtime *rt, target_addr start_pc)
{
	static const char *const user[] = {
		"runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"};
	struct pcln_func func;

	if (!modules_find_function(rt, start_pc, &func))
		return START_USER;
	for (size_t i = 0; i < sizeof(user) / sizeof(user[0]); i++)
		if (!strcmp(func.name, user[i]))
			return START_USER;
	if (!strcmp(func.name, "runtime.runfinq") || !strcmp(func.name, "runtime.runFinalizers"))
		return START_FINALIZERS;
	if (!strcmp(func.name, "runtime.runCleanups"))
		return START_CLEANUPS;
	return strncmp(func.name, "runtime.", 8) ? START_USER : START_SYSTEM;
}

static bool is_system(const struct runtime *rt, struct object g, enum start_kind kind)
{
	uint64_t status = 0;

	if (kind == START_CLEANUPS)
		return !object_get(rt, g, G_RUNNING_CLEANUPS);
	if (kind != START_FINALIZERS)
		return kind == START_SYSTEM;
	runtime_read_variable(rt, VAR_FING_STATUS, &status);
	return !(status & FING_RUNNING_FINALIZER);
}

/** Many goroutines start at few functions: each is looked up once. */
static enum start_kind start_kind_of(
	struct goroutines *all, const struct runtime *rt, target_addr start_pc)
{
	uint64_t kind;

	if (!u64map_get(&all->start_kinds, start_pc, &kind)) {
		kind = start_kind(rt, start_pc);
		if (!u64map_put(&all->start_kinds, start_pc, kind))
			diag_add(rt->diag, DIAG_WARNING, "no-memory", "out of memory");
	}
	return (enum start_kind)kind;
}

static void load_fields(const struct runtime *rt, struct object g, struct goroutine *ret)
{
	*ret = (struct goroutine){
		.address = g.address,
		.id = object_get(rt, g, G_ID),
		.parent_id = object_get(rt, g, G_PARENT_ID),
		.status = (uint16_t)(object_get(rt, g, G_STATUS) & ~GOROUTINE_SCAN_BIT),
		.wait_reason = (uint8_t)object_get(rt, g, G_WAIT_REASON),
		.stack_lo = object_get(rt, g, G_STACK_LO),
		.stack_hi = object_get(rt, g, G_STACK_HI),
		.sched_pc = object_get(rt, g, G_SCHED_PC),
		.sched_sp = object_get(rt, g, G_SCHED_SP),
		.sched_lr = object_get(rt, g, G_SCHED_LR),
		.syscall_pc = object_get(rt, g, G_SYSCALL_PC),
		.syscall_sp = object_get(rt, g, G_SYSCALL_SP),
		.go_pc = object_get(rt, g, G_GO_PC),
		.start_pc = object_get(rt, g, G_START_PC),
		.m = object_get(rt, g, G_M),
		.locked_m = object_get(rt, g, G_LOCKED_M),
		.panic = object_get(rt, g, G_PANIC),
		.waiting = object_get(rt, g, G_WAITING),
		.labels = object_get(rt, g, G_LABELS),
		.timer = object_get(rt, g, G_TIMER),
		.queue_link = object_get(rt, g, G_SCHEDLINK),
		.wait_since = (int64_t)object_get(rt, g, G_WAIT_SINCE),
		.tracking_stamp = (int64_t)object_get(rt, g, G_TRACKING_STAMP),
		.is_tracked = object_get(rt, g, G_TRACKING),
		.sleep_when = (int64_t)object_get(rt, g, G_SLEEP_WHEN),
		.bubble = object_get(rt, g, G_BUBBLE) | object_get(rt, g, G_SYNC_GROUP),
		.sig = (uint32_t)object_get(rt, g, G_SIG),
		.sig_code0 = object_get(rt, g, G_SIG_CODE0),
		.sig_code1 = object_get(rt, g, G_SIG_CODE1),
		.sig_pc = object_get(rt, g, G_SIG_PC),
	};
}

static bool load(const struct runtime *rt, struct object g, struct goroutine *ret)
{
	if (!g.bytes)
		return false;
	load_fields(rt, g, ret);
	return ret->id <= INT64_MAX && ret->stack_hi >= ret->stack_lo &&
	       ret->stack_hi - ret->stack_lo <= MAX_STACK_SIZE;
}

bool goroutine_load(const struct runtime *rt, target_addr address, struct goroutine *ret)
{
	return load(rt, object_load(rt, address, OBJECT_G), ret);
}

static bool is_alive(const struct goroutine *g)
{
	return g->status != GOROUTINE_IDLE && g->status != GOROUTINE_DEAD &&
	       g->status != GOROUTINE_DEAD_EXTRA;
}

/** Adds the g at `address`, allgs[index], where it is alive. False when out of memory. */
static bool add(
	const struct runtime *rt, struct goroutines *all, target_addr address, uint64_t index)
{
	struct goroutine *g = &all->list[all->count];
	struct object object = object_load(rt, address, OBJECT_G);

	// newproc1 sets sched.g to the g itself: what tells a g from garbage.
	if (!load(rt, object, g) ||
		(is_alive(g) && object_get(rt, object, G_SCHED_G) != address && g->id)) {
		diag_add(rt->diag, DIAG_WARNING, "unreadable-goroutine",
			"a g struct could not be read (the first at 0x%llx): its goroutine is "
			"missing",
			(unsigned long long)address);
		return true;
	}
	if (!is_alive(g))
		return true;
	if (u64map_get(&all->by_address, address, &(uint64_t){0})) {
		diag_add(rt->diag, DIAG_WARNING, "repeated-goroutine",
			"runtime.allgs has the g at 0x%llx twice", (unsigned long long)address);
		return true;
	}
	g->is_system = is_system(rt, object, start_kind_of(all, rt, g->start_pc));
	if (!u64map_put(&all->by_address, address, all->count))
		return false;
	g->index = index;
	all->count++;
	return true;
}

enum cs_status goroutines_load(const struct runtime *rt, struct goroutines *ret)
{
	target_addr data;
	uint64_t count;
	const uint8_t *addresses;

	*ret = (struct goroutines){0};
	u64map_init(&ret->by_address, rt->arena);
	u64map_init(&ret->start_kinds, rt->arena);
	if (!runtime_slice(rt, runtime_variable(rt, VAR_ALLGS), &data, &count) || !count)
		return diag_fail(rt->diag, CS_FAULT, "no-goroutines",
			"runtime.allgs is not in the core, or empty: the core is cut, or of a "
			"process that had not begun, or the executable is not the one that "
			"crashed");
	if (count > MAX_GOROUTINES) {
		diag_add(rt->diag, DIAG_WARNING, "limit",
			"runtime.allgs has %llu entries; the first "
			"%d are read",
			(unsigned long long)count, MAX_GOROUTINES);
		count = MAX_GOROUTINES;
	}
	addresses = runtime_bytes(rt, data, count * sizeof(target_addr));
	if (!addresses)
		return diag_fail(rt->diag, CS_FAULT, "no-goroutines",
			"the goroutine list of %llu entries at 0x%llx is not in the core: %s",
			(unsigned long long)count, (unsigned long long)data,
			image_file_size(rt->image) < image_expected_size(rt->image)
				? "it was cut off"
				: "/proc/PID/coredump_filter without bit 0 keeps private memory "
				  "out");
	ret->list = arena_array(rt->arena, count, sizeof(*ret->list));
	if (!ret->list)
		return CS_NO_MEMORY;
	for (uint64_t i = 0; i < count; i++) {
		target_addr address;

		memcpy(&address, addresses + i * sizeof(address), sizeof(address));
		if (!add(rt, ret, address, i))
			return CS_NO_MEMORY;
	}
	return CS_OK;
}

struct goroutine *goroutines_find(const struct goroutines *all, target_addr address)
{
	uint64_t index;

	return u64map_get(&all->by_address, address, &index) ? &all->list[index] : NULL;
}
