// Which objects are provably still what a pointer to them means. A pointer in a dead slot may
// outlive its object: the collector frees it, and another one takes its place. So a pointee is shown
// only where something keeps it: a global, a live stack slot, a sudog, another live object, or where
// no collection can have happened since.
#ifndef CORESNAP_ANALYZER_VALUES_LIVENESS_H
#define CORESNAP_ANALYZER_VALUES_LIVENESS_H

#include "analyzer/core/image.h"

#include <stdbool.h>

struct liveness;

/** Whether the object that `pointer` points into is known to be alive, and not reused. */
bool liveness_holds(const struct liveness *liveness, target_addr pointer);

#endif
