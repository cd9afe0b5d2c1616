// Strings as Go's strconv.Quote writes them, and whether they need it.
#ifndef CORESNAP_ANALYZER_EMIT_GO_QUOTE_H
#define CORESNAP_ANALYZER_EMIT_GO_QUOTE_H

#include "common/arena.h"

#include <stdbool.h>
#include <stddef.h>

/** Whether all of it is UTF-8 that prints; line breaks and tabs do. */
bool go_is_printable(const char *bytes, size_t size);

/** `size` bytes in quotes, with escapes, so that strconv.Unquote gives them back. NULL: no memory.
 */
char *go_quote(struct arena *arena, const char *bytes, size_t size, size_t *size_ret);

#endif
