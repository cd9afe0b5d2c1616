// What a role gives up before it begins. The kernel keeps it to that, whatever libcurl or a store's
// answer makes of it.
#ifndef CORESNAP_DAEMON_CONFINE_H
#define CORESNAP_DAEMON_CONFINE_H

#include "common/status.h"

/** No core dump of this process, and none of its memory for others of the same user. */
void confine_self(void);

/**
 * For the uploader: no capabilities; of the file system only the two directories (to read, write
 * and move entries) and, to read, what name resolution and TLS need: /etc, the libraries,
 * certificates, `ca_file` ("" for none). CS_UNSUPPORTED where the kernel has no Landlock that
 * allows moves (Linux 5.19); the capabilities are gone all the same.
 */
CS_MUST_USE enum cs_status confine_uploader(int queue, int failed, const char *ca_file);

#endif
