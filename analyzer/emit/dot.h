// Who waits for whom as a graph that graphviz draws (dot.c).
#ifndef CORESNAP_ANALYZER_EMIT_DOT_H
#define CORESNAP_ANALYZER_EMIT_DOT_H

#include "analyzer/emit/emit.h"

/**
 * The wait-for graph in the language of dot(1): a box for each goroutine of a deadlock and for each
 * group of others, an arrow to whom it waits for. Needs a full analysis. As emit_format.write.
 */
enum cs_status emit_dot(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context);

#endif
