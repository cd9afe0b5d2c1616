// The natural forms of well-known types: what a Go programmer would print of them. One table,
// natural.c; a form is a pattern of fields ("{Op} {Path}: {Err}") or a function. It is given only
// where it is certain: a type with a String or Error method gets exactly that method's text.
#ifndef CORESNAP_ANALYZER_VALUES_NATURAL_H
#define CORESNAP_ANALYZER_VALUES_NATURAL_H

#include "analyzer/values/value.h"

/**
 * The natural form of the value of `type` at `place`, in the reader's arena; NULL: the type has
 * none, or what it is made of cannot be read. Reads by itself, whatever the caps on depth and
 * elements; takes none of the reader's values.
 */
const char *natural_text(struct value_reader *reader, struct type *type, const struct place *place);

#endif
