// The roots of the heap that are no stacks: the program's variables, and what the runtime keeps for
// finalizers, cleanups and weak pointers (runtime/mgcmark.go markroot, go1.18 to go1.27).
#ifndef CORESNAP_ANALYZER_HEAP_ROOTS_H
#define CORESNAP_ANALYZER_HEAP_ROOTS_H

#include "analyzer/heap/mark.h"

/** Whether what only weak pointers lead to counts as reached: the program may still ask for it. */
enum roots_weak { ROOTS_WITHOUT_WEAK, ROOTS_WITH_WEAK };

/**
 * Marks from all of them; mark_run is the caller's. NULL, or in a few words what could not be read:
 * more may be reachable then than is marked.
 */
const char *roots_mark(struct mark *mark, enum roots_weak weak);

#endif
