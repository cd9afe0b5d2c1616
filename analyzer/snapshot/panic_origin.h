// Where the value that a program panicked with lies. _panic.arg holds it, but at a crash
// preprintpanics has put the text of an error or Stringer in its place; then gopanic's own argument
// still has the original.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_PANIC_ORIGIN_H
#define CORESNAP_ANALYZER_SNAPSHOT_PANIC_ORIGIN_H

#include "analyzer/snapshot/analysis.h"

/**
 * The place of the interface that `panic`, one of analysis.crash.panics, was raised with. `walk` is
 * the crashing goroutine's stack (count 0: not known). False where only its text is left.
 */
bool panic_origin(const struct analysis *analysis, const struct panic_value *panic,
	const struct walk *walk, struct place *ret);

#endif
