// A Go traceback (text.c) and the summary for people (summary.c).
#ifndef CORESNAP_ANALYZER_EMIT_TEXT_H
#define CORESNAP_ANALYZER_EMIT_TEXT_H

#include "analyzer/emit/emit.h"

/**
 * The goroutines as Go prints them at options->traceback; by options->sort those of a group
 * together. Needs a full analysis. As emit_format.write.
 */
enum cs_status emit_text(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context);

/**
 * The crash in some lines, then groups of equal stacks by options->sort. Needs a full analysis. As
 * emit_format.write.
 */
enum cs_status emit_summary(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context);

#endif
