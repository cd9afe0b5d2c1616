// The build ids that name an executable whatever its file is called: Go's own from .note.go.buildid
// (cmd/internal/buildid) and the linker's from .note.gnu.build-id.
#include "analyzer/binary/binary_internal.h"
#include "common/cursor.h"
#include "common/limits.h"

#include <elf.h>
#include <string.h>

#define NT_GO_BUILD_ID 4

static enum cs_status keep_go_id(struct binary *binary, const uint8_t *bytes, size_t size)
{
	if (binary->info.go_build_id || !size || size > MAX_BUILD_ID_LENGTH)
		return CS_OK;
	binary->info.go_build_id =
		arena_copy(binary->arena, bytes, strnlen((const char *)bytes, size));
	return binary->info.go_build_id ? CS_OK : CS_NO_MEMORY;
}

static enum cs_status keep_gnu_id(struct binary *binary, const uint8_t *bytes, size_t size)
{
	char *text;

	if (binary->info.gnu_build_id || !size || size > MAX_BUILD_ID_LENGTH)
		return CS_OK;
	text = arena_alloc(binary->arena, size * 2 + 1);
	if (!text)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < size; i++) {
		text[i * 2] = "0123456789abcdef"[bytes[i] >> 4];
		text[i * 2 + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	binary->info.gnu_build_id = text;
	return CS_OK;
}

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* Names end in one NUL or, as Go writes its own, in as many as fill the word. */
static bool is_name(const uint8_t *name, size_t size, const char *wanted)
{
	while (size && !name[size - 1])
		size--;
	return size == strlen(wanted) && !memcmp(name, wanted, size);
}

/* One run of notes: {name size, description size, type} u32, name, description, each padded to 4.
 */
static enum cs_status read_notes(struct binary *binary, const struct binary_bytes *notes)
{
	struct cursor c = cursor_over(notes->bytes, notes->size);
	enum cs_status status = CS_OK;

	while (!status && cursor_left(&c) >= 12) {
		size_t name_size = cursor_u32(&c), size = cursor_u32(&c);
		uint32_t type = cursor_u32(&c);
		const uint8_t *name = cursor_take(&c, padded(name_size));
		const uint8_t *bytes = cursor_take(&c, size);

		if (!name || !bytes)
			break;
		if (type == NT_GO_BUILD_ID && is_name(name, name_size, "Go"))
			status = keep_go_id(binary, bytes, size);
		else if (type == NT_GNU_BUILD_ID && is_name(name, name_size, "GNU"))
			status = keep_gnu_id(binary, bytes, size);
		cursor_take(&c, padded(size) - size); // may lack behind the last one
	}
	return status;
}

enum cs_status build_id_read_sections(struct binary *binary)
{
	static const char *const sections[] = {".note.go.buildid", ".note.gnu.build-id"};
	enum cs_status status = CS_OK;
	struct binary_bytes notes;

	for (size_t i = 0; !status && i < sizeof(sections) / sizeof(sections[0]); i++)
		if (binary_section_bytes(binary, sections[i], &notes))
			status = read_notes(binary, &notes);
	return status;
}

enum cs_status build_id_read(struct binary *binary)
{
	enum cs_status status = CS_OK;
	struct binary_bytes notes;
	uint32_t flags;

	for (size_t i = 0; !status && i < binary->segment_count; i++)
		if (binary_segment_bytes(binary, i, PT_NOTE, &notes, &flags))
			status = read_notes(binary, &notes);
	return status ? status : build_id_read_sections(binary);
}
