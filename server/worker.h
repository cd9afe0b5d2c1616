// Workers: one short-lived process for each job, behind the sandbox, which gets the job, the
// object's descriptor and a scratch descriptor, and answers through a pipe. They are started by one
// small process without threads or secrets, the nursery, which was split off before the server
// opened anything.
#ifndef CORESNAP_SERVER_WORKER_H
#define CORESNAP_SERVER_WORKER_H

#include "common/status.h"
#include "server/job.h"

#include <semaphore.h>
#include <stddef.h>
#include <sys/types.h>

struct nursery {
	int socket; // owned: to the nursery's process
	pid_t pid;
	sem_t room; // how many more workers may run
};

/** Splits off the nursery. To be called before there are threads. CS_IO and errno. */
CS_MUST_USE enum cs_status nursery_start(struct nursery *nursery);

/** Whether a worker can be started and close its sandbox here. */
bool nursery_works(struct nursery *nursery);

/** Ends it; its workers end with it. */
void nursery_stop(struct nursery *nursery);

struct answer {
	unsigned int status; // of HTTP
	char *bytes;         // owned: free(); NUL-terminated
	size_t size;
};

/**
 * Has `job` done by a worker; waits for at most MAX_WORKER_SECONDS for room, and as long for the
 * answer. CS_OK: the answer is the worker's, which may be lying; CS_LIMIT: this machine has no room
 * or time for it now; CS_IO: the worker died of it; CS_CORRUPT: it answered nonsense. Thread-safe.
 */
CS_MUST_USE enum cs_status worker_run(struct nursery *nursery, const struct job *job, int object,
	int scratch, struct answer *ret);

#endif
