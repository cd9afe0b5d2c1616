// What a process forked by the supervisor does first: it dies with the supervisor, and has no
// descriptor and no stream that it was not given.
#ifndef CORESNAP_ANALYZER_PROCESS_H
#define CORESNAP_ANALYZER_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/**
 * To be called in the child of `parent`: ends with it from now on, and has /dev/null for its
 * standard streams. Of the other descriptors only the `count` in `keep` (-1: none; sorted in place)
 * stay open.
 */
void process_begin(pid_t parent, int *keep, size_t count);

/** Ends the child `pid` for certain, and collects it. */
void process_kill(pid_t pid);

#endif
