// Which cases of its select a goroutine's sudogs stand for (runtime/select.go selectgo, the same
// from go1.18 to go1.27). selectgo is given an array of cases and an array of their numbers, twice:
// in the order in which it looks at them, and in the order in which it locks and waits:
//
//	cas0   → {channel, element} × cases     sends from the front, receives from the end
//	order0 → poll order (cases numbers) | lock order (cases numbers), nil channels left out
//
// How many cases there are stands nowhere for sure; the arrays prove it, or nothing is known.
#ifndef CORESNAP_ANALYZER_RUNTIME_SELECT_CASE_H
#define CORESNAP_ANALYZER_RUNTIME_SELECT_CASE_H

#include "analyzer/runtime/runtime.h"
#include "common/limits.h"

/** The sudogs of a goroutine that waits in a select, in their order in g.waiting. */
struct select_cases {
	target_addr sudogs[MAX_NUMBERED_SELECT_CASES];
	uint32_t numbers[MAX_NUMBERED_SELECT_CASES]; // in selectgo's array
	uint32_t count;                              // of sudogs; 0: not known
	uint32_t total; // cases of the select, those of nil channels too
};

/** Fills in *ret for the goroutine whose g lies at `g`; count is 0 where nothing is proved. */
void select_cases_load(const struct runtime *rt, target_addr g, struct select_cases *ret);

/**
 * Which of the select's sends, or of its receives, `sudog` stands for, from 0 in the order of the
 * source; -1 where it is not known.
 */
int64_t select_case_of(const struct select_cases *cases, target_addr sudog, bool is_send);

#endif
