#include "analyzer/emit/go_quote.h"

#include "common/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_ESCAPE 10 // "\U0010ffff"

static uint32_t decode(const char *text, size_t length)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t rune = (uint8_t)text[0] & masks[length];

	for (size_t i = 1; i < length; i++)
		rune = rune << 6 | ((uint8_t)text[i] & 0x3f);
	return rune;
}

/** What unicode.IsPrint refuses of what is in use: controls, formats, unusual blanks. */
static bool prints(uint32_t rune)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {{0, 0x1f}, {0x7f, 0xa0}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c},
		{0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x1680, 0x1680}, {0x180e, 0x180e},
		{0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
		{0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
		{0xfffe, 0xffff}, {0x1fffe, 0x1ffff}, {0xe0000, 0x10ffff}};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (rune >= hidden[i].first && rune <= hidden[i].last)
			return false;
	return true;
}

bool go_is_printable(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size;) {
		uint8_t byte = (uint8_t)bytes[i];
		size_t length;

		if ((byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t') {
			i++;
			continue;
		}
		length = byte < 0x80 ? 0 : utf8_length(bytes + i, size - i);
		if (!length || !prints(decode(bytes + i, length)))
			return false;
		i += length;
	}
	return true;
}

static const char *short_escape(char c)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"";
	static const char *const to[] = {
		"\\a", "\\b", "\\f", "\\n", "\\r", "\\t", "\\v", "\\\\", "\\\""};
	const char *found = c ? strchr(from, c) : NULL;

	return found ? to[found - from] : NULL;
}

/** Writes what stands for the first character of `bytes`, which takes `length`; 0: no UTF-8. */
static size_t escape(const char *bytes, size_t length, char *to)
{
	const char *known = short_escape(bytes[0]);
	uint32_t rune;

	if (known) {
		memcpy(to, known, 2);
		return 2;
	}
	if (!length)
		return (size_t)sprintf(to, "\\x%02x", (uint8_t)bytes[0]);
	rune = decode(bytes, length);
	if (prints(rune)) {
		memcpy(to, bytes, length);
		return length;
	}
	return (size_t)(rune < 0x80      ? sprintf(to, "\\x%02x", rune)
			: rune < 0x10000 ? sprintf(to, "\\u%04x", rune)
					 : sprintf(to, "\\U%08x", rune));
}

char *go_quote(struct arena *arena, const char *bytes, size_t size, size_t *size_ret)
{
	char *text =
		size < SIZE_MAX / 16 ? arena_alloc(arena, size * 4 + LONGEST_ESCAPE + 3) : NULL;
	size_t used = 0;

	if (!text)
		return NULL;
	text[used++] = '"';
	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(bytes + i, size - i);

		used += escape(bytes + i, length, text + used);
		i += length ? length : 1;
	}
	text[used++] = '"';
	*size_ret = used;
	return text;
}
