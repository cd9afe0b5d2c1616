#include "analyzer/runtime/finalizers.h"

#include "common/limits.h"

/** Entries in all blocks: a block's count falls as its finalizers run (mfinal.go runFinalizers). */
static bool count_finalizers(const struct runtime *rt, uint64_t *ret)
{
	uint64_t block, count, total = 0;

	if (!runtime_read_variable(rt, VAR_ALL_FINALIZERS, &block))
		return false;
	for (uint64_t i = 0; block; i++) {
		if (i >= MAX_FINALIZER_BLOCKS ||
			!runtime_read_at(rt, block, FINALIZERS_IN_BLOCK, &count) ||
			!runtime_read_at(rt, block, FINALIZERS_NEXT_BLOCK, &block))
			return false;
		total += count;
	}
	*ret = total;
	return true;
}

struct finalizer_queues finalizer_queues_load(
	const struct runtime *rt, const struct scheduler *scheduler)
{
	struct finalizer_queues queues = {0};

	queues.has_finalizers = count_finalizers(rt, &queues.finalizers);
	queues.has_cleanups =
		runtime_read_field(
			rt, VAR_CLEANUPS, CLEANUPS_QUEUED, &queues.cleanups_queued) &&
		runtime_read_field(
			rt, VAR_CLEANUPS, CLEANUPS_EXECUTED, &queues.cleanups_executed) &&
		runtime_read_field(rt, VAR_CLEANUPS, CLEANUPS_RUNNING, &queues.cleanups_running);
	if (!queues.has_cleanups)
		return queues;
	// Each processor counts its own; the sum here is of those that are gone.
	for (size_t i = 0; i < scheduler->processor_count; i++)
		queues.cleanups_queued += scheduler->processors[i].cleanups_queued;
	if (queues.cleanups_queued > queues.cleanups_executed)
		queues.cleanups = queues.cleanups_queued - queues.cleanups_executed;
	return queues;
}
