// What an error wraps.
#ifndef CORESNAP_ANALYZER_VALUES_NATURAL_ERRORS_H
#define CORESNAP_ANALYZER_VALUES_NATURAL_ERRORS_H

#include "analyzer/values/value.h"

/**
 * Notes in `value`, an interface, the errors that the value of `type` at `place` in it wraps: none
 * where it is no error, or what it is made of cannot be read.
 */
void natural_read_wrapped(struct value_reader *reader, struct value *value, struct type *type,
	const struct place *place);

#endif
