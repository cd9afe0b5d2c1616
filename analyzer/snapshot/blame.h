// Whom to look at first where nothing crashed, but nothing moves: by the verdicts on who waits for
// whom.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_BLAME_H
#define CORESNAP_ANALYZER_SNAPSHOT_BLAME_H

#include <stddef.h>

struct analysis;

/**
 * The goroutines to look at first, at most `max`, as indexes: those of deadlocks; else the likely
 * owner of the lock that most wait for. Of a deadlock that one comes first whose function is first
 * in the alphabet, so that equal hangs are grouped alike. 0: nothing of the kind is known.
 */
size_t blame_hang(const struct analysis *analysis, size_t *ret, size_t max);

#endif
