// The spool: what the daemon has taken and not yet delivered. The state of a snapshot is the
// directory it lies in, so that kill -9 at any moment leaves a state, never a doubt:
//
//   tmp/      being written; emptied at start
//   queue/    <id>.json.zst, whole and synced, to be uploaded; <id>.try.json beside it counts tries
//   failed/   <id>.json.zst that the store refused, with <id>.reason.json; core-<stamp>.reason.json
//             for a core that could not be analysed (the core itself stays where it was)
//   seen/     <stamp>.json: cores that were dealt with     (ledger.h)
//   waiting/  <stamp>.json: cores without their executable (ledger.h)
//   lock      one daemon per spool
//
// Directories are 0700, files 0600: snapshots hold what the crashed program held.
#ifndef CORESNAP_DAEMON_SPOOL_H
#define CORESNAP_DAEMON_SPOOL_H

#include "common/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define SPOOL_NAME_SIZE 160
#define SNAPSHOT_SUFFIX ".json.zst"
#define REASON_SUFFIX ".reason.json"
#define TRY_SUFFIX ".try.json"
#define SPOOL_ROOM_MIN (64 * 1024) // with less room a snapshot is not begun

struct spool {
	int dir, lock, tmp, queue, failed, seen, waiting; // owned descriptors
	uint64_t max_size;  // bytes that tmp, queue and failed may hold together
	uint64_t keep_free; // bytes of the file system to leave alone
};

/**
 * Opens the spool at `path`, making what is missing, and takes its lock. CS_REFUSED: another daemon
 * has it; CS_MISMATCH: the directory belongs to someone else; CS_IO with errno otherwise.
 */
CS_MUST_USE enum cs_status spool_open(const char *path, struct spool *ret);

/** Closes the descriptors; the lock goes with them. */
void spool_close(struct spool *spool);

/** What a start does after a crash: empties tmp/, drops sidecars whose snapshot is gone. */
CS_MUST_USE enum cs_status spool_recover(struct spool *spool);

/** Creates tmp/<name> and returns its descriptor, owned by the caller; -1 with errno. */
int spool_create(struct spool *spool, const char *name);

/** Drops tmp/<name>. */
void spool_discard(struct spool *spool, const char *name);

/**
 * Makes the whole snapshot in tmp/<name> (open at `fd`) entry `id` of the queue. Both its bytes and
 * its name survive power loss when this returns. An entry of that id that is queued or parked
 * already stays, and the new one is dropped: it is the same crash.
 */
CS_MUST_USE enum cs_status spool_enqueue(
	struct spool *spool, const char *name, int fd, const char *id);

/** Records why a core could not be analysed; takes over `reason`. Replaces an older record. */
CS_MUST_USE enum cs_status spool_park_core(struct spool *spool, const char *stamp, json_t *reason);

/** Drops the record of spool_park_core, if there is one. */
void spool_unpark_core(struct spool *spool, const char *stamp);

/** Bytes on disk of tmp/, queue/ and failed/. */
uint64_t spool_usage(const struct spool *spool);

/**
 * Bytes that may be written now; 0 when there are fewer than `wanted`. Where room is short what was
 * parked longest ago is dropped first; *evicted_ret counts it.
 */
uint64_t spool_room(struct spool *spool, uint64_t wanted, uint32_t *evicted_ret);

/** Whether nothing more can be gained by waiting: no snapshot is queued or being written. */
bool spool_is_empty(const struct spool *spool);

#endif
