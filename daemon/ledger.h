// What the daemon remembers of cores over restarts: those that were dealt with (seen/), and since
// when others wait for their executable (waiting/). Keyed by stamp: a core that changed is a new
// one.
#ifndef CORESNAP_DAEMON_LEDGER_H
#define CORESNAP_DAEMON_LEDGER_H

#include "common/status.h"
#include "daemon/fd.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct spool;

/** How a core ended. */
enum ledger_outcome { LEDGER_UNSEEN, LEDGER_QUEUED, LEDGER_FAILED, LEDGER_NOT_A_CORE };

/**
 * What became of the core with `stamp`. A failure counts only for the analyzer that failed: with
 * another `analyzer` stamp the core is unseen again.
 */
enum ledger_outcome ledger_find(const struct spool *spool, const char *stamp, const char *analyzer);

/**
 * Remembers the outcome, durably, with `details`, which are taken over. A waiting record of the
 * core is dropped.
 */
CS_MUST_USE enum cs_status ledger_settle(
	const struct spool *spool, const char *stamp, enum ledger_outcome outcome, json_t *details);

/**
 * Wall-clock nanoseconds since when the core waits: of the record, made now if there is none.
 * `details` is taken over.
 */
uint64_t ledger_wait(const struct spool *spool, const char *stamp, json_t *details);

typedef bool ledger_present(void *context, const char *stamp);

/**
 * Forgets every record, those of failed/ too, whose stamp `is_present` denies: the core is gone,
 * and records of what is gone would grow for ever.
 */
void ledger_forget(const struct spool *spool, ledger_present *is_present, void *context);

#endif
