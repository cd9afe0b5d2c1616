// The snapshot as JSON (SNAPSHOT.md: names, order, absence), streamed. A minimal analysis (no
// executable) has the same keys: its tables are empty, what only the executable could tell is null.
#ifndef CORESNAP_ANALYZER_EMIT_JSON_H
#define CORESNAP_ANALYZER_EMIT_JSON_H

#include "analyzer/emit/emit.h"

/** As emit_format.write. */
enum cs_status emit_json(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context);

#endif
