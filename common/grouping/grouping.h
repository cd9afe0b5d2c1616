// Puts crashes with one cause together: three keys from what happened and where, and the title that
// people read. Pure. Version 2 of the rules, whose lists are tables.def; a change of any key's
// meaning is a new version.
//   coarse   the kind of crash, and the function of the first frame of the program's own code
//   default  kind and message, and the functions of the program's own frames (of a dependency's,
//            where it has none, and so on), and of the place in a dependency where it happened
//   fine     the same message, and every frame with its line in its function
// No key holds an address, an absolute line or an argument: they survive a rebuild.
#ifndef CORESNAP_COMMON_GROUPING_GROUPING_H
#define CORESNAP_COMMON_GROUPING_GROUPING_H

#include "common/arena.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUPING_VERSION 2
#define GROUPING_KEY_SIZE 33 // 32 hex digits and a NUL

/** One logical frame, innermost first in an array. Strings are borrowed. */
struct grouping_frame {
	const char *function;  // as the binary names it
	const char *package;   // function_name_package
	const char *key;       // function_name_key
	const char *declared;  // the key's end, without the package: for titles
	bool in_app;           // see grouping_in_app
	bool is_c;             // no Go code
	int32_t relative_line; // line of the call less the function's first line
};

enum grouping_verdict {
#define VERDICT(name, counts, text) GROUPING_##name,
#include "common/grouping/tables.def"
};

enum grouping_family {
	GROUPING_PLAIN,
#define FAMILY(name, kind, prefix, why) GROUPING_FAMILY_##name,
#include "common/grouping/tables.def"
};

/** What is to be grouped. Strings are borrowed; all but `kind` may be NULL. */
struct grouping_input {
	const char *kind;      // as in the snapshot: "panic", "fatal error", "signal" …
	const char *detail;    // a signal's number and code
	const char *message;   // normalised here
	unsigned int reraised; // so many panics at the end of the chain only raise again what was
	const struct grouping_frame *frames; // of the blamed goroutine
	size_t count;
};

struct grouping_keys {
	char coarse[GROUPING_KEY_SIZE];
	char standard[GROUPING_KEY_SIZE]; // `grouping.default` and `fingerprint` in the snapshot
	char fine[GROUPING_KEY_SIZE];
};

/** What one key is the hash of, NUL-terminated one after the other. */
struct grouping_parts {
	const char **list;
	size_t count, capacity;
};

/** Keys, and how they came about. All of it is the arena's. */
struct grouping {
	enum grouping_family family;
	uint8_t *verdicts; // enum grouping_verdict, one for each frame
	size_t origin;     // the first frame below the runtime's way out
	struct grouping_parts coarse, standard, fine;
	struct grouping_keys keys;
};

/**
 * Whether a package (function_name_package) is the program's own: "main", the main module or below
 * it. `main_module` may be NULL or "" where the binary does not say.
 */
bool grouping_in_app(const char *package, const char *main_module);

/** Whether the package belongs to Go itself: its first path element has no dot, and is not main. */
bool grouping_is_standard(const char *package);

/**
 * Whether a frame only carries a crash out of the program: gopanic, sigpanic, throw … Returns why
 * it is there, in static memory, or NULL for any other.
 */
const char *grouping_machinery(const char *function);

/**
 * The first line of a message with all that differs from crash to crash replaced by "*": numbers,
 * addresses, hex strings, UUIDs, paths, quoted text. NULL: out of memory.
 */
char *grouping_normalise(struct arena *arena, const char *message);

/** A normalised message in the words of today (tables.def); mostly itself. */
const char *grouping_reword(const char *normalised);

/**
 * Makes the keys, and notes what was done. CS_NO_MEMORY, or CS_REFUSED where libcrypto has no
 * SHA-256.
 */
CS_MUST_USE enum cs_status grouping_make(
	struct arena *arena, const struct grouping_input *input, struct grouping *ret);

/** Whether frames with this verdict go into the default key, and the words for it. */
bool grouping_verdict_counts(enum grouping_verdict verdict);
const char *grouping_verdict_text(enum grouping_verdict verdict);

/** Why a family of crashes is treated differently; NULL for the plain ones. */
const char *grouping_family_text(enum grouping_family family);

/**
 * One line for people: "panic: boom in main.handler". The message's first line, cut at a sensible
 * length; the function is the first of the program's own, else of a dependency's, else of the
 * standard library's, else the first that is no machinery. `message` may be NULL, `frame_count` 0.
 * Secrets are the caller's care (common/redact). NULL: out of memory.
 */
char *grouping_title(struct arena *arena, const char *kind, const char *message,
	const struct grouping_frame *frames, size_t frame_count);

#endif
