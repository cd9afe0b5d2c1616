// The scanner under the snapshot reader: steps over one JSON value at a time and says whether it
// was one. Recursion is bounded by MAX_JSON_DEPTH; nothing is decoded or allocated.
#ifndef CORESNAP_COMMON_JSON_SCAN_H
#define CORESNAP_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json_scan {
	const unsigned char *at, *end; // borrowed
	const char *fault;             // the first one: a sentence in static memory
	bool is_limit;                 // the fault is a limit of ours, not the document's error
};

/** Steps over white space. */
void scan_space(struct json_scan *s);

/** Steps over `c`, which must be the next byte that is not space. */
bool scan_byte(struct json_scan *s, char c);

/** Whether the next byte that is not space is `c`; it is stepped over if so. */
bool scan_is_byte(struct json_scan *s, char c);

/** Steps over the string whose opening quote is next. A key may not hold a NUL, escaped or not. */
bool scan_string(struct json_scan *s, bool is_key);

/** Steps over a value of any kind that is `depth` containers down. */
bool scan_value(struct json_scan *s, unsigned int depth);

/** Notes why the scan ends here; returns false. */
bool scan_fail(struct json_scan *s, const char *fault);

#endif
