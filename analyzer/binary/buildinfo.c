// Go's build information: which release built the program, from which modules, with which settings.
// debug/buildinfo (go1.18 to go1.27) reads the same bytes:
//
//	"\xff Go buildinf:" pointer-size flags | 16 bytes | varint size, version | varint size,
// modules
//
// The modules text stands between two 16-byte marks and has one tab-separated line a fact:
// "path", "mod", "dep", "=>" (replaces the module above it), "build" KEY=VALUE, values quoted as Go
// strings when they need it (runtime/debug/mod.go). Before Go 1.18 the strings were pointers: of
// those only the version is read.
#include "analyzer/binary/binary_internal.h"
#include "common/checked.h"
#include "common/cursor.h"
#include "common/limits.h"

#include <elf.h>
#include <string.h>

#define MAGIC "\xff Go buildinf:"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)
#define HEADER_SIZE 32
#define FLAGS_OFFSET 15
#define FLAG_INLINE 2
#define FLAG_BIG_ENDIAN 1
#define POINTER_SIZE_OFFSET 14
#define VERSION_POINTER_OFFSET 16 // before Go 1.18: to a string's header
#define MAX_OLD_VERSION 64
#define ALIGNMENT 16
#define FRAME_SIZE 16 // of the marks around the modules text

/* A piece of the modules text. */
struct text {
	const char *at;
	size_t size;
};

/* Where the lines are collected; capacities for arena_grow. */
struct lines {
	struct binary *binary;
	size_t setting_capacity, module_capacity;
	bool is_module; // the newest module line may be replaced by "=>"
};

static bool find_magic(const struct binary_bytes *in, struct cursor *ret)
{
	const uint8_t *at = in->bytes, *end = in->bytes + in->size;

	while ((at = memmem(at, (size_t)(end - at), MAGIC, MAGIC_SIZE))) {
		if ((in->address + (size_t)(at - in->bytes)) % ALIGNMENT == 0 &&
			(size_t)(end - at) >= HEADER_SIZE) {
			*ret = cursor_over(at, (size_t)(end - at));
			return true;
		}
		at++;
	}
	return false;
}

/* By section, then in the first writable segments, as the linker puts it there. */
static bool find_blob(const struct binary *binary, struct cursor *ret)
{
	struct binary_bytes in;
	uint32_t flags;

	if (binary_section_bytes(binary, ".go.buildinfo", &in) && find_magic(&in, ret))
		return true;
	for (size_t i = 0; i < binary->segment_count; i++)
		if (binary_segment_bytes(binary, i, PT_LOAD, &in, &flags) && (flags & PF_W) &&
			find_magic(&in, ret))
			return true;
	return false;
}

static struct text take_string(struct cursor *c)
{
	uint64_t size = cursor_uleb(c);
	const uint8_t *at = cursor_take(c, size);

	return (struct text){(const char *)at, at ? size : 0};
}

/* Cuts the text up to `separator` off `rest`; all of it where there is none. */
static struct text cut(struct text *rest, char separator)
{
	const char *found = rest->size ? memchr(rest->at, separator, rest->size) : NULL;
	struct text head = {rest->at, found ? (size_t)(found - rest->at) : rest->size};
	size_t used = head.size + (found ? 1 : 0);

	*rest = (struct text){rest->size ? rest->at + used : rest->at, rest->size - used};
	return head;
}

static bool is_text(struct text text, const char *wanted)
{
	return text.size == strlen(wanted) && !memcmp(text.at, wanted, text.size);
}

/* The character behind a backslash in Go's quoted form, as far as it stays one byte. */
static char unescaped(char letter)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	const char *found = letter ? strchr(from, letter) : NULL;

	return found ? to[found - from] : letter;
}

/* A copy without Go's quotes: "a\tb" between double quotes, raw between back quotes. */
static const char *copy_text(struct arena *arena, struct text text)
{
	char *copy = arena_copy(arena, text.at, text.size), *to = copy;
	bool is_quoted = text.size >= 2 && text.at[0] == text.at[text.size - 1];

	if (!copy || !is_quoted || (text.at[0] != '"' && text.at[0] != '`'))
		return copy;
	for (size_t i = 1; i + 1 < text.size; i++) {
		bool is_escape = text.at[0] == '"' && text.at[i] == '\\' && i + 2 < text.size;

		*to++ = is_escape ? unescaped(text.at[++i]) : text.at[i];
	}
	*to = 0;
	return copy;
}

static enum cs_status copy_pair(
	struct arena *arena, struct text name, struct text value, struct name_value *ret)
{
	struct name_value pair = {copy_text(arena, name), copy_text(arena, value)};

	if (!pair.name || !pair.value)
		return CS_NO_MEMORY;
	*ret = pair;
	return CS_OK;
}

static enum cs_status add_setting(struct lines *lines, struct text line)
{
	struct binary_info *info = &lines->binary->info;
	struct arena *arena = lines->binary->arena;
	struct text key = {line.at, 0};

	if (info->setting_count >= MAX_BUILD_SETTINGS || !line.size)
		return CS_OK;
	if (line.at[0] == '"' || line.at[0] == '`') { // a quoted key ends at its closing quote
		const char *end = memchr(line.at + 1, line.at[0], line.size - 1);

		key.size = end ? (size_t)(end + 1 - line.at) : line.size;
		line = (struct text){line.at + key.size, line.size - key.size};
		cut(&line, '=');
	} else {
		key = cut(&line, '=');
	}
	info->settings = arena_grow(arena, info->settings, &lines->setting_capacity,
		info->setting_count + 1, sizeof(*info->settings));
	if (!info->settings)
		return CS_NO_MEMORY;
	return copy_pair(arena, key, line, &info->settings[info->setting_count++]);
}

