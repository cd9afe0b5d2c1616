// The natural forms of well-known types: what a Go programmer would print of them. One table,
// natural.c; a form is a pattern of fields ("{Op} {Path}: {Err}") or a function. It is given only
// where it is certain: a type with a String or Error method gets exactly that method's text, but for
// contexts and connections, which say more: why one is over, how long it has left, its descriptor.
#ifndef CORESNAP_ANALYZER_VALUES_NATURAL_H
#define CORESNAP_ANALYZER_VALUES_NATURAL_H

#include "analyzer/values/value.h"

/**
 * The natural form of the value of `type` at `place`, in the reader's arena; NULL: the type has
 * none, or what it is made of cannot be read. Reads by itself, whatever the caps on depth and
 * elements; takes none of the reader's values.
 */
const char *natural_text(struct value_reader *reader, struct type *type, const struct place *place);

/**
 * What a struct of a well-known type holds beside its fields, into `value`, which has these: the
 * entries of a sync.Map with their number, a list's elements, what a reflect.Value stands for.
 */
void natural_content_read(struct value_reader *reader, struct value *value,
	const struct place *place, uint32_t depth);

#endif
