// The formats that an analysis can leave in: a table of {name, media type, function}. An emitter
// only formats: it reads the analysis and writes to a sink, and never opens anything.
#ifndef CORESNAP_ANALYZER_EMIT_EMIT_H
#define CORESNAP_ANALYZER_EMIT_EMIT_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

struct analysis;

/** The order of groups; JSON has the largest first, always. */
enum emit_sort {
	SORT_DEFAULT, // summary: the largest first; text: goroutines as Go prints them
	SORT_LARGEST,
	SORT_RAREST,
};

struct emit_options {
	const char *traceback; // "single", "all", "system" or "crash", as GOTRACEBACK; for text
	bool is_full;          // text: each frame's variables beneath it, and verdicts at the end
	enum emit_sort sort;   // of groups, in text and summary
};

/** Takes `size` bytes; false when they could not be taken, which ends the writing. */
typedef bool emit_sink(void *context, const char *bytes, size_t size);

struct emit_format {
	const char *name;       // as --format takes it
	const char *media_type; // "application/json"
	/** Writes all of it; CS_IO where the sink refused, CS_NO_MEMORY where a buffer did. */
	enum cs_status (*write)(const struct analysis *analysis, const struct emit_options *options,
		emit_sink *sink, void *context);
};

/** The format called `name`, in static memory; NULL where there is none. */
const struct emit_format *emit_format_find(const char *name);

#endif
