// The queue as the uploader sees it: two directory descriptors and nothing else. Entries are known
// by id; when to try each again is kept in memory by the boot clock and, for the next start, in a
// sidecar by the wall clock.
#ifndef CORESNAP_DAEMON_QUEUE_H
#define CORESNAP_DAEMON_QUEUE_H

#include "common/status.h"
#include "daemon/head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_entry {
	char id[SNAPSHOT_ID_LENGTH + 1];
	uint32_t attempts; // that failed
	uint64_t due_ns;   // CLOCK_BOOTTIME; 0: at once
	int64_t since_ns;  // its modification time: older ones go first
	bool is_present;   // of the refresh that is running
};

struct queue {
	int queue, failed;           // borrowed directory descriptors
	struct queue_entry *entries; // owned
	size_t count, capacity;
};

void queue_deinit(struct queue *queue);

/** Reads the directory: new entries come with what their sidecar says, vanished ones go. */
CS_MUST_USE enum cs_status queue_refresh(struct queue *queue);

/** The entry to be uploaded now; NULL when none is due, and then *due_ret says when one will be. */
struct queue_entry *queue_next(struct queue *queue, uint64_t now_ns, uint64_t *due_ret);

/** Opens the entry's snapshot for reading. CS_NOT_FOUND when it is gone. */
CS_MUST_USE enum cs_status queue_open(
	const struct queue *queue, const struct queue_entry *entry, uint64_t *size_ret, int *ret);

/** The store has it: unlinks the snapshot, durably, and forgets the entry. */
CS_MUST_USE enum cs_status queue_confirm(struct queue *queue, struct queue_entry *entry);

/** The store will never take it: moves it to failed/ with the reason, and forgets the entry. */
CS_MUST_USE enum cs_status queue_park(
	struct queue *queue, struct queue_entry *entry, long http_status, const char *reason);

/** One more failure: notes it, and that the entry is due in `delay_ns`. */
CS_MUST_USE enum cs_status queue_retry(
	struct queue *queue, struct queue_entry *entry, uint64_t delay_ns, const char *error);

#endif
