// The intake: what happens to a core from the moment its file is seen until it is settled.
//
//   SETTLING ─▶ NEW ─▶ IDENTIFYING ─▶ RESOLVING ─▶ READY ─▶ ANALYZING ─▶ settled
//   (may still          (coresnap      │      ▲    (a slot,   (analysis.h)
//    be written)         identify)     ▼      │     room)
//                                   CHECKING, WAITING
//                              (the file at the core's path; none yet)
//
// Nothing is kept open between the steps: each opens the core again and makes sure by its stamp
// that it is still the same.
#ifndef CORESNAP_DAEMON_INTAKE_H
#define CORESNAP_DAEMON_INTAKE_H

#include "daemon/fd.h"
#include "daemon/identity.h"

#include <stdbool.h>
#include <stdint.h>

struct service;

enum core_state {
	CORE_SETTLING,
	CORE_NEW,
	CORE_IDENTIFYING,
	CORE_RESOLVING,
	CORE_CHECKING,
	CORE_WAITING,
	CORE_READY,
	CORE_ANALYZING,
	CORE_SETTLED
};

struct core {
	enum core_state state;
	char *path; // owned
	struct stamp stamp;
	char key[STAMP_TEXT_SIZE]; // the stamp as text
	uint64_t due_ns;           // SETTLING, WAITING and READY: when to look again
	uint64_t waiting_since_ns; // wall clock
	struct identity identity;
	/* The file at the core's own path, once it was looked at. */
	bool has_checked;
	struct stamp checked_stamp;
	enum identity_match checked_match;
	/* The executable chosen for the analysis; NULL: none. */
	char *executable; // owned
	struct stamp executable_stamp;
	bool is_unverified;      // it has no build id in common with the core
	bool without_executable; // an analysis with it failed, or the wait is over
	uint32_t troubles;       // of the packer, not of this core
	uint64_t wanted_room;    // that an analysis had, and more, when the spool could not take it
	struct service *service; // borrowed
	struct core *next;
};

/** Looks at every file of every watched directory. Forgets what the ledger knows of vanished cores.
 */
void intake_scan(struct service *service);

/** Looks at one file that was just finished, or that just appeared. */
void intake_offer(struct service *service, size_t root, const char *name, bool is_finished);

/** Moves every core as far as it goes now. */
void intake_step(struct service *service);

/** Cores that wait for an executable look for it again at the next step. */
void intake_retry_waiting(struct service *service);

/** Starts identifying executables, as many as there are slots. */
void intake_identify_executables(struct service *service);

/** Opens the core if it is still the same; CS_MISMATCH when it is not. */
CS_MUST_USE enum cs_status core_open(const struct core *core, int *ret);

/** Frees all cores. No job may be running. */
void intake_deinit(struct service *service);

#endif
