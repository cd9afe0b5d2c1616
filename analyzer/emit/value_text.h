// A variable on one line, as a Go programmer would write its value: `err = *fs.PathError(open /x: no
// such file or directory)`. Made from what the snapshot would hold of it (json_values.h), so that
// whatever is hidden there is hidden here.
#ifndef CORESNAP_ANALYZER_EMIT_VALUE_TEXT_H
#define CORESNAP_ANALYZER_EMIT_VALUE_TEXT_H

#include "analyzer/emit/json_values.h"
#include "analyzer/emit/printer.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/values/variables.h"

/** Reads one goroutine's variables at a time and prints those of single frames. */
struct value_text {
	const struct analysis *analysis; // borrowed
	struct printer *printer;         // borrowed
	struct json_writer writer;       // into `json`
	struct json_values values;
	struct arena scratch; // of one goroutine's values
	char *json;           // owned: of one value
	size_t json_size, json_capacity;
	struct variable *variables; // of the goroutine at hand, by frame
	size_t variable_count;
};

CS_MUST_USE enum cs_status value_text_init(
	struct value_text *ret, const struct analysis *analysis, struct printer *printer);
void value_text_deinit(struct value_text *text);

/** Reads the variables of goroutine `index`, whose stack is `walk`; none where none are wanted. */
void value_text_begin(struct value_text *text, size_t index, const struct walk *walk);

/**
 * Prints the variables of logical frame `frame`, which is one of `function`: each on a line behind
 * `indent`, its value cut at `max` bytes. At most `max_lines` of them.
 */
struct value_text_style {
	const char *indent;
	size_t max, max_lines;
};
void value_text_print(struct value_text *text, uint32_t frame, const char *function,
	const struct value_text_style *style);

#endif
