// Which objects are provably still what a pointer to them means. A pointer in a dead slot may
// outlive its object: the collector frees it, and another one takes its place. So a pointee is shown
// only where something keeps it: a global, a live stack slot, a sudog, another live object, or where
// no collection can have happened since.
#ifndef CORESNAP_ANALYZER_VALUES_LIVENESS_H
#define CORESNAP_ANALYZER_VALUES_LIVENESS_H

#include "analyzer/core/image.h"

#include <stdbool.h>

struct liveness;

/**
 * Whether the object that `pointer` points into is known to be alive, and not reused. `slot` is the
 * address of the word that holds the pointer; 0 where it came from a register or a constant. A place
 * whose is_live says so already need not ask.
 */
bool liveness_holds(const struct liveness *liveness, target_addr slot, target_addr pointer);

#endif
