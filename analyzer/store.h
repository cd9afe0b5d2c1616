// A directory of executables and debug files by build id, so that a core finds its own long after
// the next deployment: DIR/.build-id/ab/cdef… (with .debug behind it for a debug file), the layout
// of gdb and elfutils, which may be given the same directory, and DIR/go/… for Go's build id.
#ifndef CORESNAP_ANALYZER_STORE_H
#define CORESNAP_ANALYZER_STORE_H

#include "analyzer/channel.h"

#include <stddef.h>

#define STORE_NAMES 2 // one by GNU's build id, one by Go's

/** The names that a file has got, below the store's directory; "" where it has no such id. */
struct store_names {
	char rows[STORE_NAMES][MAX_PATH_LENGTH];
};

/**
 * Puts a copy of the file `fd`, which `identity` describes, into `directory`, making directories on
 * the way. It appears under each name when it is whole and on disk; what was there before is
 * replaced. CS_REFUSED: no build id tells it apart. CS_IO: `why` says what failed.
 */
CS_MUST_USE enum cs_status store_add(const char *directory, int fd,
	const struct channel_message *identity, struct store_names *ret, char why[256]);

#endif
