// Numbers and addresses that operators write on a command line, checked.
#ifndef CORESNAP_DAEMON_SETTING_H
#define CORESNAP_DAEMON_SETTING_H

#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

/** Bytes: digits and an optional K, M, G or T (powers of 1024). CS_CORRUPT for anything else. */
CS_MUST_USE enum cs_status setting_size(const char *text, uint64_t *ret);

/** A duration: seconds, or a number with ms, s, m, h or d behind it ("0.5", "200ms", "24h"). */
CS_MUST_USE enum cs_status setting_duration_ns(const char *text, uint64_t *ret);

/** A whole number in [min, max]; CS_CORRUPT otherwise. */
CS_MUST_USE enum cs_status setting_number(
	const char *text, uint32_t min, uint32_t max, uint32_t *ret);

/**
 * Whether snapshots may be sent to `url`: https anywhere, http only to 127.0.0.0/8, ::1 or
 * localhost; no user name or password (they would end up in process lists), no query, no fragment.
 * NULL when it may; otherwise a sentence, in static memory, that says why not and what to do.
 */
const char *setting_upload_url(const char *url, bool *is_https_ret);

#endif
