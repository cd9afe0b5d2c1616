// The inotify watches: directories where cores arrive, and trees where executables do. Events only
// say "look there": what lies there is always read anew, so a lost event costs time, never a core.
#ifndef CORESNAP_DAEMON_TREE_H
#define CORESNAP_DAEMON_TREE_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_MAX_WATCHES 4096

struct tree_watch {
	int descriptor; // of inotify
	size_t root;    // index of the directory that the caller named
	bool is_core;   // cores arrive here; otherwise executables do
};

struct tree {
	int fd;                     // owned, inotify, not blocking
	struct tree_watch *watches; // owned
	size_t count, capacity;
};

/* What tree_read found out. */
struct tree_events {
	/** A file was finished in the core directory `root`, or appeared and may be written yet. */
	void (*core)(void *context, size_t root, const char *name, bool is_finished);
	/** Something changed below an executable directory. */
	void (*executables)(void *context);
	/** Events were lost, or the directory itself went away: look at everything again. */
	void (*lost)(void *context);
	void *context;
};

CS_MUST_USE enum cs_status tree_open(struct tree *ret);
void tree_close(struct tree *tree);

/**
 * Watches the directory `path`. Watching it twice is one watch. CS_NOT_FOUND when it is not there,
 * CS_LIMIT when there are too many, CS_IO with errno.
 */
CS_MUST_USE enum cs_status tree_add(struct tree *tree, const char *path, size_t root, bool is_core);

/** Whether the core directory `root` is being watched at this moment. */
bool tree_has_core(const struct tree *tree, size_t root);

/** Reads all events that are there and calls back for each. */
CS_MUST_USE enum cs_status tree_read(struct tree *tree, const struct tree_events *events);

#endif
