// Names of files by build id, as gdb, elfutils and debuginfod lay them out for GNU build ids
// (.build-id/ab/cdef…), and for Go's own in the same manner (go/…). Ids may come from hostile
// files: no other file than one of that layout can be named with them.
#ifndef CORESNAP_COMMON_BUILD_ID_H
#define CORESNAP_COMMON_BUILD_ID_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Writes ".build-id/ab/cdef…" for the GNU build id `id` in lower-case hex. False, with nothing of
 * use written, where it is no such id (2 bytes at least) or does not fit.
 */
bool build_id_gnu_path(const char *id, char *ret, size_t size);

/**
 * Writes "go/ID" for the Go build id `id`, bytes outside of [A-Za-z0-9_-] as %XX. False where it is
 * not one that tells builds apart (build_id_is_unique) or gives no name of a file.
 */
bool build_id_go_path(const char *id, char *ret, size_t size);

/**
 * Whether the Go build id tells one build from another: those of the go command hold hashes between
 * slashes. What people set by -buildid may be the same in all ("redacted", as Bazel's rules do).
 */
bool build_id_is_unique(const char *id);

#endif
