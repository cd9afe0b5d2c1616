#include "analyzer/runtime/machine.h"

#include "common/limits.h"

#include <string.h>

#define LOCAL_QUEUE_SIZE 256 // p.runq is [256]guintptr in every release
// runtime/proc.go freezeStopWait; threads that stop count it down.
#define FREEZE_STOP_WAIT 0x7fffffff

const char *processor_status_name(uint32_t status)
{
	static const char *const names[] = {"idle", "running", "syscall", "gcstop", "dead"};

	return status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

static void load_stack(const struct runtime *rt, target_addr g, target_addr *lo, target_addr *hi)
{
	struct object object = object_load(rt, g, OBJECT_G);

	if (!object.bytes)
		return;
	*lo = object_get(rt, object, G_STACK_LO);
	*hi = object_get(rt, object, G_STACK_HI);
}

static bool is_within(target_addr address, target_addr lo, target_addr hi)
{
	return address >= lo && address < hi;
}

/**
 * A thread writes its id into its m only after it has unblocked signals (os_linux.go minit): one
 * that dies in between is known by the stack that it stands on. 0 where there is none.
 */
static uint64_t thread_on_stacks_of(const struct runtime *rt, const struct machine *m)
{
	const struct image_notes *notes = image_notes(rt->image);

	for (size_t i = 0; i < notes->thread_count; i++) {
		target_addr sp = notes->threads[i].regs.sp;

		if (is_within(sp, m->gsignal_lo, m->gsignal_hi) ||
			is_within(sp, m->g0_lo, m->g0_hi))
			return notes->threads[i].id;
	}
	return 0;
}

static void load_machine(const struct runtime *rt, struct object m, struct machine *ret)
{
	*ret = (struct machine){
		.address = m.address,
		.id = (int64_t)object_get(rt, m, M_ID),
		.thread_id = object_get(rt, m, M_PROC_ID),
		.g0 = object_get(rt, m, M_G0),
		.gsignal = object_get(rt, m, M_GSIGNAL),
		.curg = object_get(rt, m, M_CURG),
		.locked_g = object_get(rt, m, M_LOCKED_G),
		.caught_signal = object_get(rt, m, M_CAUGHT_SIG),
		.p = object_get(rt, m, M_P),
		.old_p = object_get(rt, m, M_OLD_P),
		.syscall_tick = (uint32_t)object_get(rt, m, M_SYSCALL_TICK),
		.lock_wait_ns = (int64_t)object_get(rt, m, M_LOCK_WAIT),
		.vdso_pc = object_get(rt, m, M_VDSO_PC),
		.vdso_sp = object_get(rt, m, M_VDSO_SP),
		.throwing = (int32_t)object_get(rt, m, M_THROWING),
		.dying = (int32_t)object_get(rt, m, M_DYING),
		.is_spinning = object_get(rt, m, M_SPINNING),
		.is_blocked = object_get(rt, m, M_BLOCKED),
		.is_in_cgo = object_get(rt, m, M_IN_CGO),
		.is_extra = object_get(rt, m, M_IS_EXTRA),
	};
	// A func value points at a word that holds the code's address.
	if (object_get(rt, m, M_START_FUNCTION) &&
		image_read_u64(rt->image, object_get(rt, m, M_START_FUNCTION),
			&ret->start_function) != CS_OK)
		ret->start_function = 0;
	load_stack(rt, ret->g0, &ret->g0_lo, &ret->g0_hi);
	load_stack(rt, ret->gsignal, &ret->gsignal_lo, &ret->gsignal_hi);
	// An idle extra m has no thread either; its g0 is the stack of whoever had it last.
	if (!ret->thread_id && !ret->is_extra)
		ret->thread_id = thread_on_stacks_of(rt, ret);
}

/** Makes the machine at the end of the list known by address and thread; the first of a thread
 * wins. */
static bool add_machine(struct scheduler *s, const struct machine *m)
{
	size_t index = s->machine_count++;

	if (m->thread_id && !u64map_get(&s->machines_by_thread, m->thread_id, &(uint64_t){0}) &&
		!u64map_put(&s->machines_by_thread, m->thread_id, index))
		return false;
	return u64map_put(&s->machines_by_address, m->address, index);
}

static enum cs_status load_machines(const struct runtime *rt, struct scheduler *s)
{
	size_t capacity = 0;
	uint64_t address = 0;

	runtime_read_variable(rt, VAR_ALLM, &address);
	while (address && s->machine_count < MAX_RUNTIME_THREADS) {
		struct object m = object_load(rt, address, OBJECT_M);
		struct machine *grown;

		if (!m.bytes || scheduler_machine_at(s, address)) {
			s->is_incomplete = true;
			diag_add(rt->diag, DIAG_WARNING, "unreadable-thread",
				"runtime.allm is broken at 0x%llx: the threads behind it are "
				"missing",
				(unsigned long long)address);
			break;
		}
		grown = arena_grow(
			rt->arena, s->machines, &capacity, s->machine_count + 1, sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		s->machines = grown;
		load_machine(rt, m, &grown[s->machine_count]);
		if (!add_machine(s, &grown[s->machine_count]))
			return CS_NO_MEMORY;
		address = object_get(rt, m, M_ALL_LINK);
	}
	return CS_OK;
}

static bool load_queue(const struct runtime *rt, struct object p, struct processor *ret)
{
	uint32_t head = (uint32_t)object_get(rt, p, P_RUNQ_HEAD);
	uint32_t tail = (uint32_t)object_get(rt, p, P_RUNQ_TAIL);
	const uint8_t *slots = p.bytes + layout_value(&rt->layout, P_RUNQ);
	target_addr *queue;

	if (tail - head > LOCAL_QUEUE_SIZE ||
		layout_size(&rt->layout, P_RUNQ) != LOCAL_QUEUE_SIZE * sizeof(*queue))
		return false;
	queue = arena_array(rt->arena, tail - head, sizeof(*queue));
	if (!queue)
		return false;
	for (uint32_t i = 0; i < tail - head; i++)
		memcpy(&queue[i], slots + (head + i) % LOCAL_QUEUE_SIZE * sizeof(*queue),
			sizeof(*queue));
	ret->queue = queue;
	ret->queue_count = tail - head;
	return true;
}

static void load_processor(const struct runtime *rt, target_addr address, struct processor *ret)
{
	struct object p = object_load(rt, address, OBJECT_P);

	*ret = (struct processor){.address = address, .status = UINT32_MAX};
	if (p.bytes) {
		ret->id = (int32_t)object_get(rt, p, P_ID);
		ret->status = (uint32_t)object_get(rt, p, P_STATUS);
		ret->schedule_tick = (uint32_t)object_get(rt, p, P_SCHED_TICK);
		ret->syscall_tick = (uint32_t)object_get(rt, p, P_SYSCALL_TICK);
		ret->schedule_when = (int64_t)object_get(rt, p, P_SYSMON_SCHED_WHEN);
		ret->syscall_when = (int64_t)object_get(rt, p, P_SYSMON_SYSCALL_WHEN);
		ret->seen_schedule_tick = (uint32_t)object_get(rt, p, P_SYSMON_SCHED_TICK);
		ret->seen_syscall_tick = (uint32_t)object_get(rt, p, P_SYSMON_SYSCALL_TICK);
		ret->mcache = object_get(rt, p, P_MCACHE);
		ret->cleanups_queued = object_get(rt, p, P_CLEANUPS_QUEUED);
		ret->goroutines_created = object_get(rt, p, P_GOROUTINES_CREATED);
		ret->timers = address + layout_value(&rt->layout, P_TIMERS);
		ret->gc_stop_time = (int64_t)object_get(rt, p, P_GC_STOP_TIME);
		ret->m = object_get(rt, p, P_M);
		ret->run_next = object_get(rt, p, P_RUN_NEXT);
	}
	if (!p.bytes || !load_queue(rt, p, ret))
		diag_add(rt->diag, DIAG_WARNING, "unreadable-processor",
			"the processor at 0x%llx or its run queue is not readable",
			(unsigned long long)address);
}

static enum cs_status load_processors(const struct runtime *rt, struct scheduler *s)
{
	target_addr data;
	uint64_t count;
	const uint8_t *addresses = NULL;

	if (runtime_slice(rt, runtime_variable(rt, VAR_ALLP), &data, &count) &&
		count <= MAX_PROCESSORS)
		addresses = runtime_bytes(rt, data, count * sizeof(target_addr));
	if (!addresses) {
		diag_add(rt->diag, DIAG_WARNING, "no-processors", "runtime.allp is not readable");
		return CS_OK;
	}
	s->processors = arena_array(rt->arena, count, sizeof(*s->processors));
	if (!s->processors)
		return CS_NO_MEMORY;
	for (uint64_t i = 0; i < count; i++) {
		target_addr address;

		memcpy(&address, addresses + i * sizeof(address), sizeof(address));
		if (scheduler_processor_at(s, address)) {
			diag_add(rt->diag, DIAG_WARNING, "repeated-processor",
				"runtime.allp has the processor at 0x%llx twice",
				(unsigned long long)address);
			continue;
		}
		load_processor(rt, address, &s->processors[s->processor_count]);
		s->goroutines_created += s->processors[s->processor_count].goroutines_created;
		if (!u64map_put(&s->processors_by_address, address, s->processor_count++))
			return CS_NO_MEMORY;
	}
	return CS_OK;
}

static uint64_t sched_number(const struct runtime *rt, enum layout_id id)
{
	uint64_t value = 0;

	runtime_read_field(rt, VAR_SCHED, id, &value);
	return value;
}

static enum cs_status load_global_queue(const struct runtime *rt, struct scheduler *s)
{
	target_addr address = sched_number(rt, SCHED_RUNQ_HEAD), mark = 0;
	size_t capacity = 0, next_mark = 1;

	s->global_total = layout_has(&rt->layout, SCHED_RUNQ_SIZE)
				  ? (uint32_t)sched_number(rt, SCHED_RUNQ_SIZE)
				  : (uint32_t)sched_number(rt, SCHED_RUNQ_SIZE_OLD);
	while (address && s->global_count < MAX_RUN_QUEUE && s->global_count <= s->global_total) {
		struct goroutine g;
		target_addr *grown = arena_grow(
			rt->arena, s->global_queue, &capacity, s->global_count + 1, sizeof(*grown));

		if (!grown)
			return CS_NO_MEMORY;
		s->global_queue = grown;
		if (address == mark || !goroutine_load(rt, address, &g))
			break;
		grown[s->global_count++] = address;
		// Brent's way to notice a ring: what was seen at the last power of two comes again.
		if (s->global_count == next_mark) {
			mark = address;
			next_mark *= 2;
		}
		address = g.queue_link;
	}
	if (s->global_count != s->global_total)
		diag_add(rt->diag, DIAG_WARNING, "broken-run-queue",
			"the global run queue should have %llu goroutines; %zu could be followed",
			(unsigned long long)s->global_total, s->global_count);
	return CS_OK;
}

static void load_statistics(const struct runtime *rt, struct scheduler *s)
{
	uint64_t value = 0;
	bool has_cpus = runtime_read_variable(rt, VAR_CPUS, &value) ||
			runtime_read_variable(rt, VAR_CPUS_AT_START, &value);

	s->cpus = has_cpus ? (int32_t)value : 0;
	runtime_read_variable(rt, VAR_GOMAXPROCS, &value);
	s->gomaxprocs = (int32_t)value;
	s->threads = sched_number(rt, SCHED_MNEXT) - sched_number(rt, SCHED_NM_FREED);
	s->idle_threads = sched_number(rt, SCHED_NM_IDLE);
	s->idle_locked_threads = sched_number(rt, SCHED_NM_IDLE_LOCKED);
	s->system_threads = sched_number(rt, SCHED_NM_SYS);
	s->system_goroutines = sched_number(rt, SCHED_NG_SYS);
	s->idle_processors = sched_number(rt, SCHED_NP_IDLE);
	s->spinning_threads = sched_number(rt, SCHED_NM_SPINNING);
	s->is_stopping = sched_number(rt, SCHED_GC_WAITING);
	s->stop_wait = (int32_t)sched_number(rt, SCHED_STOP_WAIT);
	s->is_frozen = s->is_stopping && s->stop_wait > FREEZE_STOP_WAIT - MAX_PROCESSORS;
	s->poll_until = (int64_t)sched_number(rt, SCHED_POLL_UNTIL);
	s->is_custom_maxprocs = layout_has(&rt->layout, SCHED_CUSTOM_MAXPROCS)
					? sched_number(rt, SCHED_CUSTOM_MAXPROCS) != 0
					: -1;
	s->has_created = layout_has(&rt->layout, SCHED_GOROUTINES_CREATED);
	s->goroutines_created = sched_number(rt, SCHED_GOROUTINES_CREATED);
	s->has_mutex_wait = layout_has(&rt->layout, SCHED_MUTEX_WAIT);
	s->mutex_wait_ns = (int64_t)(sched_number(rt, SCHED_MUTEX_WAIT) +
				     sched_number(rt, SCHED_RUNTIME_LOCK_WAIT));
	s->last_poll = (int64_t)sched_number(rt, SCHED_LAST_POLL);
	s->procresize_time = (int64_t)sched_number(rt, SCHED_PROCRESIZE_TIME);
}

enum cs_status scheduler_load(const struct runtime *rt, struct scheduler *ret)
{
	enum cs_status status;

	*ret = (struct scheduler){0};
	u64map_init(&ret->machines_by_address, rt->arena);
	u64map_init(&ret->machines_by_thread, rt->arena);
	u64map_init(&ret->processors_by_address, rt->arena);
	u64map_init(&ret->queued, rt->arena);
	load_statistics(rt, ret);
	status = load_machines(rt, ret);
	if (status == CS_OK)
		status = load_processors(rt, ret);
	if (status == CS_OK)
		status = load_global_queue(rt, ret);
	return status;
}

const struct machine *scheduler_machine_of_thread(const struct scheduler *s, uint64_t thread_id)
{
	uint64_t index;

	return u64map_get(&s->machines_by_thread, thread_id, &index) ? &s->machines[index] : NULL;
}

const struct machine *scheduler_machine_at(const struct scheduler *s, target_addr m)
{
	uint64_t index;

	return u64map_get(&s->machines_by_address, m, &index) ? &s->machines[index] : NULL;
}

const struct processor *scheduler_processor_at(const struct scheduler *s, target_addr address)
{
	uint64_t index;

	return u64map_get(&s->processors_by_address, address, &index) ? &s->processors[index]
								      : NULL;
}
