// No more is unpacked than the core's own headers ask for: they come first, say where the last
// segment ends, and tell within the first megabyte whether it is a core at all. What follows a
// core, or is none, is never written.
#include "analyzer/packed.h"

#include "analyzer/core/executable.h"
#include "common/limits.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PORTION (64ull << 20) // between two looks at the clock

static bool is_first_page_there(struct image *image, struct arena *arena)
{
	struct core_executable executable = core_executable_find(image, arena);
	uint8_t byte;

	return executable.go_build_id || executable.gnu_build_id ||
	       (executable.base && !image_read_u8(image, executable.base, &byte));
}

/** How many bytes are wanted, as far as the `size` bytes that are there can tell. */
static uint64_t find_wanted(const struct packed *packed, uint64_t size)
{
	uint64_t wanted = 2 * size;
	struct arena arena;
	struct image *image;
	struct diag diag;
	enum cs_status status;

	arena_init(&arena, MAX_ANALYSIS_MEMORY);
	diag_init(&diag, &arena);
	status = image_open(packed->to, packed->name, &arena, &diag, &image);
	if (status == CS_UNSUPPORTED) {
		wanted = 0; // not a core that can be read: the rest does not matter
	} else if (!status) {
		if (!packed->only_head || wanted > image_expected_size(image))
			wanted = image_expected_size(image);
		if (packed->only_head && is_first_page_there(image, &arena))
			wanted = 0;
		image_close(image);
	}
	arena_deinit(&arena);
	return wanted;
}

static int64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static enum unpack_end unpack_wanted(
	const struct packed *packed, struct unpacker *unpacker, bool *late_ret)
{
	int64_t begin = now_seconds();
	enum unpack_end end = unpack_advance(unpacker, UNPACK_HEAD);
	uint64_t size = unpack_size(unpacker), wanted;

	while (end == UNPACK_GOES_ON && (wanted = find_wanted(packed, size)) > size) {
		while (end == UNPACK_GOES_ON && size < wanted && !*late_ret) {
			end = unpack_advance(
				unpacker, wanted - size < PORTION ? wanted : size + PORTION);
			size = unpack_size(unpacker);
			*late_ret = packed->seconds && now_seconds() - begin >= packed->seconds;
		}
		if (*late_ret)
			break;
	}
	return end;
}

static enum cs_status conclude(
	const struct packed *packed, enum unpack_end end, uint64_t size, struct diag *diag)
{
	const char *name = packed->name;
	unsigned long long count = size;

	switch (end) {
	case UNPACK_GOES_ON:
	case UNPACK_WHOLE:
		return CS_OK;
	case UNPACK_TOO_LARGE:
		return diag_fail(diag, CS_LIMIT, "unpacked-too-large",
			"%s unpacks to more than %llu bytes: if it is no bomb, --max-unpacked "
			"allows more",
			name, (unsigned long long)packed->limits.size);
	case UNPACK_FAILED:
		return diag_fail(diag, CS_IO, "unpack-failed", "%s cannot be unpacked: %s", name,
			strerror(errno));
	case UNPACK_CUT:
		diag_add(diag, DIAG_WARNING, "cut-compression",
			"%s ends before its compressed data does: %llu bytes were unpacked", name,
			count);
		break;
	case UNPACK_DAMAGED:
		diag_add(diag, DIAG_WARNING, "damaged-compression",
			"%s is damaged: what follows the first %llu bytes cannot be unpacked", name,
			count);
		break;
	case UNPACK_NO_ROOM:
		diag_add(diag, DIAG_WARNING, "unpack-no-room",
			"%s: there was room to unpack its first %llu bytes only; TMPDIR may name a "
			"directory with more",
			name, count);
		break;
	case UNPACK_NO_MEMORY:
		diag_add(diag, DIAG_WARNING, "unpack-no-memory",
			"%s: %llu bytes were unpacked; more takes a larger window than %d MiB, or "
			"memory that is not there: unpack it first",
			name, count, (int)(MAX_UNPACK_MEMORY >> 20));
		break;
	}
	if (size)
		return CS_OK;
	return diag_fail(diag, CS_CORRUPT, "unpack-failed",
		"%s: nothing of it can be unpacked (%s)", name,
		end == UNPACK_CUT       ? "it is cut"
		: end == UNPACK_DAMAGED ? "it is damaged"
		: end == UNPACK_NO_ROOM ? "no room: TMPDIR may name a directory with more"
					: "it takes too much memory: unpack it first");
}

enum cs_status packed_unpack(const struct packed *packed, struct arena *arena, struct diag *diag)
{
	struct unpacker *unpacker = unpack_create(packed->from, packed->to, &packed->limits, arena);
	bool is_late = false;
	enum cs_status status;
	enum unpack_end end;

	if (!unpacker)
		return diag_fail(
			diag, CS_NO_MEMORY, "no-memory", "%s: out of memory", packed->name);
	end = unpack_wanted(packed, unpacker, &is_late);
	status = conclude(packed, end, unpack_size(unpacker), diag);
	if (is_late && end == UNPACK_GOES_ON)
		diag_add(diag, DIAG_WARNING, "unpack-late",
			"%s: %llu bytes were unpacked in the %u seconds that there were for it",
			packed->name, (unsigned long long)unpack_size(unpacker), packed->seconds);
	unpack_destroy(unpacker);
	return status;
}
