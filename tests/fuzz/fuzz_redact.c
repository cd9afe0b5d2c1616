// Any text, cut anywhere: no read past it, no growth past the bound, and the same when done twice.
#include "common/redact/redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	size_t once_size = 0, twice_size = 0;
	char *once, *twice;

	arena_init(&arena, 0);
	once = redact_text(&arena, (const char *)data, size, &once_size);
	twice = once ? redact_text(&arena, once, once_size, &twice_size) : NULL;
	if (!twice || once_size > REDACT_BOUND(size) || once_size != twice_size ||
		memcmp(once, twice, once_size))
		abort();
	arena_deinit(&arena);
	return 0;
}
