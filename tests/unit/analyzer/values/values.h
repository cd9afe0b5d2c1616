// What the tests of values share: a process of bytes, a reader over it, and a short way to write a
// value down: "{a:1 b:\"x\"}", "[1 2 …]", "&5", "main.T(7)", "!corrupt", "cycle", "same".
#ifndef CORESNAP_TESTS_UNIT_ANALYZER_VALUES_VALUES_H
#define CORESNAP_TESTS_UNIT_ANALYZER_VALUES_VALUES_H

#include "analyzer/runtime/types.h"
#include "analyzer/values/value.h"
#include "tests/lib/mktypes.h"

struct values {
	struct mkruntime *m;
	struct value_limits limits;
	struct value_reader reader;
	struct arena scratch;
	target_addr t_int, t_int8, t_uint8, t_string, t_any; // descriptors
};

/** A process with some types; more are made before values_open. */
struct values *values_create(void);
void values_destroy(struct values *v);

/** Opens the process and begins to read, with room for `max` values. */
void values_open(struct values *v, uint64_t max);

/** The value of the type at `descriptor` that lies at `address`; live unless said. */
struct value *values_read(struct values *v, target_addr descriptor, target_addr address);

/** A value in short, in the scratch arena. */
const char *values_text(struct values *v, const struct value *value);

/** Reads a value anew and compares it in short. */
void values_expect(
	struct values *v, target_addr descriptor, target_addr address, const char *expected);

#endif
