// UTF-8, strictly (RFC 3629): no overlong forms, no surrogates.
#ifndef CORESNAP_COMMON_UTF8_H
#define CORESNAP_COMMON_UTF8_H

#include <stddef.h>

/** How many bytes the sequence at `text` has, of `left` (at least 1); 0 where it is not one. */
size_t utf8_length(const char *text, size_t left);

#endif
