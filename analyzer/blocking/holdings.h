// Among leaked goroutines: who could wake whom, if it could go on itself. What they alone can reach
// is an island in the heap, which no root leads to; who stands on it and has a way to somebody's
// channel is one who could have used it.
#ifndef CORESNAP_ANALYZER_BLOCKING_HOLDINGS_H
#define CORESNAP_ANALYZER_BLOCKING_HOLDINGS_H

#include "analyzer/blocking/leaks_internal.h"

/**
 * Fills ret->holdings; called when the search is through and nothing of the island is marked. What
 * exceeds the caps is left out. False: out of memory.
 */
bool holdings_find(struct leak_search *search, struct leaks *ret);

#endif
