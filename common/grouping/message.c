// A message without what differs from crash to crash. What the runtime says in other words in other
// releases is a table.
#include "common/grouping/grouping.h"
#include "common/limits.h"
#include "common/utf8.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// 8-4-4-4-12 hex digits.
static bool is_uuid(const char *text, size_t size)
{
	static const char dashes[] = {8, 13, 18, 23};

	if (size < 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (memchr(dashes, (int)i, sizeof(dashes)) ? text[i] != '-' : !is_hex(text[i]))
			return false;
	return size == 36 || !is_word(text[36]);
}

// A hex string of eight digits or more, one of them decimal: a hash, an id.
static size_t hex_run(const char *text, size_t size)
{
	size_t n = 0;
	bool has_digit = false;

	while (n < size && is_hex(text[n]))
		has_digit |= is_digit(text[n++]);
	return n >= 8 && has_digit && (n == size || !is_word(text[n])) ? n : 0;
}

static size_t quoted(const char *text, size_t size)
{
	for (size_t n = 1; n < size; n++) {
		if (text[n] == '\\' && text[0] != '`')
			n++;
		else if (text[n] == text[0])
			return text[0] == '\'' && n + 1 < size && is_word(text[n + 1]) ? 0 : n + 1;
	}
	return 0;
}

static size_t digits(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size &&
		(is_digit(text[n]) || (text[n] == '.' && n + 1 < size && is_digit(text[n + 1]))))
		n++;
	return n;
}

// A number with its fractions and units: 3, 10.0.0.1, 1.5ms, 5m3s, 0x1f.
static size_t number(const char *text, size_t size)
{
	static const char units[] = "nµumsh";
	size_t n = 0, after;

	if (size > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' && is_hex(text[2])) {
		for (n = 2; n < size && is_hex(text[n]);)
			n++;
		return n;
	}
	n = digits(text, size);
	for (after = n; after < size && (is_digit(text[after]) || strchr(units, text[after]));)
		after += is_digit(text[after]) ? digits(text + after, size - after) : 1;
	return after == size || !is_word(text[after]) ? after : n;
}

// An absolute path, as of a file or an URL: "/var/lib/app/7.db".
static size_t path(const char *text, size_t size)
{
	size_t n = 1;

	if (size < 2 || text[0] != '/' || (!is_word(text[1]) && !strchr("./-", text[1])))
		return 0;
	while (n < size && (unsigned char)text[n] > ' ' && !strchr(":;,\"'`()[]{}<>", text[n]))
		n++;
	return n;
}

// A byte that is not UTF-8, as itself or as a snapshot writes it: "\xff".
static size_t not_text(const char *text, size_t size)
{
	if (*text != '\\')
		return !utf8_length(text, size);
	return size >= 4 && text[1] == 'x' && is_hex(text[2]) && is_hex(text[3]) ? 4 : 0;
}

// The bytes at `text` that differ from crash to crash; 0: none here.
static size_t variable(const char *text, size_t size, bool starts_word)
{
	size_t n = 0;

	if (starts_word && is_uuid(text, size))
		return 36;
	if ((unsigned char)*text >= 0x80 || *text == '\\')
		return not_text(text, size);
	if (*text == '"' || *text == '`' || (*text == '\'' && starts_word))
		return quoted(text, size);
	if (starts_word && *text == '/')
		return path(text, size);
	if (starts_word && is_hex(*text))
		n = hex_run(text, size);
	if (!n && is_digit(*text))
		n = number(text, size);
	return n;
}

char *grouping_normalise(struct arena *arena, const char *message)
{
	size_t size = strcspn(message, "\r\n"), used = 0;
	char *out;

	if (size > MAX_GROUPED_MESSAGE)
		size = MAX_GROUPED_MESSAGE;
	out = arena_alloc(arena, size + 1);
	for (size_t i = 0; out && i < size;) {
		size_t n = variable(message + i, size - i, i == 0 || !is_word(message[i - 1]));

		if (n) {
			out[used++] = '*';
			i += n;
			continue;
		}
		// A character as a whole: its second byte alone is none.
		n = utf8_length(message + i, size - i);
		memcpy(out + used, message + i, n);
		used += n;
		i += n;
	}
	return out;
}

const char *grouping_reword(const char *normalised)
{
	static const struct {
		const char *old, *now;
	} rows[] = {
#define MESSAGE(old, now, releases) {old, now},
#include "common/grouping/tables.def"
#undef MESSAGE
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (!strcmp(normalised, rows[i].old))
			return rows[i].now;
	return normalised;
}
