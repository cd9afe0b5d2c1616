#include "tests/lib/mktypes.h"

#include <string.h>

/** An abi.Name at a new place. */
static target_addr make_name(struct mkruntime *m, const char *text, uint8_t flags)
{
	size_t length = strlen(text);
	target_addr at = mkruntime_alloc(m, length + 8);
	uint8_t *bytes = mkruntime_at(m, at);

	bytes[0] = flags;
	bytes[1] = (uint8_t)length;
	memcpy(bytes + 2, text, length);
	return at;
}

target_addr mktypes_of(
	struct mkruntime *m, const char *name, enum go_kind kind, target_addr element)
{
	target_addr type = mkruntime_type(m, name, kind, kind == GO_SLICE ? 24 : 8);

	mkruntime_set(m, type, TYPE_TFLAG, kind == GO_SLICE ? 0 : 1u << 5);
	mkruntime_word(m, type + 48, element);
	return type;
}

target_addr mktypes_array(
	struct mkruntime *m, const char *name, target_addr element, uint64_t length, uint64_t size)
{
	target_addr type = mkruntime_type(m, name, GO_ARRAY, size);

	mkruntime_word(m, type + 48, element);
	mkruntime_word(m, type + 64, length);
	return type;
}

target_addr mktypes_struct(
	struct mkruntime *m, const char *name, uint64_t size, const struct mktypes_field *fields)
{
	target_addr type = mkruntime_type(m, name, GO_STRUCT, size), list;
	uint64_t count = 0;

	while (fields[count].name)
		count++;
	list = mkruntime_alloc(m, 24 * count + 8);
	for (uint64_t i = 0; i < count; i++) {
		mkruntime_word(m, list + 24 * i,
			make_name(m, fields[i].name, fields[i].is_embedded ? 8 : 0));
		mkruntime_word(m, list + 24 * i + 8, fields[i].type);
		mkruntime_word(m, list + 24 * i + 16, fields[i].offset);
	}
	mkruntime_slice(m, type + 56, list, count);
	return type;
}

target_addr mktypes_interface(struct mkruntime *m, const char *name, uint64_t methods)
{
	target_addr type = mkruntime_type(m, name, GO_INTERFACE, 16);

	mkruntime_slice(m, type + 56, type, methods);
	return type;
}

target_addr mktypes_map(struct mkruntime *m, const char *name, target_addr key, target_addr element)
{
	target_addr type = mkruntime_type(m, name, GO_MAP, 8);

	mkruntime_set(m, type, TYPE_TFLAG, 1u << 5);
	mkruntime_word(m, type + 48, key);
	mkruntime_word(m, type + 56, element);
	return type;
}

void mktypes_define(struct mkruntime *m, target_addr type, uint64_t descriptor_size,
	const char *package, const char *method)
{
	target_addr uncommon = type + descriptor_size, methods = mkruntime_alloc(m, 16);
	uint32_t words[4] = {(uint32_t)(make_name(m, package, 0) - MKRUNTIME_DATA), 0,
		(uint32_t)(methods - uncommon), 0};
	uint8_t flags;

	if (method)
		words[1] = 1 | 1u << 16; // Mcount, Xcount
	memcpy(mkruntime_at(m, uncommon), words, sizeof(words));
	if (method)
		mkruntime_word(m, methods, make_name(m, method, 1) - MKRUNTIME_DATA);
	memcpy(&flags, mkruntime_at(m, type + layout_value(&m->layout, TYPE_TFLAG)), 1);
	mkruntime_set(m, type, TYPE_TFLAG, flags | 1u | 1u << 2);
}

target_addr mktypes_itab(struct mkruntime *m, target_addr interface, target_addr type)
{
	target_addr itab = mkruntime_alloc(m, 32);
	uint32_t hash;

	memcpy(&hash, mkruntime_at(m, type + layout_value(&m->layout, TYPE_HASH)), sizeof(hash));
	mkruntime_word(m, itab, interface);
	mkruntime_word(m, itab + 8, type);
	mkruntime_word(m, itab + 16, hash);
	return itab;
}
