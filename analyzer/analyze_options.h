// The options of `coresnap analyze`, read.
#ifndef CORESNAP_ANALYZER_ANALYZE_OPTIONS_H
#define CORESNAP_ANALYZER_ANALYZE_OPTIONS_H

#include "analyzer/search.h"
#include "analyzer/worker.h"

struct analyze_options {
	struct search search;  // --exe, --exe-dir, --debug-dir, --no-debuginfod
	const char *output;    // -o; NULL: standard output
	uint32_t time_limit;   // seconds; 0: no analysis, a minimal snapshot
	uint64_t max_unpacked; // bytes that a compressed core may unpack to
	bool wants_help;
	struct worker_job job; // format, caps, core_name
};

/**
 * Reads argv into `ret`; texts are borrowed from it. Returns COMMAND_OK, or COMMAND_USAGE when it
 * has said what is wrong.
 */
int analyze_options_parse(int argc, char **argv, struct analyze_options *ret);

#endif
