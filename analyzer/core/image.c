// Ranges of readable bytes and the reads over them. Sealed ranges are sorted and disjoint, so a
// read is a binary search and a copy. Overlap rules live here and nowhere else.
#include "analyzer/core/private.h"

#include <stdlib.h>
#include <string.h>

struct image *image_create(enum image_arch arch, struct arena *arena)
{
	struct image *image = arena_alloc(arena, sizeof(*image));

	if (!image)
		return NULL;
	image->arena = arena;
	image->arch = arch;
	image->file.slot = -1;
	return image;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	mapping_close(&image->file);
	image->count = image->sealed = 0;
}

enum cs_status image_add(struct image *image, struct image_view view)
{
	struct image_view *ranges;

	if (view.end < view.start || (!view.bytes && view.end > view.start))
		return CS_CORRUPT;
	if (view.end == view.start)
		return CS_OK;
	ranges = arena_grow(
		image->arena, image->ranges, &image->capacity, image->count + 1, sizeof(*ranges));
	if (!ranges)
		return CS_NO_MEMORY;
	image->ranges = ranges;
	ranges[image->count++] = view;
	return CS_OK;
}

static struct image_view slice(const struct image_view *view, target_addr start, target_addr end)
{
	struct image_view part = *view;

	part.bytes += start - view->start;
	part.start = start;
	part.end = end;
	return part;
}

/* Both lists sorted and disjoint; `upper` hides `lower`. Returns the length of `out`. */
static size_t overlay(const struct image_view *upper, size_t upper_count,
	const struct image_view *lower, size_t lower_count, struct image_view *out)
{
	target_addr covered = 0; // end of the last upper range in `out`
	size_t count = 0, u = 0;

	for (size_t l = 0; l < lower_count; l++) {
		const struct image_view *view = &lower[l];
		target_addr at = view->start > covered ? view->start : covered;

		for (;;) {
			target_addr stop = view->end;

			for (; u < upper_count && upper[u].start <= at; u++) {
				out[count++] = upper[u];
				covered = upper[u].end;
				if (covered > at)
					at = covered;
			}
			if (at >= view->end)
				break;
			if (u < upper_count && upper[u].start < stop)
				stop = upper[u].start;
			out[count++] = slice(view, at, stop);
			at = stop;
		}
	}
	while (u < upper_count)
		out[count++] = upper[u++];
	return count;
}

/*
 * A merge sort whose merge is `overlay`: earlier ranges hide later ones. `out` and `scratch` have
 * room for 2 * count each, for count ranges have 2 * count ends and so at most as many pieces.
 */
static size_t resolve(const struct image_view *in, size_t count, struct image_view *out,
	struct image_view *scratch)
{
	size_t half = count / 2, upper, lower;

	if (count <= 1) {
		if (count)
			*out = *in;
		return count;
	}
	upper = resolve(in, half, scratch, out);
	lower = resolve(in + half, count - half, scratch + 2 * half, out + 2 * half);
	return overlay(scratch, upper, scratch + 2 * half, lower, out);
}

static bool is_continued(const struct image_view *a, const struct image_view *b)
{
	return a->end == b->start && a->bytes + (a->end - a->start) == b->bytes &&
	       a->is_writable == b->is_writable && a->is_core == b->is_core;
}

/* Neighbours in memory that are neighbours in the file too become one range. May work in place. */
static size_t join(const struct image_view *in, size_t count, struct image_view *out)
{
	size_t joined = 0;

	for (size_t i = 0; i < count; i++) {
		if (joined && is_continued(&out[joined - 1], &in[i]))
			out[joined - 1].end = in[i].end;
		else
			out[joined++] = in[i];
	}
	return joined;
}

static bool is_sorted(const struct image *image)
{
	for (size_t i = 1; i < image->count; i++)
		if (image->ranges[i].start < image->ranges[i - 1].end)
			return false;
	return true;
}

enum cs_status image_seal(struct image *image)
{
	struct image_view *pieces, *ranges;
	size_t count;

