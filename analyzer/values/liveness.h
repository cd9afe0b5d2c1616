// Which objects are provably still what a pointer to them means. A pointer in a dead slot may
// outlive its object: the collector frees it, and another one takes its place. So a pointee is
// shown only where something keeps it since the pointer was stored: it lies in the program's own
// data, a live word of this goroutine's holds it too, or no collection can have freed anything
// since.
//
// Another goroutine's live word, a global or the heap prove nothing: they may hold the new object.
#ifndef CORESNAP_ANALYZER_VALUES_LIVENESS_H
#define CORESNAP_ANALYZER_VALUES_LIVENESS_H

#include "analyzer/runtime/goroutine.h"
#include "analyzer/unwind/walk.h"

struct liveness;

/** A goroutine's live words are gathered in `scratch` of liveness_begin. NULL: out of memory. */
struct liveness *liveness_create(const struct frame_table *frames);

/** Adds [start, end), where a module's code and data were loaded; they are never freed. */
void liveness_add_module(struct liveness *liveness, target_addr start, target_addr end);

/**
 * Starts anew for goroutine `g`, whose stack is `walk`: reads the live words of its frames. Borrows
 * `scratch` until the next call. A frame without a map adds nothing; out of memory likewise.
 */
void liveness_begin(struct liveness *liveness, struct arena *scratch, const struct goroutine *g,
	const struct walk *walk);

/**
 * Whether the object that `pointer` points into is known to be alive, and not reused. `slot` is the
 * address of the word that holds the pointer; 0 where it came from a register or a constant. A
 * place whose is_live says so already need not ask. NULL proves nothing.
 */
bool liveness_holds(const struct liveness *liveness, target_addr slot, target_addr pointer);

#endif
