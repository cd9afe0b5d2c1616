// The variables and arguments of a goroutine's frames, as values. A value is shown only where the
// place that DWARF names really holds it: what may be stale says why it is not shown instead.
#ifndef CORESNAP_ANALYZER_VALUES_VARIABLES_H
#define CORESNAP_ANALYZER_VALUES_VARIABLES_H

#include "analyzer/unwind/threads.h"
#include "analyzer/values/flow.h"
#include "analyzer/values/value.h"
#include "analyzer/values/variable_plan.h"

struct variable {
	uint64_t frame; // position in the goroutine's stack: logical frames, innermost first
	const char *name;
	bool is_argument, is_shadowed;
	struct value *value; // NULL: the budget ended
};

/** What reads variables; one for an analysis. All is borrowed. */
struct variable_reader {
	struct variable_plans *plans;
	const struct thread_states *threads;
	const struct goroutines *goroutines;
	struct value_reader *values;
	struct liveness *liveness;
	struct flow *flow;     // owned by the arena; NULL: what calls overwrote is not looked for
	struct u64map tracked; // places in which what DWARF has lost was looked for
	struct value_limits runtime_limits; // for the runtime's own frames
	target_addr *stacks;                // low and high of every goroutine's stack, sorted
	size_t stack_count;
};

/** Prepares `ret`. CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status variable_reader_init(struct variable_reader *ret,
	struct variable_plans *plans, const struct thread_states *threads,
	const struct goroutines *goroutines, struct value_reader *values,
	struct liveness *liveness);

/**
 * Plans every pc of a stack, `walk`. A variable whose registers the flow of values
 * tells here is no longer one that nobody at its pc can show. To be asked once for each stack,
 * before the first variables_read.
 */
void variables_plan(struct variable_reader *reader, const struct walk *walk);

/**
 * Reads the variables of goroutine `g`, whose stack is `walk`: for each frame in order those that
 * can be shown here, at least in part, or could by others that stand at the same pc. `max_values`
 * caps the values made. Everything lives in `scratch`. Returns their number.
 */
size_t variables_read(struct variable_reader *reader, const struct goroutine *g,
	const struct walk *walk, struct arena *scratch, uint64_t max_values, struct variable **ret);

#endif
