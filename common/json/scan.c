#include "common/json/scan.h"

#include "common/limits.h"
#include "common/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

bool scan_fail(struct json_scan *s, const char *fault)
{
	if (!s->fault)
		s->fault = fault;
	return false;
}

void scan_space(struct json_scan *s)
{
	while (s->at < s->end &&
		(*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

bool scan_is_byte(struct json_scan *s, char c)
{
	if (s->at < s->end && *s->at <= ' ')
		scan_space(s);
	if (s->at == s->end || *s->at != (unsigned char)c)
		return false;
	s->at++;
	return true;
}

bool scan_byte(struct json_scan *s, char c)
{
	if (scan_is_byte(s, c))
		return true;
	if (s->at == s->end)
		return scan_fail(s, "the document ends in the middle");
	return scan_fail(s, "a bracket, comma or colon is missing");
}

/** Whether any byte of `word` is a quote, a backslash, a control or not ASCII. */
static bool has_special(uint64_t word)
{
	uint64_t quote = word ^ (ONES * '"');
	uint64_t slash = word ^ (ONES * '\\');
	uint64_t found = (word - ONES * 0x20) | (quote - ONES) | (slash - ONES) | word;

	return found & HIGHS; // borrows may find one too many, never one too few
}

static void skip_plain(struct json_scan *s)
{
	const unsigned char *at = s->at;

	while (s->end - at >= 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		if (has_special(word))
			break;
		at += 8;
	}
	while (at < s->end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
		at++;
	s->at = at;
}

static bool skip_utf8(struct json_scan *s)
{
	size_t length = utf8_length((const char *)s->at, (size_t)(s->end - s->at));

	s->at += length;
	return length || scan_fail(s, "a string is not UTF-8");
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** The four digits of a \u escape, of which `s` stands on the backslash. */
static bool take_unit(struct json_scan *s, unsigned int *ret)
{
	unsigned int unit = 0;

	if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u')
		return scan_fail(s, "a string has a broken escape");
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(s->at[i]);

		if (digit < 0)
			return scan_fail(s, "a string has a broken escape");
		unit = unit << 4 | (unsigned int)digit;
	}
	s->at += 6;
	*ret = unit;
	return true;
}

static bool skip_escape(struct json_scan *s, bool is_key)
{
	unsigned int unit, low;

	if (s->end - s->at < 2)
		return scan_fail(s, "the document ends in the middle");
	if (s->at[1] != 'u') {
		if (!s->at[1] || !strchr("\"\\/bfnrt", s->at[1]))
			return scan_fail(s, "a string has a broken escape");
		s->at += 2;
		return true;
	}
	if (!take_unit(s, &unit))
		return false;
	if (unit == 0 && is_key)
		return scan_fail(s, "a key holds a NUL");
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit > 0xdbff || !take_unit(s, &low) || low < 0xdc00 || low > 0xdfff)
		return scan_fail(s, "a string has half a surrogate pair");
	return true;
}

bool scan_string(struct json_scan *s, bool is_key)
{
	s->at++;
	for (;;) {
		bool ok;

		skip_plain(s);
		if (s->at == s->end)
			return scan_fail(s, "the document ends in the middle");
		if (*s->at == '"')
			break;
		if (*s->at == '\\')
			ok = skip_escape(s, is_key);
		else if (*s->at >= 0x80)
			ok = skip_utf8(s);
		else
			ok = scan_fail(s, "a string has a raw control character");
		if (!ok)
			return false;
	}
	s->at++;
	return true;
}

static bool skip_digits(struct json_scan *s)
{
	const unsigned char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start || scan_fail(s, "a number has no digits");
}

/** Whether the text of a number that may not fit its type does; jansson refuses it otherwise. */
static bool number_fits(struct json_scan *s, const unsigned char *start, bool is_real)
{
	size_t size = (size_t)(s->at - start);
	char text[MAX_JSON_NUMBER + 1];

	if (size <= 18 && !is_real)
		return true;
	if (size > MAX_JSON_NUMBER)
		return scan_fail(s, "a number is too long");
	memcpy(text, start, size);
	text[size] = 0;
	if (is_real)
		return isfinite(strtod(text, NULL)) || scan_fail(s, "a number is too large");
	// More than 20 characters never fit; up to there strtold is exact in its 64 bits.
	long double value = strtold(text, NULL);

	return (size <= 20 && value >= (long double)INT64_MIN && value <= (long double)INT64_MAX) ||
	       scan_fail(s, "a number is too large");
}

static bool skip_number(struct json_scan *s)
{
	const unsigned char *start = s->at;
	bool is_real = false;

	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!skip_digits(s))
		return false;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		is_real = true;
		if (!skip_digits(s))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		is_real = true;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (!skip_digits(s))
			return false;
	}
	return number_fits(s, start, is_real);
}

static bool skip_word(struct json_scan *s, const char *word, size_t size)
{
	if ((size_t)(s->end - s->at) < size || memcmp(s->at, word, size) != 0)
		return scan_fail(s, "a value is not JSON");
	s->at += size;
	return true;
}

static bool skip_array(struct json_scan *s, unsigned int depth)
{
	s->at++;
	if (scan_is_byte(s, ']'))
		return true;
	do {
		if (!scan_value(s, depth))
			return false;
	} while (scan_is_byte(s, ','));
	return scan_byte(s, ']');
}

static bool skip_object(struct json_scan *s, unsigned int depth)
{
	s->at++;
	if (scan_is_byte(s, '}'))
		return true;
	do {
		if (!scan_byte(s, '"'))
			return false;
		s->at--;
		if (!scan_string(s, true) || !scan_byte(s, ':') || !scan_value(s, depth))
			return false;
	} while (scan_is_byte(s, ','));
	return scan_byte(s, '}');
}

bool scan_value(struct json_scan *s, unsigned int depth)
{
	scan_space(s);
	if (s->at == s->end)
		return scan_fail(s, "the document ends in the middle");
	switch (*s->at) {
	case '"':
		return scan_string(s, false);
	case '{':
	case '[':
		if (depth >= MAX_JSON_DEPTH) {
			s->is_limit = true;
			return scan_fail(s, "the document is nested too deeply");
		}
		return *s->at == '{' ? skip_object(s, depth + 1) : skip_array(s, depth + 1);
	case 't':
		return skip_word(s, "true", 4);
	case 'f':
		return skip_word(s, "false", 5);
	case 'n':
		return skip_word(s, "null", 4);
	default:
		if (*s->at != '-' && (*s->at < '0' || *s->at > '9'))
			return scan_fail(s, "a value is not JSON");
		return skip_number(s);
	}
}
