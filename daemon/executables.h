// Every executable below the --exe-dir directories, by its build ids, whatever its name. A file is
// identified once; it is the same file as long as its stamp is.
#ifndef CORESNAP_DAEMON_EXECUTABLES_H
#define CORESNAP_DAEMON_EXECUTABLES_H

#include "daemon/fd.h"
#include "daemon/identity.h"

#include <stdbool.h>
#include <stddef.h>

struct tree;

enum executable_state { EXECUTABLE_NEW, EXECUTABLE_IN_HAND, EXECUTABLE_KNOWN };

struct executable {
	char *path; // owned
	struct stamp stamp;
	struct identity identity; // once it is known
	enum executable_state state;
};

struct executables {
	struct executable *items; // owned, sorted by stamp
	size_t count, capacity;
};

/* What a scan met besides executables. */
struct executables_scan {
	bool is_unsettled; // a file was written less than a second ago: scan again soon
	bool is_cut;       // there are more files, directories or levels than limits.h allows
};

void executables_deinit(struct executables *executables);

/**
 * Walks the directories, keeps what is known of files that are still the same, adds new ones as
 * EXECUTABLE_NEW, and watches every directory in `tree`. A root that is absent holds nothing.
 */
CS_MUST_USE enum cs_status executables_scan(struct executables *executables, struct tree *tree,
	const char *const *roots, size_t root_count, struct executables_scan *ret);

/** The next file that has not been identified, marked as in hand; NULL when there is none. */
const struct executable *executables_next(struct executables *executables);

/** Files that are not identified yet, in hand or not. */
size_t executables_pending(const struct executables *executables);

/** Stores what the file with `stamp` is; takes the identity over. A vanished file is forgotten. */
void executables_settle(
	struct executables *executables, const struct stamp *stamp, struct identity *identity);

/** The executable that the core was made by, by build id; NULL when it is not there. */
const struct executable *executables_find(
	const struct executables *executables, const struct identity *core);

#endif
