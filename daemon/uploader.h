// The uploader: the role of coresnapd that has the network and the queue, and nothing else. It
// sends bytes that it never looks into. The supervisor starts it with the descriptors below; a byte
// on the wake pipe says that the queue grew, its end says to finish.
#ifndef CORESNAP_DAEMON_UPLOADER_H
#define CORESNAP_DAEMON_UPLOADER_H

#include "common/status.h"
#include "daemon/child.h"

struct options;
struct spool;

/** Starts the role; *wake_ret, owned by the caller, is the pipe's write end. CS_IO with errno. */
CS_MUST_USE enum cs_status uploader_start(const struct options *options, const char *self,
	const struct spool *spool, struct child *ret, int *wake_ret);

/** The role's main: argv as uploader_start makes it. Returns the exit status. */
int uploader_main(int argc, char **argv);

#endif
