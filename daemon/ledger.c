#include "daemon/ledger.h"

#include "daemon/backoff.h"
#include "daemon/record.h"
#include "daemon/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const outcomes[] = {
	[LEDGER_UNSEEN] = "unseen",
	[LEDGER_QUEUED] = "queued",
	[LEDGER_FAILED] = "failed",
	[LEDGER_NOT_A_CORE] = "not a core",
};

static void name_of(const char *stamp, char ret[static SPOOL_NAME_SIZE])
{
	snprintf(ret, SPOOL_NAME_SIZE, "%s.json", stamp);
}

static enum ledger_outcome outcome_of(const json_t *record, const char *analyzer)
{
	const char *text = record_string(record, "outcome");
	const char *made_by = record_string(record, "analyzer");

	for (size_t i = LEDGER_QUEUED; text && i <= LEDGER_NOT_A_CORE; i++) {
		if (strcmp(text, outcomes[i]))
			continue;
		if (i == LEDGER_FAILED && (!made_by || strcmp(made_by, analyzer)))
			return LEDGER_UNSEEN;
		return (enum ledger_outcome)i;
	}
	return LEDGER_UNSEEN;
}

enum ledger_outcome ledger_find(const struct spool *spool, const char *stamp, const char *analyzer)
{
	char name[SPOOL_NAME_SIZE];
	enum ledger_outcome outcome;
	json_t *record;

	name_of(stamp, name);
	record = record_read(spool->seen, name);
	outcome = outcome_of(record, analyzer);
	json_decref(record);
	return outcome;
}

enum cs_status ledger_settle(
	const struct spool *spool, const char *stamp, enum ledger_outcome outcome, json_t *details)
{
	char name[SPOOL_NAME_SIZE];
	enum cs_status status;

	name_of(stamp, name);
	json_object_set_new(details, "outcome", json_string(outcomes[outcome]));
	status = record_write(spool->seen, name, details);
	if (!status)
		unlinkat(spool->waiting, name, 0);
	return status;
}

uint64_t ledger_wait(const struct spool *spool, const char *stamp, json_t *details)
{
	char name[SPOOL_NAME_SIZE];
	json_t *record;
	uint64_t now = clock_wall_ns(), since = now;

	name_of(stamp, name);
	record = record_read(spool->waiting, name);
	if (json_is_integer(json_object_get(record, "since_ns")))
		since = (uint64_t)json_integer_value(json_object_get(record, "since_ns"));
	json_decref(record);
	json_object_set_new(details, "since_ns", json_integer((json_int_t)since));
	// Without the record the wait only begins anew after a restart.
	if (record_write(spool->waiting, name, details))
		return since;
	return since > now ? now : since;
}

// Unlinks what is named <prefix><stamp><suffix> for a stamp that is not present.
static void forget_in(
	int dir, const char *prefix, const char *suffix, ledger_present *is_present, void *context)
{
	size_t before = strlen(prefix), after = strlen(suffix);
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(stream))) {
		char stamp[NAME_MAX + 1];
		size_t length = strlen(entry->d_name);

		if (length <= before + after || strncmp(entry->d_name, prefix, before) ||
			strcmp(entry->d_name + length - after, suffix))
			continue;
		length -= before + after;
		memcpy(stamp, entry->d_name + before, length);
		stamp[length] = '\0';
		if (!is_present(context, stamp))
			unlinkat(dir, entry->d_name, 0);
	}
	closedir(stream);
}

void ledger_forget(const struct spool *spool, ledger_present *is_present, void *context)
{
	forget_in(spool->seen, "", ".json", is_present, context);
	forget_in(spool->waiting, "", ".json", is_present, context);
	forget_in(spool->failed, "core-", REASON_SUFFIX, is_present, context);
}
