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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool append(void *context, const char *bytes, size_t size)
{
	return fwrite(bytes, 1, size, context) == size;
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
	mkruntime_patch(m, bytes + 2, (size - 2) / 8);
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
