#include "analyzer/snapshot/why.h"

#include "analyzer/snapshot/activity.h"
#include "analyzer/snapshot/analysis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define US INT64_C(1000)
#define MS (1000 * US)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define SHOWN_CASES 3      // of a select
#define LONG_RUN (10 * MS) // proc.go forcePreemptNS: who runs longer is asked to stop

struct sentence {
	const struct analysis *analysis;
	char *text;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(
	struct sentence *s, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(s->text + s->used, WHY_SIZE - s->used, format, args);
	va_end(args);
	if (size > 0)
		s->used += (size_t)size < WHY_SIZE - s->used ? (size_t)size
							     : WHY_SIZE - s->used - 1;
}

void why_duration(int64_t ns, char text[WHY_DURATION_SIZE])
{
	static const struct {
		int64_t from, unit;
		const char *name;
	} units[] = {{48 * HOUR, 24 * HOUR, "days"}, {HOUR, HOUR, "h"}, {2 * MINUTE, MINUTE, "min"},
		{SECOND, SECOND, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ns >= units[i].from) {
			snprintf(text, WHY_DURATION_SIZE, "%.1f %s",
				(double)ns / (double)units[i].unit, units[i].name);
			return;
		}
	if (ns >= MS)
		snprintf(text, WHY_DURATION_SIZE, "%" PRId64 " ms", ns / MS);
	else
		snprintf(text, WHY_DURATION_SIZE, "%" PRId64 " us", ns > 0 ? ns / US : 0);
}

static void say_for(struct sentence *s, int64_t ns)
{
	char text[WHY_DURATION_SIZE];

	if (ns < 0)
		return;
	why_duration(ns, text);
	say(s, " for %s", text);
}

/** " in 3.1 s", or " 12 ms ago" for what is past. */
static void say_in(struct sentence *s, int64_t ns)
{
	char text[WHY_DURATION_SIZE];

	why_duration(ns < 0 ? -ns : ns, text);
	say(s, ns < 0 ? " %s ago" : " in %s", text);
}

static const char *ordinal(uint64_t n)
{
	static const char *const endings[] = {"th", "st", "nd", "rd"};

	return n % 10 < 4 && n % 100 / 10 != 1 ? endings[n % 10] : "th";
}

static int64_t elapsed(const struct sentence *s, int64_t since)
{
	int64_t now = s->analysis->clock.now;

	return since > 0 && since <= now ? now - since : -1;
}

static void say_runnable(struct sentence *s, const struct goroutine *g)
{
	const struct scheduler *scheduler = &s->analysis->scheduler;
	const struct machine *m = scheduler_machine_at(scheduler, g->locked_m);
	struct queue_place place;

	if (g->is_frozen) {
		say(s, "ran until the crash stopped it");
		return;
	}
	if (!scheduler_place(scheduler, g->address, &place)) {
		say(s, "ready to run, in no queue: it was just being put into one or taken out");
		return;
	}
	say(s, "%" PRIu64 "%s in ", place.position, ordinal(place.position));
	if (place.processor)
		say(s, "processor %" PRId32 "'s queue", place.processor->id);
	else
		say(s, "the global queue");
	if (place.processor && place.position == 1 && place.processor->run_next == g->address)
		say(s, ", sharing the time slice of the one that runs there");
	if (m && m->thread_id)
		say(s, "; only thread %" PRIu64 " may run it", m->thread_id);
}

static void say_running(struct sentence *s, const struct goroutine *g)
{
	const struct machine *m = scheduler_machine_at(&s->analysis->scheduler, g->m);
	const struct processor *p =
		m ? scheduler_processor_at(&s->analysis->scheduler, m->p) : NULL;
	int64_t ns = p ? elapsed(s, scheduler_running_since(p)) : -1;

	say(s, m && m->dying ? "it is what crashed" : "runs");
	if (m && m->is_in_cgo)
		say(s, " C code");
	if (m && m->thread_id)
		say(s, " on thread %" PRIu64, m->thread_id);
	if (p)
		say(s, ", processor %" PRId32, p->id);
	if (ns >= LONG_RUN)
		say_for(s, ns);
}

static void say_syscall(struct sentence *s, const struct goroutine *g)
{
	const struct machine *m = scheduler_machine_at(&s->analysis->scheduler, g->m);
	size_t index = (size_t)(g - s->analysis->goroutines.list);

	say(s, m && m->is_in_cgo ? "in C code" : "in a system call");
	say_for(s, analysis_wait(s->analysis, index).best);
	if (m && m->thread_id)
		say(s, " on thread %" PRIu64, m->thread_id);
}

static void say_channel(struct sentence *s, const struct waiting_on *on)
{
	if (on->operation)
		say(s, "%s %s ", on->operation, strcmp(on->operation, "send") ? "from" : "to");
	else
		say(s, "use ");
	say(s, "channel 0x%" PRIx64, on->address);
}

/** Of the channels the one that a timer will send to first: what time.After and Tickers are. */
static void say_alarm(struct sentence *s, const struct waiting_on *on, size_t count)
{
	const struct timer *first = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct timer *timer =
			timers_find_argument(&s->analysis->timers, on[i].address);

		if (timer && (!first || timer->when < first->when))
			first = timer;
	}
	if (!first)
		return;
	say(s, "; a timer %s to it", first->when < s->analysis->clock.now ? "was to send" : "sends");
	say_in(s, first->when - s->analysis->clock.now);
}

static void say_channels(struct sentence *s, const struct waiting_on *on, size_t count)
{
	if (count > 1)
		say(s, "waits in a select of %zu channels, to ", count);
	else
		say(s, "waits to ");
	for (size_t i = 0; i < count && i < SHOWN_CASES; i++) {
		if (i)
			say(s, i + 1 == count ? " or " : ", ");
		say_channel(s, &on[i]);
	}
	if (count > SHOWN_CASES)
		say(s, " and others");
	say_alarm(s, on, count);
}

static void say_sleep(struct sentence *s, const struct goroutine *g)
{
	int64_t when = timers_wake_time(s->analysis->rt, g), now = s->analysis->clock.now;

	say(s, "sleeps");
	if (g->bubble)
		say(s, " in a synctest bubble, whose clock is its own");
	else if (when > 0 && now > 0 && when >= now)
		say(s, "; its timer fires");
	else if (when > 0 && now > 0)
		say(s, "; its timer was to fire");
	else
		return;
	if (!g->bubble)
		say_in(s, when - now);
}

static void say_descriptor(struct sentence *s, const struct goroutine *g)
{
	const struct poll_descriptor *pd =
		poll_descriptor_of(&s->analysis->descriptors, g->address);
	const struct poll_side *side;

	if (!pd) {
		say(s, "waits for input or output");
		return;
	}
	side = pd->read.waiter == g->address ? &pd->read : &pd->write;
	say(s, "waits to %s descriptor %" PRId64, side == &pd->read ? "read from" : "write to",
		pd->fd);
	if (!side->deadline) {
		say(s, ", without a deadline");
	} else if (side->deadline < 0) {
		say(s, ", its deadline has passed");
	} else {
		say(s, "; its deadline is");
		say_in(s, side->deadline - s->analysis->clock.now);
	}
}

/** Threads that a stop of the world still waits for: they have a processor that has not stopped. */
static void say_world(struct sentence *s, const struct goroutine *g)
{
	const struct scheduler *scheduler = &s->analysis->scheduler;
	size_t count = 0;

	say(s, "waits for the world to stop");
	for (size_t i = 0; i < scheduler->unstopped_count; i++) {
		const struct machine *m = scheduler->unstopped[i];

		if (m->address == g->m)
			continue;
		say(s, count++ ? ", %" PRIu64 : "; thread %" PRIu64, m->thread_id);
	}
	if (count)
		say(s, count > 1 ? " have not stopped yet" : " has not stopped yet");
}

/** What the runtime's own wait reasons mean, for those that say it in few words. */
static const struct {
	const char *reason, *sentence;
} reasons[] = {
	{"chan receive (nil chan)", "waits to receive from a nil channel: nothing can wake it"},
	{"chan send (nil chan)", "waits to send to a nil channel: nothing can wake it"},
	{"select (no cases)", "waits in a select without cases: nothing can wake it"},
	{"sync.Cond.Wait", "waits for a signal of its Cond"},
	{"GC assist wait", "waits until the collector's workers have done its share of the work"},
	{"GC assist marking", "works for the collector, to pay for what it allocates"},
	{"garbage collection", "waits for the end of a collection"},
	{"GC sweep wait", "has nothing to do until there is something to sweep"},
	{"GC scavenge wait", "has nothing to do until there is memory to give back"},
	{"GC worker (idle)", "has nothing to do until the next collection marks"},
	{"GC worker (active)", "marks for the collector"},
	{"GC worker init", "is being started as a worker of the collector"},
	{"force gc (idle)", "has nothing to do until two minutes have passed without a collection"},
	{"finalizer wait", "has nothing to do until there are finalizers to run"},
	{"cleanup wait", "has nothing to do until there are cleanups to run"},
	{"trace reader (blocked)", "waits for trace data"},
	{"panicwait", "waits while another goroutine ends the program"},
	{"preempted", "was stopped so that the collector can read its stack"},
	{"wait for GC cycle", "waits for the end of a collection"},
	{"flushing proc caches", "waits until every processor has emptied its caches"},
	{"coroutine", "waits until its coroutine goes on"},
};

static bool say_reason(struct sentence *s, const char *reason)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (!strcmp(reason, reasons[i].reason)) {
			say(s, "%s", reasons[i].sentence);
			return true;
		}
	return false;
}