	// The kernel writes segments in order of address, so a core as such needs no sorting.
	if (is_sorted(image)) {
		image->count = join(image->ranges, image->count, image->ranges);
		image->sealed = image->count;
		return CS_OK;
	}
	pieces = calloc(4 * image->count, sizeof(*pieces));
	if (!pieces)
		return CS_NO_MEMORY;
	count = resolve(image->ranges, image->count, pieces, pieces + 2 * image->count);
	count = join(pieces, count, pieces);
	ranges = arena_grow(image->arena, image->ranges, &image->capacity, count, sizeof(*ranges));
	if (ranges) {
		memcpy(ranges, pieces, count * sizeof(*pieces));
		image->ranges = ranges;
		image->count = image->sealed = count;
	}
	free(pieces);
	return ranges ? CS_OK : CS_NO_MEMORY;
}

const struct image_notes *image_notes(const struct image *image)
{
	return &image->notes;
}

struct image_notes *image_edit_notes(struct image *image)
{
	return &image->notes;
}

enum image_arch image_arch(const struct image *image)
{
	return image->arch;
}

uint64_t image_file_size(const struct image *image)
{
	return image->file_size;
}

uint64_t image_expected_size(const struct image *image)
{
	return image->expected_size;
}

bool image_is_torn(const struct image *image)
{
	return mapping_is_torn(&image->file);
}

/* The range that holds `address`, or NULL. The search halves without a branch to mispredict. */
static const struct image_view *find(const struct image *image, target_addr address)
{
	const struct image_view *at = image->ranges;
	size_t count = image->sealed;

	if (!count)
		return NULL;
	while (count > 1) {
		size_t half = count / 2;

		at = at[half].start <= address ? at + half : at;
		count -= half;
	}
	return address >= at->start && address < at->end ? at : NULL;
}

/* A read that goes on in the next range, or ends in a hole. `at` holds `address`. */
static enum cs_status read_across(const struct image *image, const struct image_view *at,
	target_addr address, void *ret, size_t size)
{
	const struct image_view *last = at, *end = image->ranges + image->sealed;
	uint8_t *to = ret;

	while (last->end - address < size) {
		if (last + 1 == end || last[1].start != last->end)
			return CS_FAULT;
		last++;
	}
	for (; size; at++) {
		size_t part = at->end - address < size ? at->end - address : size;

		memcpy(to, at->bytes + (address - at->start), part);
		to += part;
		address += part;
		size -= part;
	}
	return CS_OK;
}

/* Inlined for the sake of callers with a constant size: a load instead of a call of memcpy. */
__attribute__((always_inline)) static inline enum cs_status read_bytes(
	const struct image *image, target_addr address, void *ret, size_t size)
{
	const struct image_view *at;

	if (!size)
		return CS_OK;
	at = find(image, address);
	if (!at)
		return CS_FAULT;
	if (at->end - address < size)
		return read_across(image, at, address, ret, size);
	memcpy(ret, at->bytes + (address - at->start), size);
	return CS_OK;
}

enum cs_status image_read(const struct image *image, target_addr address, void *ret, size_t size)
{
	return read_bytes(image, address, ret, size);
}

enum cs_status image_read_u8(const struct image *image, target_addr address, uint8_t *ret)
{
	return read_bytes(image, address, ret, sizeof(*ret));
}

enum cs_status image_read_u32(const struct image *image, target_addr address, uint32_t *ret)
{
	return read_bytes(image, address, ret, sizeof(*ret));
}

enum cs_status image_read_u64(const struct image *image, target_addr address, uint64_t *ret)
{
	return read_bytes(image, address, ret, sizeof(*ret));
}

bool image_find(const struct image *image, target_addr address, struct image_view *ret)
{
	const struct image_view *at = find(image, address);

	if (at)
		*ret = *at;
	return at;
}

const void *image_view_bytes(const struct image *image, target_addr address, size_t size)
{
	const struct image_view *at = find(image, address);

	if (!at || at->end - address < size)
		return NULL;
	return at->bytes + (address - at->start);
}

bool image_view_at(const struct image *image, size_t index, struct image_view *ret)
{
	if (index >= image->sealed)
		return false;
	*ret = image->ranges[index];
	return true;
}
