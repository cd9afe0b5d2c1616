// Hides secrets in text before anything is written: arguments, messages, titles, labels, values of
// the environment. Pure: no input or output, no globals. It errs on the side of hiding after a name
// that means a secret, and of keeping everywhere else, so that a panic's message stays readable.
// What counts as a name, a token or prose is data: rules.c.
#ifndef CORESNAP_COMMON_REDACT_REDACT_H
#define CORESNAP_COMMON_REDACT_REDACT_H

#include "common/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What stands in place of a secret. */
#define REDACTED "[redacted]"

/** No output is longer than this for `size` bytes of input (each hiding needs a name before it). */
#define REDACT_BOUND(size) (3 * (size) + sizeof(REDACTED))

/**
 * `size` bytes of text with its secrets replaced by "[redacted]", in the arena, with a NUL behind;
 * *size_ret (may be NULL) receives the length, as the text may hold NULs. Applying it twice gives
 * the same as once. Linear in `size`. NULL: out of memory, and nothing may be written then.
 */
char *redact_text(struct arena *arena, const char *bytes, size_t size, size_t *size_ret);

/**
 * A command line of `count` strings, each through redact_text, and each that follows a flag with a
 * secret's name ("--token x", "-password x", "-p x", "-u user:x") hidden. Returns an array of
 * `count` strings and a NULL in the arena; NULL: out of memory.
 */
char **redact_arguments(struct arena *arena, const char *const *argv, size_t count);

/** What the name of a variable, field, map key or type says of what it holds. */
enum redact_class {
	REDACT_NOTHING,
	REDACT_LONG, // a long text is a secret: "signature"
	REDACT_TEXT, // any text is: "token", "session"; a number or struct is not
	REDACT_ALL,  // everything is, and all that it is made of: "password", "privateKey"
};

/** The shortest text that REDACT_LONG hides. */
#define REDACT_LONG_SIZE 20

/**
 * Judges a name by its last words: "DBPassword", "api_key", "main.Secret", "tokens", "passwd2",
 * "secretBytes". Never "key" alone, nor "passwordLength" or "tokenizer".
 */
enum redact_class redact_name(const char *name, size_t size);

/** Whether a text says "nothing here" (nil, none, true …) and so is no secret under any name. */
bool redact_is_empty(const char *text, size_t size);

/**
 * How many bytes of the argument `value` may be shown that follows `flag` on a command line: all of
 * it, what ends in a user's colon ("-u user:x"), none ("--password x").
 */
size_t redact_argument_kept(const char *flag, const char *value);

/** Whether a word is eight characters of text, as secrets are; addresses and counts are none. */
bool redact_is_text_word(uint64_t word);

/**
 * Whether an environment variable of this name may be written without being asked for: settings of
 * the Go runtime, time zone and language. Its value still goes through redact_text.
 */
bool redact_environment_allowed(const char *name);

#endif
