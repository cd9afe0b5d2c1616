// Holds a guessed layout against the process: does what it says of the runtime's structs hang
// together? Called by runtime_open when the layout is of the nearest release, not of this one.
#ifndef CORESNAP_ANALYZER_RUNTIME_LAYOUT_PROVE_H
#define CORESNAP_ANALYZER_RUNTIME_LAYOUT_PROVE_H

#include "analyzer/runtime/runtime.h"

/**
 * Whether the layout fits the process, judged by what must hold in every Go program: a g's saved
 * registers name the g itself, its stack has bounds, its status is one that exists, what it waits
 * on points back to it; allp[i].id is i; an m's g0 points back to the m; sched has counted past
 * every id given out. Needs the roots (allgs, allp, allm, sched). Of goroutines and threads a few
 * may disagree, as they can be caught in the middle of being made. CS_UNSUPPORTED with the fatal
 * line in `diag` where it does not fit.
 */
CS_MUST_USE enum cs_status layout_prove(const struct runtime *rt);

#endif
