// Child processes of the supervisor: started with exactly the descriptors they are meant to have,
// undumpable, in a process group of their own, and dead when the supervisor is.
#ifndef CORESNAP_DAEMON_CHILD_H
#define CORESNAP_DAEMON_CHILD_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_FDS 8

/* The descriptor `fd` of the supervisor becomes `target` in the child. */
struct child_fd {
	int fd, target;
};

struct child_spec {
	const char *path;        // the program, opened and executed; borrowed
	const char *const *argv; // ends with NULL; borrowed
	struct child_fd fds[CHILD_FDS];
	size_t fd_count;
	uint64_t max_file_size; // RLIMIT_FSIZE; 0: unlimited
	const char *temporary;  // TMPDIR, unless the environment has it; NULL: none; borrowed
	bool keeps_environment; // false: PATH and TMPDIR only
	bool is_background;     // nice: a crash must not slow down what still runs
};

struct child {
	pid_t pid;
	int pidfd;  // owned; -1 when there is no child
	int status; // of waitpid, once it has ended
	bool has_ended;
};

/**
 * Starts the program. Descriptors that `fds` does not name are not inherited; 0, 1 and 2 become
 * /dev/null, /dev/null and our stderr unless named.
 */
CS_MUST_USE enum cs_status child_spawn(const struct child_spec *spec, struct child *ret);

/** Kills the child's whole process group. */
void child_kill(const struct child *child);

/** Collects the child if it has ended, without waiting; true once it has. Kills its left-overs. */
bool child_reap(struct child *child);

/** Closes what belongs to the child's record. The child must have ended. */
void child_release(struct child *child);

#endif