static enum cs_status add_module(struct lines *lines, struct text line, bool is_main)
{
	struct binary_info *info = &lines->binary->info;
	struct text path = cut(&line, '\t'), version = cut(&line, '\t');
	struct name_value *row;
	enum cs_status status;

	lines->is_module = info->module_count < MAX_MODULES;
	if (!lines->is_module)
		return CS_OK;
	info->modules = arena_grow(lines->binary->arena, info->modules, &lines->module_capacity,
		info->module_count + 1, sizeof(*info->modules));
	if (!info->modules)
		return CS_NO_MEMORY;
	row = &info->modules[info->module_count++];
	status = copy_pair(lines->binary->arena, path, version, row);
	if (!status && is_main) {
		info->main_module = row->name;
		info->main_version = *row->value ? row->value : NULL;
	}
	return status;
}

/* "=> path version sum": what was built in place of the module above. */
static enum cs_status replace_module(struct lines *lines, struct text line)
{
	struct binary_info *info = &lines->binary->info;
	struct text path = cut(&line, '\t'), version = cut(&line, '\t');

	if (!lines->is_module)
		return CS_OK;
	lines->is_module = false;
	return copy_pair(
		lines->binary->arena, path, version, &info->modules[info->module_count - 1]);
}

static enum cs_status read_line(struct lines *lines, struct text line)
{
	struct text kind = cut(&line, '\t');

	if (is_text(kind, "path")) {
		lines->binary->info.main_path = copy_text(lines->binary->arena, line);
		return lines->binary->info.main_path ? CS_OK : CS_NO_MEMORY;
	}
	if (is_text(kind, "mod") || is_text(kind, "dep"))
		return add_module(lines, line, is_text(kind, "mod"));
	if (is_text(kind, "=>"))
		return replace_module(lines, line);
	if (is_text(kind, "build"))
		return add_setting(lines, line);
	return CS_OK;
}

static const char *setting(const struct binary_info *info, const char *name)
{
	for (size_t i = 0; i < info->setting_count; i++)
		if (!strcmp(info->settings[i].name, name))
			return info->settings[i].value;
	return NULL;
}

/* The marks are there when the text ends "\n" + mark, as debug/buildinfo checks. */
static struct text without_frame(struct text modules)
{
	if (modules.size <= 2 * FRAME_SIZE || modules.at[modules.size - FRAME_SIZE - 1] != '\n')
		return (struct text){modules.at, 0};
	return (struct text){modules.at + FRAME_SIZE, modules.size - 2 * FRAME_SIZE};
}

static enum cs_status read_blob(struct binary *binary, struct cursor c)
{
	struct binary_info *info = &binary->info;
	struct lines lines = {.binary = binary};
	enum cs_status status = CS_OK;
	struct text version, modules;

	if (!(c.bytes[FLAGS_OFFSET] & FLAG_INLINE))
		return CS_UNSUPPORTED;
	cursor_seek(&c, HEADER_SIZE);
	version = take_string(&c);
	if (!version.size)
		return CS_CORRUPT;
	info->go_version = arena_copy(binary->arena, version.at, version.size);
	if (!info->go_version)
		return CS_NO_MEMORY;
	modules = without_frame(take_string(&c));
	while (!status && modules.size)
		status = read_line(&lines, cut(&modules, '\n'));
	info->goos = setting(info, "GOOS");
	info->goarch = setting(info, "GOARCH");
	return status;
}

/* `size` bytes of the file at the linked address; NULL where no segment has them. */
static const uint8_t *bytes_at(const struct binary *binary, uint64_t address, uint64_t size)
{
	struct binary_bytes in;
	uint32_t flags;

	for (size_t i = 0; i < binary->segment_count; i++)
		if (binary_segment_bytes(binary, i, PT_LOAD, &in, &flags) &&
			address >= in.address && checked_range(address - in.address, size, in.size))
			return in.bytes + (address - in.address);
	return NULL;
}

/*
 * Go 1.13 to 1.17: the blob points to runtime.buildVersion, a string's header. Of a PIE the
 * pointers are the loader's affair, and nothing is found.
 */
static enum cs_status read_old_version(struct binary *binary, const struct cursor *c)
{
	uint64_t header[2], pointer;
	const uint8_t *at;

	if (c->bytes[POINTER_SIZE_OFFSET] != sizeof(pointer) ||
		(c->bytes[FLAGS_OFFSET] & FLAG_BIG_ENDIAN))
		return CS_UNSUPPORTED;
	memcpy(&pointer, c->bytes + VERSION_POINTER_OFFSET, sizeof(pointer));
	at = bytes_at(binary, pointer, sizeof(header));
	if (!at)
		return CS_UNSUPPORTED;
	memcpy(header, at, sizeof(header));
	at = header[1] <= MAX_OLD_VERSION ? bytes_at(binary, header[0], header[1]) : NULL;
	if (at && header[1])
		binary->info.go_version = arena_copy(binary->arena, at, header[1]);
	return CS_UNSUPPORTED;
}

enum cs_status buildinfo_read(struct binary *binary)
{
	enum cs_status status;
	struct cursor c;

	if (!find_blob(binary, &c))
		return CS_NOT_FOUND;
	status = read_blob(binary, c);
	return status == CS_UNSUPPORTED ? read_old_version(binary, &c) : status;
}

enum cs_status buildinfo_read_from(struct binary *binary, const struct binary_bytes *in)
{
	struct cursor c;

	return find_magic(in, &c) ? read_blob(binary, c) : CS_NOT_FOUND;
}
