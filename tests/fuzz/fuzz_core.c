// The core layer over hostile bytes: open, find the executable, read it from the core if it is all
// there, and read at the places that the core itself names. Whatever the bytes are, it ends without
// a fault and refusals have a message.
#include "analyzer/binary/binary.h"
#include "analyzer/core/executable.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* Ranges are sorted, disjoint and found by their own addresses. */
static void read_ranges(const struct image *image)
{
	struct image_view view, found;
	target_addr last_end = 0;
	uint64_t number;
	uint8_t byte;

	for (size_t i = 0; image_view_at(image, i, &view); i++) {
		check(view.start < view.end && view.start >= last_end);
		last_end = view.end;
		check(image_find(image, view.end - 1, &found) && found.start == view.start);
		check(image_read_u8(image, view.start, &byte) == CS_OK && byte == view.bytes[0]);
		check(image_read_u8(image, view.end - 1, &byte) == CS_OK);
		(void)!image_read_u64(image, view.end - 4, &number);
		check(image_view_bytes(image, view.start, view.end - view.start) == view.bytes);
	}
}

static void read_threads(struct image *image)
{
	const struct image_notes *notes = image_notes(image);
	uint8_t block[64];

	for (size_t i = 0; i < notes->thread_count; i++) {
		(void)!image_read(image, notes->threads[i].regs.sp, block, sizeof(block));
		(void)!image_read(image, notes->threads[i].regs.g, block, sizeof(block));
	}
	for (size_t i = 1; i < notes->mapping_count; i++)
		check(notes->mappings[i - 1].start <= notes->mappings[i].start);
}

static void read_executable(
	struct image *image, const struct core_executable *executable, struct arena *arena)
{
	struct binary *binary;
	struct diag diag;

	diag_init(&diag, arena);
	binary_build_in_core(image, executable, arena);
	if (binary_open_core(image, executable, arena, &diag, &binary))
		return;
	check(binary_info(binary)->is_go);
	binary_close(binary);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct core_executable executable;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct image *image;
	struct arena arena;
	struct diag diag;

	check(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	if (image_open(fd, "core", &arena, &diag, &image)) {
		check(diag.fatal);
	} else {
		executable = core_executable_find(image, &arena);
		read_executable(image, &executable, &arena);
		read_ranges(image);
		read_threads(image);
		image_close(image);
	}
	arena_deinit(&arena);
	close(fd);
	return 0;
}
