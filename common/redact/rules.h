// The lists behind common/redact: names that announce a secret, shapes of well-known tokens, words
// that are prose. Only redact.c uses them.
#ifndef CORESNAP_COMMON_REDACT_RULES_H
#define CORESNAP_COMMON_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>

enum key_class {
	KEY_NONE,
	KEY_STRONG,        // what follows is a secret unless it is clearly prose
	KEY_WEAK,          // also an everyday word: after ": " only what looks like a secret is one
	KEY_LONG,          // only a long value is a secret
	KEY_AUTHORIZATION, // a scheme may stand before the secret
	KEY_COOKIE,        // the rest of the line
	KEY_BEARER,        // the secret follows after a blank
};

/**
 * What the name ending at bytes[end] announces: "password", "DB_PASSWORD", "x-api-key",
 * "clientSecret". Looks back as far as the longest name, never before bytes[0].
 */
enum key_class rules_key(const char *bytes, size_t end);

/** The length of the well-known token (ghp_…, AKIA…, a JWT) at the start of `bytes`; 0: none. */
size_t rules_token(const char *bytes, size_t size);

/** Whether the value says "nothing here" (nil, null, true, 0x0 …) and so hides nothing. */
bool rules_is_empty(const char *value, size_t size);

/** Whether the word is how a sentence goes on after "password: " and the like. */
bool rules_is_prose(const char *word, size_t size);

/** Whether the word is an HTTP authorization scheme; *whole_line: its parameters are a list. */
bool rules_is_scheme(const char *word, size_t size, bool *whole_line);

/** [A-Za-z0-9_] without regard to the locale. */
static inline bool rules_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

#endif
