// Large numbers, buffers, system errors, types that are values.
#include "analyzer/values/natural_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS 48               // of a number that is still written out: fewer than 1000 digits
#define CHUNK UINT64_C(1000000000) // digits are made nine at a time
#define CHUNK_DIGITS 9
#define MAX_JOINED 64

/** Divides `words` by CHUNK in place, and returns the remainder. */
static uint64_t divide(uint64_t *words, size_t count)
{
	unsigned __int128 rest = 0;

	for (size_t i = count; i-- > 0;) {
		rest = rest << 64 | words[i];
		words[i] = (uint64_t)(rest / CHUNK);
		rest %= CHUNK;
	}
	return (uint64_t)rest;
}

/** A math/big nat at `path`: little-endian words. */
static bool put_natural(struct natural *n, struct type *type, const struct place *place,
	const char *path, const char *if_empty)
{
	char text[MAX_WORDS * 20 + CHUNK_DIGITS + 1];
	char *at = text + sizeof(text);
	uint64_t words[MAX_WORDS], count;
	target_addr data;

	if (!natural_header(n, type, place, path, &data, &count) || count > MAX_WORDS ||
		(count && image_read(n->reader->rt->image, data, words, 8 * count) != CS_OK))
		return false;
	if (!count)
		return natural_puts(n, if_empty);
	while (count) {
		uint64_t chunk = divide(words, count);

		while (count && !words[count - 1])
			count--;
		for (int i = 0; i < CHUNK_DIGITS && (count || chunk); i++) {
			*--at = (char)('0' + chunk % 10);
			chunk /= 10;
		}
	}
	if (at == text + sizeof(text)) // words that are all zero: no such nat is made
		return false;
	return natural_put(n, at, (size_t)(text + sizeof(text) - at));
}

bool natural_integer(struct natural *n, struct type *type, const struct place *place)
{
	int64_t is_negative;

	return natural_number(n, type, place, "neg", &is_negative) &&
	       natural_puts(n, is_negative ? "-" : "") && put_natural(n, type, place, "abs", "0");
}

bool natural_ratio(struct natural *n, struct type *type, const struct place *place)
{
	int64_t is_negative;

	return natural_number(n, type, place, "a.neg", &is_negative) &&
	       natural_puts(n, is_negative ? "-" : "") &&
	       put_natural(n, type, place, "a.abs", "0") && natural_puts(n, "/") &&
	       put_natural(n, type, place, "b.abs", "1");
}

/** Text that is no longer than the caller wants to see of any. */
static bool put_content(struct natural *n, const uint8_t *bytes, size_t size)
{
	return size <= n->reader->limits->max_string && natural_put(n, (const char *)bytes, size);
}

bool natural_buffer(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	int64_t offset;
	size_t size;

	return natural_bytes(n, type, place, "buf", &bytes, &size) &&
	       natural_number(n, type, place, "off", &offset) && offset >= 0 &&
	       (uint64_t)offset <= size && put_content(n, bytes + offset, size - (uint64_t)offset);
}

bool natural_builder(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	size_t size;

	return natural_bytes(n, type, place, "buf", &bytes, &size) && put_content(n, bytes, size);
}

bool natural_raw(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	size_t size;

	return natural_bytes(n, type, place, "", &bytes, &size) && put_content(n, bytes, size);
}

/** A reflect.rtype is the descriptor itself. */
bool natural_type_name(struct natural *n, struct type *type, const struct place *place)
{
	struct type *described = types_at(n->reader->types, place->address);

	(void)type;
	return described && described->name && natural_puts(n, described->name);
}

/** syscall/zerrors_linux_*.go: the system's own texts with a small first letter. */
bool natural_errno(struct natural *n, struct type *type, const struct place *place)
{
	const char *text;
	char first[2] = {0};
	int64_t number;

	if (!natural_number(n, type, place, "", &number) || number <= 0 || number > 133)
		return false;
	text = strerrordesc_np((int)number);
	if (!text || !text[0])
		return false;
	first[0] = text[0];
	if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
		first[0] = (char)(text[0] - 'A' + 'a');
	return natural_puts(n, first) && natural_puts(n, text + 1);
}

/** errors.joinError: the texts of all errors, a line each. */
bool natural_joined(struct natural *n, struct type *type, const struct place *place)
{
	struct type *list, *error;
	struct place at;
	target_addr data;
	uint64_t count;

	if (!natural_find(n, type, place, "errs", &list, &at) || list->kind != GO_SLICE ||
		!type_load(list->element) || list->element->kind != GO_INTERFACE ||
		!natural_header(n, list, &at, "", &data, &count) || count > MAX_JOINED)
		return false;
	error = list->element;
	for (uint64_t i = 0; i < count; i++) {
		at = place_at(data + i * error->size, true);
		if ((i && !natural_puts(n, "\n")) || !natural_append(n, error, &at, ""))
			return false;
	}
	return true;
}

/** io/fs FileMode.String. */
bool natural_mode(struct natural *n, struct type *type, const struct place *place)
{
	static const char types[] = "dalTLDpSugct?", rights[] = "rwxrwxrwx";
	size_t before = n->used;
	int64_t mode;

	if (!natural_number(n, type, place, "", &mode))
		return false;
	for (size_t i = 0; types[i]; i++)
		if (mode >> (31 - i) & 1 && !natural_put(n, &types[i], 1))
			return false;
	if (n->used == before && !natural_puts(n, "-"))
		return false;
	for (size_t i = 0; rights[i]; i++)
		if (!natural_put(n, mode >> (8 - i) & 1 ? &rights[i] : "-", 1))
			return false;
	return true;
}

/** syscall/zerrors_linux_*.go: the same on every architecture that is read here. */
bool natural_signal(struct natural *n, struct type *type, const struct place *place)
{
	static const char *const names[] = {NULL, "hangup", "interrupt", "quit",
		"illegal instruction", "trace/breakpoint trap", "aborted", "bus error",
		"floating point exception", "killed", "user defined signal 1", "segmentation fault",
		"user defined signal 2", "broken pipe", "alarm clock", "terminated"};
	int64_t number;

	if (!natural_number(n, type, place, "", &number))
		return false;
	if (number > 0 && number < (int64_t)(sizeof(names) / sizeof(names[0])))
		return natural_puts(n, names[number]);
	return natural_format(n, "signal %" PRId64, number);
}

/** net.DNSError: "lookup host on server: why". */
bool natural_lookup_error(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *server;
	size_t size;

	return natural_puts(n, "lookup ") && natural_append(n, type, place, "Name") &&
	       natural_bytes(n, type, place, "Server", &server, &size) &&
	       (!size || (natural_puts(n, " on ") && natural_put(n, (const char *)server, size))) &&
	       natural_puts(n, ": ") && natural_append(n, type, place, "Err");
}
