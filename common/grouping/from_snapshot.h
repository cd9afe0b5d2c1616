// What grouping needs of a snapshot that was written before: for `coresnap explain`, and for anyone
// who wants the keys of a newer version of the rules without the core. Pure.
#ifndef CORESNAP_COMMON_GROUPING_FROM_SNAPSHOT_H
#define CORESNAP_COMMON_GROUPING_FROM_SNAPSHOT_H

#include "common/grouping/grouping.h"
#include "common/json/reader.h"

/** Strings are the arena's; NULL where the snapshot does not say. */
struct grouping_snapshot {
	struct grouping_input input; // kind is "" in a minimal snapshot
	const char *title, *main_path;
	bool has_blamed, has_crashed;
	int64_t blamed, crashed; // ids of goroutines
	int64_t version;         // of the rules that made `keys`; 0: there are none
	struct grouping_keys keys;
};

/**
 * Reads the blamed goroutine's frames and what is said of the crash. CS_CORRUPT: what is there is
 * not of the right kind; CS_NO_MEMORY.
 */
CS_MUST_USE enum cs_status grouping_read_snapshot(
	const struct json_reader *r, struct arena *arena, struct grouping_snapshot *ret);

#endif
