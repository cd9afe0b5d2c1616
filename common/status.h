// One idiom for errors: a function that can fail returns enum cs_status, 0 is success.
#ifndef CORESNAP_COMMON_STATUS_H
#define CORESNAP_COMMON_STATUS_H

/* The positions in status.def, counted down from zero: CS_OK 0, CS_FAULT -1, … */
enum cs_status_index {
#define STATUS(name, text) name##_INDEX,
#include "common/status.def"
#undef STATUS
	CS_STATUS_COUNT
};

enum cs_status {
#define STATUS(name, text) name = -(int)name##_INDEX,
#include "common/status.def"
#undef STATUS
};

#define CS_MUST_USE __attribute__((warn_unused_result))

/** The sentence for `status`, in static memory; "unknown status" for a value outside the table. */
const char *status_text(enum cs_status status);

#endif
