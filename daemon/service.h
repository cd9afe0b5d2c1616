// The supervisor: the one process that knows options, spool and children. It parses nothing that
// comes from a crashed program; it decides, starts, stops and keeps the books. One thread, one
// poll.
#ifndef CORESNAP_DAEMON_SERVICE_H
#define CORESNAP_DAEMON_SERVICE_H

#include "common/status.h"
#include "daemon/child.h"
#include "daemon/executables.h"
#include "daemon/options.h"
#include "daemon/spool.h"
#include "daemon/tree.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct core;
struct task;

struct service {
	const struct options *options; // borrowed
	struct spool spool;
	struct tree tree;
	struct executables executables;
	struct core *cores; // in hand, owned
	size_t core_count;
	struct task *tasks;              // running, owned
	uint32_t identifying, analyzing; // of the tasks
	uint64_t now_ns;                 // CLOCK_BOOTTIME at the begin of this turn of the loop
	uint64_t next_due_ns;            // when something has to be looked at again
	uint64_t scan_executables_ns, scan_cores_ns; // when to; UINT64_MAX: no need
	char analyzer[PATH_MAX], self[PATH_MAX];
	char temporary[PATH_MAX]; // where compressed cores are unpacked: the spool's tmp/
	struct child uploader;
	int uploader_wake;          // owned: a byte wakes it, closing it ends it
	uint64_t uploader_start_ns; // when to start it (again)
	bool is_full;               // the spool is, and the log says so
	bool is_stopping;
	bool is_missing[MAX_WATCH_DIRECTORIES]; // a watched directory is, and the log says so
};

/** Runs until SIGTERM or SIGINT; returns the exit status. */
int service_run(const struct options *options);

/** Asks to be called again at `due_ns` at the latest. */
void service_due(struct service *service, uint64_t due_ns);

/** Takes the task over into the loop. */
void service_start(struct service *service, struct task *task);

/** Tells the uploader that the queue has grown. */
void service_wake_uploader(struct service *service);

/** The stamp of the analyzer's file as text; "absent" when it is gone. */
void service_analyzer_stamp(const struct service *service, char ret[static STAMP_TEXT_SIZE]);

#endif
