// One analysis: `coresnap analyze` piped into the packer, and what its end means for the core.
#ifndef CORESNAP_DAEMON_ANALYSIS_H
#define CORESNAP_DAEMON_ANALYSIS_H

#include <stddef.h>

struct core;

/**
 * Starts the analysis of a core that is CORE_READY; it becomes CORE_ANALYZING, or stays ready with
 * a later due time when the spool has no room.
 */
void analysis_start(struct core *core);

/**
 * Writes what the coresnap command said in `text` (made printable in place) to `ret`, with the
 * core's true name in place of the descriptor that it was given.
 */
void analysis_name(const struct core *core, char *text, char *ret, size_t size);

/** Parks the core: logs `reason`, records it, and leaves the core alone until it or the analyzer
 * changes. */
void analysis_park(struct core *core, const char *reason);

#endif
