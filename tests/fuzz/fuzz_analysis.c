// Everything above the function table, over a process whose memory is damaged: the sample of
// mkruntime with the input's patches. A patch is eight bytes: what is written (u8), where (u24),
// with which number (u32). The first two bytes are the arena's limit in pages; 0: 256 MiB.
#include "analyzer/emit/emit.h"
#include "tests/lib/mkruntime.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define DEFAULT_LIMIT (256u << 20)
#define MAX_PATCHES 64
#define FUNCTIONS_SIZE (40 * MKRUNTIME_FUNCTION) // and a little beyond

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool append(void *context, const char *bytes, size_t size)
{
	return fwrite(bytes, 1, size, context) == size;
}

static uint64_t patch_value(
	const struct mkruntime *m, uint8_t kind, target_addr at, uint32_t number)
{
	switch (kind % 8) {
	case 0:
		return number;
	case 1:
		return MKRUNTIME_DATA + number % m->used;
	case 2:
		return MKRUNTIME_DATA + number % m->used / 16 * 16;
	case 3:
		return at - number % 16 * 8; // itself, or just before
	case 4:
		return UINT64_MAX >> number % 64;
	case 5:
		return MKRUNTIME_TEXT + number % FUNCTIONS_SIZE;
	case 6:
		return UINT64_C(1) << number % 64;
	default:
		return (uint64_t)number << 32 | number;
	}
}

static void apply(struct mkruntime *m, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count && i < MAX_PATCHES; i++, bytes += 8) {
		uint32_t where = (bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16);
		target_addr at = MKRUNTIME_DATA + where % (m->used - 8);
		uint32_t number;
		uint64_t value;

		memcpy(&number, bytes + 4, sizeof(number));
		if (!(bytes[0] & 0x80)) // words lie at multiples of their size
			at &= ~UINT64_C(7);
		value = patch_value(m, bytes[0], at, number);
		memcpy(mkruntime_at(m, at), &value, bytes[0] & 0x40 ? 1 : sizeof(value));
	}
}

/** What the server's reader must take: no key twice, no number out of range. */
static void check_json(const struct analysis *analysis)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	enum cs_status status = emit_format_find("json")->write(analysis, NULL, append, stream);
	json_t *json = NULL;

	fclose(stream);
	if (status == CS_OK)
		json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (status == CS_OK && !json)
		abort();
	json_decref(json);
	free(text);
}

static bool count(void *context, const char *bytes, size_t size)
{
	size_t *total = context;

	(void)bytes;
	*total += size;
	return *total < 64u << 20;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const formats[] = {"text", "summary"};
	struct emit_options options = {.traceback = "system"};
	struct mkruntime *m;
	uint16_t limit;

	if (size < 2)
		return 0;
	memcpy(&limit, bytes, sizeof(limit));
	m = mkruntime_sample();
	apply(m, bytes + 2, (size - 2) / 8);
	if (mkruntime_open(m) == CS_OK) {
		m->arena.max = m->arena.total + (limit ? (size_t)limit * PAGE : DEFAULT_LIMIT);
		if (mkruntime_analyze(m) == CS_OK) {
			check_json(m->analysis);
			for (size_t i = 0; i < 2; i++) {
				size_t total = 0;

				(void)!emit_format_find(formats[i])
					->write(m->analysis, &options, count, &total);
			}
		}
	}
	mkruntime_destroy(m);
	return 0;
}
