// One sentence for each goroutine that answers "why is it not running?".
#ifndef CORESNAP_ANALYZER_SNAPSHOT_WHY_H
#define CORESNAP_ANALYZER_SNAPSHOT_WHY_H

#include "analyzer/runtime/waiting.h"

#include <stddef.h>

struct analysis;

#define WHY_SIZE 256 // bytes of a sentence, with its NUL

/** A duration as a person says it: "4.2 s", "120 ms", "3.1 h". */
#define WHY_DURATION_SIZE 32
void why_duration(int64_t ns, char text[WHY_DURATION_SIZE]);

/**
 * The sentence for goroutine `index`, which waits on `on`, `count` things (0: none, or not known).
 * Without a full stop. A text that does not fit is cut.
 */
void why_not_running(const struct analysis *analysis, size_t index, const struct waiting_on *on,
	size_t count, char text[WHY_SIZE]);

#endif
