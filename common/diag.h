// What went wrong in one analysis, for people: a bounded list that becomes `diagnostics` in the
// snapshot. Equal codes are counted, the first message stays. Library layers add here; they never
// log and never exit.
#ifndef CORESNAP_COMMON_DIAG_H
#define CORESNAP_COMMON_DIAG_H

#include "common/arena.h"
#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

enum diag_severity { DIAG_INFO, DIAG_WARNING, DIAG_ERROR };

struct diag_entry {
	enum diag_severity severity;
	const char *code;    // borrowed, a literal such as "truncated-core"
	const char *message; // owned by the arena
	uint64_t count;
};

struct diag {
	struct arena *arena; // borrowed
	struct diag_entry *entries;
	size_t count, capacity;
	const char *fatal; // the message of the newest DIAG_ERROR, or NULL
};

/** An empty list whose texts live in `arena`. */
void diag_init(struct diag *diag, struct arena *arena);

/**
 * Notes a finding. `code` is a literal in kebab-case and the key of counting: a second call with
 * the same code only counts. `format` is not evaluated then, so a fault path stays cheap.
 */
void diag_add(struct diag *diag, enum diag_severity severity, const char *code, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/**
 * Notes an error that ends the analysis and returns `status`, for `return diag_fail(…)`. The
 * message is one line that names what, where and what to do.
 */
enum cs_status diag_fail(struct diag *diag, enum cs_status status, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/**
 * Adds what `from` holds to `diag`; both live in one arena. For what was tried on the side, whose
 * findings count only now that the trial does.
 */
void diag_adopt(struct diag *diag, const struct diag *from);

/** "info", "warning" or "error". */
const char *diag_severity_name(enum diag_severity severity);

#endif
