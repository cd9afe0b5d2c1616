// timers and descriptors: what will wake somebody without another goroutine's doing.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/snapshot/analysis.h"
#include "common/limits.h"

#include <string.h>

static const char *function_at(const struct runtime *rt, target_addr pc)
{
	struct pcln_func func;

	return pc && modules_find_function(rt, pc, &func) ? func.name : NULL;
}

/** The function that time.AfterFunc was given: a func value, whose first word is its code. */
static const char *function_of_value(const struct runtime *rt, target_addr value)
{
	target_addr code;

	return image_read_u64(rt->image, value, &code) == CS_OK ? function_at(rt, code) : NULL;
}

static void write_timer(
	struct json_writer *w, const struct analysis *analysis, const struct timer *timer)
{
	const char *function = function_at(analysis->rt, timer->function);
	bool is_sleep = function && !strcmp(function, "runtime.goroutineReady");
	bool is_channel = function && !strcmp(function, "time.sendTime");
	bool is_call = function && !strcmp(function, "time.goFunc");

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_address(w, "address", timer->address);
	jsonw_member_i64(w, "processor", analysis->scheduler.processors[timer->processor].id);
	jsonw_member_i64(w, "fires_in_ns", timer->when - analysis->clock.now);
	json_member_ns(w, "period_ns", timer->period > 0 ? timer->period : -1);
	jsonw_member_string(w, "function", function);
	json_member_goroutine(w, "goroutine", analysis, is_sleep ? timer->argument : 0);
	if (is_channel)
		jsonw_member_address(w, "channel", timer->argument);
	else
		jsonw_member_null(w, "channel");
	jsonw_member_string(
		w, "starts", is_call ? function_of_value(analysis->rt, timer->argument) : NULL);
	jsonw_end_object(w);
}

void json_write_timers(struct json_writer *w, const struct analysis *analysis)
{
	const struct timers *timers = &analysis->timers;

	jsonw_newline(w);
	jsonw_key(w, "timers");
	jsonw_begin_array(w);
	for (size_t i = 0; i < timers->count && i < MAX_TIMERS_WRITTEN; i++)
		write_timer(w, analysis, &timers->list[i]);
	jsonw_end_array(w);
	jsonw_member_u64(w, "timers_total", timers->count);
}

static void write_side(struct json_writer *w, const struct analysis *analysis, const char *key,
	const struct poll_side *side)
{
	jsonw_key(w, key);
	jsonw_begin_object(w);
	json_member_goroutine(w, "goroutine", analysis, side->waiter);
	jsonw_member_bool(w, "ready", side->is_ready);
	jsonw_key(w, "deadline_in_ns"); // null: none; negative: passed
	if (side->deadline)
		jsonw_i64(w, side->deadline < 0 ? -1 : side->deadline - analysis->clock.now);
	else
		jsonw_null(w);
	jsonw_end_object(w);
}

void json_write_descriptors(struct json_writer *w, const struct analysis *analysis)
{
	const struct poll_descriptors *all = &analysis->descriptors;

	jsonw_newline(w);
	jsonw_key(w, "descriptors");
	jsonw_begin_array(w);
	for (size_t i = 0; i < all->count && i < MAX_DESCRIPTORS_WRITTEN; i++) {
		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_member_address(w, "address", all->list[i].address);
		jsonw_member_i64(w, "fd", all->list[i].fd);
		write_side(w, analysis, "read", &all->list[i].read);
		write_side(w, analysis, "write", &all->list[i].write);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_member_u64(w, "descriptors_total", all->count);
}
