// The pages of one snapshot. They are made by a worker, from rows that are decoded one at a time.
// Each function returns an HTTP status: 200 with the page in `out`, or 404 with one line.
#ifndef CORESNAP_SERVER_PAGE_H
#define CORESNAP_SERVER_PAGE_H

#include "common/arena.h"
#include "server/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_reader;

struct page {
	const struct json_reader *reader; // borrowed, as all of these
	struct arena *arena;
	struct text *out;
	const char *key;     // the object's
	int64_t received_ns; // since 1970
};

/** Crash, the crashing goroutine, groups, threads, channels, diagnostics. */
unsigned int page_snapshot(struct page *page);

/** The same in ten to thirty lines of plain text, for a terminal. */
unsigned int page_summary(struct page *page);

/** One goroutine: its stack and all that is known of it. */
unsigned int page_goroutine(struct page *page, uint64_t id);

/** The goroutines of group `group`, MAX_GROUP_PAGE of them after the first `skip`. */
unsigned int page_group(struct page *page, uint64_t group, uint64_t skip);

/* What the pages share. */

/** The snapshot's id: valid in an address (id_is_valid), as the catalog has it. */
const char *page_id(struct page *page);

/** Appends a decoded string, escaped for HTML; nothing for what is not a string. */
void page_text(struct page *page, const json_t *string);

/** Appends "label, value" to a list of facts; nothing where the value is null or empty. */
void page_fact(struct page *page, const char *label, const json_t *value);

/** Appends a <section>'s tables. */
void page_groups(struct page *page);
void page_threads(struct page *page);
void page_channels(struct page *page);
void page_diagnostics(struct page *page);

/** Appends stack `stack` as a list of frames, to `max` of them. */
void page_stack(struct page *page, const json_t *stack, size_t max);

/** Appends the first frame that is the program's own, else the first: one line. */
void page_stack_top(struct page *page, const json_t *stack);

/** The goroutine, the thread of this id, decoded: the caller's reference; NULL. */
json_t *page_find_goroutine(struct page *page, uint64_t id);
json_t *page_find_thread(struct page *page, const json_t *id);

/** Appends "waiting: chan receive, 2m 0s", as far as it is known. */
void page_state(struct page *page, const json_t *goroutine);

/** The row of `table` that `index` names, decoded: the caller's reference; NULL. */
json_t *page_row(struct page *page, const char *table, const json_t *index);

/** The row of `frames` to name a stack by; the caller's reference; NULL. */
json_t *page_top_frame(struct page *page, const json_t *stack);

#endif
