// Fuzzes what a server's worker does with an upload: its row, every kind of page. Whatever the
// document, the pages end and hold no mark-up of the document's.
#include "common/json/reader.h"
#include "server/page.h"
#include "server/row.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void render(struct page *page, unsigned int (*make)(struct page *page))
{
	page->out->used = 0;
	make(page);
	if (page->out->used && memmem(page->out->bytes, page->out->used, "<script", 7))
		abort();
}

static unsigned int make_goroutine(struct page *page)
{
	return page_goroutine(page, 1);
}

static unsigned int make_group(struct page *page)
{
	return page_group(page, 0, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct snapshot_row row, back;
	struct json_reader r;
	struct arena arena;
	struct text out;
	const char *wrong;

	arena_init(&arena, 64u << 20);
	text_init(&out, 1u << 20);
	if (jsonr_open(&r, &arena, (const char *)bytes, size) == CS_OK &&
		row_from_snapshot(&r, &arena, &row, &wrong) == CS_OK) {
		struct page page = {.reader = &r, .arena = &arena, .out = &out, .key = "a.json"};

		row_write(&row, &out);
		if (row_load(out.bytes, out.used, &arena, &back))
			abort();
		render(&page, page_snapshot);
		render(&page, make_goroutine);
		render(&page, make_group);
	}
	text_deinit(&out);
	arena_deinit(&arena);
	return 0;
}