/** A lock, a WaitGroup, …: "waits to lock mutex 0xc000012345". */
static void say_lock(struct sentence *s, const struct waiting_on *on)
{
	const char *operation = on->operation ? on->operation : "wait";

	if (!strcmp(operation, "wait"))
		say(s, "waits for %s", on->kind);
	else
		say(s, "waits to %s %s", !strcmp(operation, "rlock") ? "read-lock" : operation,
			on->kind);
	if (on->address)
		say(s, " 0x%" PRIx64, on->address);
}

static void say_waiting(struct sentence *s, const struct goroutine *g,
	const struct waiting_on *on, size_t count)
{
	const char *reason = goroutine_wait_reason(s->analysis->rt, g);
	size_t index = (size_t)(g - s->analysis->goroutines.list);

	if (g->status == GOROUTINE_LEAKED)
		say(s, "leaked, as the program's own leak profile found: ");
	if (activity_stops_world(s->analysis, index))
		say_world(s, g);
	else if (!reason)
		say(s, "waits for a reason that is not known");
	else if (!strncmp(reason, "sleep", 5))
		say_sleep(s, g);
	else if (!strcmp(reason, "IO wait"))
		say_descriptor(s, g);
	else if (say_reason(s, reason))
		return;
	else if (count && !strcmp(on->kind, "channel"))
		say_channels(s, on, count);
	else if (count)
		say_lock(s, on);
	else
		say(s, "waits: %s", reason);
}

void why_not_running(const struct analysis *analysis, size_t index, const struct waiting_on *on,
	size_t count, char text[WHY_SIZE])
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	struct sentence s = {.analysis = analysis, .text = text};

	text[0] = '\0';
	switch (g->status) {
	case GOROUTINE_RUNNABLE:
		say_runnable(&s, g);
		break;
	case GOROUTINE_RUNNING:
		if (activity_stops_world(analysis, index))
			say_world(&s, g);
		else
			say_running(&s, g);
		break;
	case GOROUTINE_SYSCALL:
		say_syscall(&s, g);
		break;
	case GOROUTINE_WAITING:
	case GOROUTINE_LEAKED:
		say_waiting(&s, g, on, count);
		break;
	case GOROUTINE_COPYSTACK:
		say(&s, "its stack is being moved");
		break;
	case GOROUTINE_PREEMPTED:
		say(&s, "was stopped so that the collector can read its stack");
		break;
	default:
		say(&s, "is in a state that is not known");
	}
}
