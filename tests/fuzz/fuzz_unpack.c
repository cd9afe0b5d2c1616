// The unpacker over hostile compressed bytes, in steps: it stays within its limits, says how much
// it made, and what it made is a file of that size.
#include "analyzer/core/unpack.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_LIMIT (4u << 20)
#define WRITTEN_LIMIT (1u << 20)
#define STEP 100000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct unpack_limits limits = {SIZE_LIMIT, WRITTEN_LIMIT};
	int from = memfd_create("fuzz", MFD_CLOEXEC), to = memfd_create("plain", MFD_CLOEXEC);
	enum unpack_end end = UNPACK_GOES_ON;
	struct unpacker *unpacker;
	struct arena arena;
	struct stat st;

	check(from >= 0 && to >= 0 && write(from, bytes, size) == (ssize_t)size);
	arena_init(&arena, 0);
	unpacker = unpack_create(from, to, &limits, &arena);
	check(!unpacker == !unpack_format(bytes, size));
	while (unpacker && end == UNPACK_GOES_ON) {
		uint64_t before = unpack_size(unpacker), after;

		end = unpack_advance(unpacker, before + STEP);
		after = unpack_size(unpacker);
		check(end != UNPACK_FAILED && after <= SIZE_LIMIT);
		check(end != UNPACK_GOES_ON || after >= before + STEP);
		check(!fstat(to, &st) && (uint64_t)st.st_size == after);
		check((uint64_t)st.st_blocks * 512 <= WRITTEN_LIMIT + (1u << 16));
	}
	unpack_destroy(unpacker);
	arena_deinit(&arena);
	close(from);
	close(to);
	return 0;
}
