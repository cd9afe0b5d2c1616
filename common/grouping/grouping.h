// Puts crashes with one cause together: three keys from what happened and where, and the title that
// people read. Pure. Version 1 of the rules; a change of any key's meaning is a new version.
//   coarse   class, and the function of the first frame of the program's own code
//   default  class, and the functions of the program's own frames (of all, where it has none)
//   fine     class, and every frame with its line relative to its function
// No key holds an address, an absolute line or an argument: they survive a rebuild.
#ifndef CORESNAP_COMMON_GROUPING_GROUPING_H
#define CORESNAP_COMMON_GROUPING_GROUPING_H

#include "common/arena.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUPING_VERSION 1
#define GROUPING_KEY_SIZE 33 // 32 hex digits and a NUL

/** One logical frame, innermost first in an array. */
struct grouping_frame {
	const char *function;  // borrowed; as the binary names it
	bool in_app;           // see grouping_in_app
	int32_t relative_line; // line of the call less the function's first line
};

struct grouping_keys {
	char coarse[GROUPING_KEY_SIZE];
	char standard[GROUPING_KEY_SIZE]; // `grouping.default` and `fingerprint` in the snapshot
	char fine[GROUPING_KEY_SIZE];
};

/**
 * Whether a package (function_name_package) is the program's own: "main", the main module or below
 * it. `main_module` may be NULL or "" where the binary does not say.
 */
bool grouping_in_app(const char *package, const char *main_module);

/** Whether the package belongs to Go itself: its first path element has no dot, and is not main. */
bool grouping_is_standard(const char *package);

/** Whether a frame only carries a crash out of the program: gopanic, sigpanic, throw … */
bool grouping_is_machinery(const char *function);

/**
 * The first line of a message with all that differs from crash to crash replaced by "*": numbers,
 * addresses, hex strings, UUIDs, quoted text. NULL: out of memory.
 */
char *grouping_normalise(struct arena *arena, const char *message);

/**
 * What kind of thing happened, for the keys: `kind` as in the snapshot ("panic", "fatal error",
 * "signal" …), `detail` (the Go type of a panic's value, a signal's name and code; may be NULL)
 * and the message (may be NULL), which is normalised here. NULL: out of memory.
 */
char *grouping_class(
	struct arena *arena, const char *kind, const char *detail, const char *message);

/**
 * The keys of a crash from its class and the blamed goroutine's frames. `main_path` (may be NULL)
 * is the import path of the main package. CS_NO_MEMORY, or CS_REFUSED where libcrypto has no
 * SHA-256.
 */
CS_MUST_USE enum cs_status grouping_make_keys(struct arena *arena, const char *class,
	const struct grouping_frame *frames, size_t frame_count, const char *main_path,
	struct grouping_keys *ret);

/**
 * One line for people: "panic: boom in main.handler". The message's first line, cut at a sensible
 * length; the function is the first of the program's own, else of a dependency's, else of the
 * standard library's, else the first that is no machinery. `message` may be NULL, `frame_count` 0.
 * Secrets are the caller's care (common/redact). NULL: out of memory.
 */
char *grouping_title(struct arena *arena, const char *kind, const char *message,
	const struct grouping_frame *frames, size_t frame_count);

#endif
