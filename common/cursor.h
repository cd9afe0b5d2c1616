// A bounds-checked reader over bytes that somebody else made. Once a read goes past the end the
// cursor is `bad` for good and every further read gives zero, so a parser checks once, at its end.
// Little-endian: amd64 and arm64 cores are.
#ifndef CORESNAP_COMMON_CURSOR_H
#define CORESNAP_COMMON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *bytes; // borrowed
	size_t size, offset;
	bool bad;
};

static inline struct cursor cursor_over(const void *bytes, size_t size)
{
	return (struct cursor){.bytes = bytes, .size = size};
}

/** `size` bytes at the cursor, which moves past them; NULL, and bad, where fewer are left. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t size)
{
	const uint8_t *at;

	if (c->bad || size > c->size - c->offset) {
		c->bad = true;
		return NULL;
	}
	at = c->bytes + c->offset;
	c->offset += size;
	return at;
}

/** Moves to `offset` from the start; bad where that is past the end. */
static inline void cursor_seek(struct cursor *c, size_t offset)
{
	if (offset > c->size)
		c->bad = true;
	else
		c->offset = offset;
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : c->size - c->offset;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 1);

	return at ? *at : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 2);
	uint16_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 4);
	uint32_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 8);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

/** An unsigned LEB128 number of at most 64 bits, as pclntab and buildinfo use; bad if longer. */
static inline uint64_t cursor_uleb(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	c->bad = true;
	return 0;
}

/** The NUL-terminated string at the cursor, which moves behind its NUL; NULL, and bad, if none. */
static inline const char *cursor_string(struct cursor *c)
{
	const uint8_t *at = c->bytes + c->offset;
	const uint8_t *end = c->bad ? NULL : memchr(at, 0, c->size - c->offset);

	if (!end) {
		c->bad = true;
		return NULL;
	}
	c->offset += (size_t)(end - at) + 1;
	return (const char *)at;
}

#endif
