#include "analyzer/runtime/gotype.h"

#include "common/cursor.h"
#include "common/limits.h"

#define KIND_MASK 31 // internal/abi/type.go KindMask; flag bits lie above it until 1.23
#define TFLAG_EXTRA_STAR (1u << 1) // the stored name has a * in front that is not the type's
#define TFLAG_NAMED (1u << 2)

/** An abi.Name: a flag byte, the length as a varint, the bytes. */
static const char *load_name(const struct runtime *rt, target_addr address, bool has_extra_star)
{
	uint8_t head[6];
	struct cursor c;
	uint64_t length;

	if (image_read(rt->image, address, head, sizeof(head)) != CS_OK)
		return NULL;
	c = cursor_over(head, sizeof(head));
	cursor_u8(&c);
	length = cursor_uleb(&c);
	if (c.bad || length > MAX_TYPE_NAME)
		return NULL;
	address += c.offset;
	if (has_extra_star && length) {
		address++;
		length--;
	}
	return runtime_bytes_string(rt, address, length, MAX_TYPE_NAME);
}

bool gotype_load(const struct runtime *rt, target_addr address, struct gotype *ret)
{
	const struct module *module = modules_of_type(rt, address);
	struct object type;
	uint64_t flags;

	if (!module)
		return false;
	type = object_load(rt, address, OBJECT_TYPE);
	if (!type.bytes)
		return false;
	flags = object_get(rt, type, TYPE_TFLAG);
	*ret = (struct gotype){
		.address = address,
		.size = object_get(rt, type, TYPE_SIZE),
		.kind = (enum go_kind)(object_get(rt, type, TYPE_KIND) & KIND_MASK),
		.is_named = flags & TFLAG_NAMED,
	};
	ret->name = load_name(rt, module->types + (uint32_t)object_get(rt, type, TYPE_STR),
		flags & TFLAG_EXTRA_STAR);
	return ret->name && ret->kind <= GO_UNSAFE_POINTER;
}
