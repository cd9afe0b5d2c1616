#include "server/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024
#define NS_PER_S 1000000000ull

void text_init(struct text *t, size_t max)
{
	*t = (struct text){.max = max};
}

void text_deinit(struct text *t)
{
	free(t->bytes);
	t->bytes = NULL;
}

/** Makes room for `size` more bytes and a NUL. */
static bool reserve(struct text *t, size_t size)
{
	size_t capacity = t->capacity ? t->capacity : FIRST_CAPACITY;
	char *grown;

	if (t->failed || size > t->max - t->used) {
		t->failed = true;
		return false;
	}
	if (t->used + size < t->capacity)
		return true;
	while (capacity <= t->used + size)
		capacity *= 2;
	grown = realloc(t->bytes, capacity);
	if (!grown) {
		t->failed = true;
		return false;
	}
	t->bytes = grown;
	t->capacity = capacity;
	return true;
}

void text_add_sized(struct text *t, const char *bytes, size_t size)
{
	if (!reserve(t, size))
		return;
	memcpy(t->bytes + t->used, bytes, size);
	t->used += size;
	t->bytes[t->used] = 0;
}

void text_add(struct text *t, const char *string)
{
	text_add_sized(t, string, strlen(string));
}

void text_format(struct text *t, const char *format, ...)
{
	va_list list;
	char *line;
	int size;

	va_start(list, format);
	size = vasprintf(&line, format, list);
	va_end(list);
	if (size < 0) {
		t->failed = true;
		return;
	}
	text_add_sized(t, line, (size_t)size);
	free(line);
}

static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\n':
	case '\t':
		return NULL;
	default:
		return c < 0x20 || c == 0x7f ? "\xef\xbf\xbd" : NULL;
	}
}

/** U+200E..F, U+202A..E and U+2066..9: marks that let text pose as other text. */
static bool is_direction_mark(const unsigned char *s, size_t left)
{
	if (left < 3 || s[0] != 0xe2)
		return false;
	if (s[1] == 0x80)
		return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae);
	return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

void text_html_sized(struct text *t, const char *bytes, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t plain = 0;

	for (size_t i = 0; i < size; i++) {
		bool is_mark = is_direction_mark(s + i, size - i);
		const char *other = is_mark ? "\xef\xbf\xbd" : entity(s[i]);

		if (!other)
			continue;
		text_add_sized(t, bytes + plain, i - plain);
		text_add(t, other);
		if (is_mark)
			i += 2;
		plain = i + 1;
	}
	text_add_sized(t, bytes + plain, size - plain);
}

void text_html(struct text *t, const char *string)
{
	text_html_sized(t, string, strlen(string));
}

void text_line(struct text *t, const char *bytes, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;

	for (size_t i = 0; i < size; i++) {
		// C1 controls are c2 80..9f in UTF-8; terminals obey them too.
		bool is_c1 = s[i] == 0xc2 && i + 1 < size && s[i + 1] < 0xa0;
		bool is_control = s[i] < 0x20 || s[i] == 0x7f || is_c1;

		text_add_sized(t, is_control ? "?" : bytes + i, 1);
		i += is_c1;
	}
}

void text_url(struct text *t, const char *string)
{
	for (const unsigned char *s = (const unsigned char *)string; *s; s++) {
		bool is_word = (*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') ||
			       (*s >= 'a' && *s <= 'z') || strchr("-._~/,", *s);

		if (is_word)
			text_add_sized(t, (const char *)s, 1);
		else
			text_format(t, "%%%02X", *s);
	}
}

void text_duration(struct text *t, unsigned long long ns)
{
	unsigned long long s = ns / NS_PER_S;

	if (ns < 1000)
		text_format(t, "%lluns", ns);
	else if (ns < 1000000)
		text_format(t, "%.1f\xc2\xb5s", (double)ns / 1e3);
	else if (ns < NS_PER_S)
		text_format(t, "%.1fms", (double)ns / 1e6);
	else if (s < 60)
		text_format(t, "%.1fs", (double)ns / 1e9);
	else if (s < 3600)
		text_format(t, "%llum %llus", s / 60, s % 60);
	else if (s < 86400)
		text_format(t, "%lluh %llum", s / 3600, s / 60 % 60);
	else
		text_format(t, "%llud %lluh", s / 86400, s / 3600 % 24);
}
