// The minimal snapshot: what is known of a crash without its executable, as JSON with every
// top-level key of the schema, so that readers need no second way.
#ifndef CORESNAP_ANALYZER_EMIT_MINIMAL_H
#define CORESNAP_ANALYZER_EMIT_MINIMAL_H

#include "analyzer/emit/emit.h"

/**
 * Writes signal, threads with registers, executable path and build ids, and the diagnostics; tables
 * are empty and what only the executable could tell is null. As emit_format.write.
 */
CS_MUST_USE enum cs_status emit_minimal_json(const struct analysis *analysis,
	const struct emit_options *options, emit_sink *sink, void *context);

#endif
