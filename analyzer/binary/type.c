// What holds of every type, whatever source it came from: loading on demand, questions about its
// shape. Hostile type data may contain itself by value, so walks over it are bounded.
#include "analyzer/binary/type.h"

#include "common/limits.h"

uint64_t go_kind_size(enum go_kind kind)
{
	static const uint8_t sizes[] = {[GO_BOOL] = 1,
		[GO_INT] = 8,
		[GO_INT8] = 1,
		[GO_INT16] = 2,
		[GO_INT32] = 4,
		[GO_INT64] = 8,
		[GO_UINT] = 8,
		[GO_UINT8] = 1,
		[GO_UINT16] = 2,
		[GO_UINT32] = 4,
		[GO_UINT64] = 8,
		[GO_UINTPTR] = 8,
		[GO_FLOAT32] = 4,
		[GO_FLOAT64] = 8,
		[GO_COMPLEX64] = 8,
		[GO_COMPLEX128] = 16,
		[GO_CHAN] = 8,
		[GO_FUNC] = 8,
		[GO_INTERFACE] = 16,
		[GO_MAP] = 8,
		[GO_POINTER] = 8,
		[GO_SLICE] = 24,
		[GO_STRING] = 16,
		[GO_UNSAFE_POINTER] = 8};

	return kind <= GO_UNSAFE_POINTER ? sizes[kind] : 0;
}

bool type_load(struct type *type)
{
	if (!type)
		return false;
	if (!type->is_loaded) {
		type->is_loaded = true;
		if (!type->load || !type->load(type))
			type->kind = GO_INVALID;
	}
	return type->kind != GO_INVALID;
}

static bool has_pointers(struct type *type, uint32_t depth, uint32_t *budget)
{
	if (!depth || !*budget || !type_load(type))
		return true; // not known: as if it had
	--*budget;
	switch (type->kind) {
	case GO_ARRAY:
		return type->length && has_pointers(type->element, depth - 1, budget);
	case GO_STRUCT:
		for (uint32_t i = 0; i < type->field_count; i++)
			if (has_pointers(type->fields[i].type, depth - 1, budget))
				return true;
		return false;
	default:
		return type->kind > GO_COMPLEX128;
	}
}

bool type_has_pointers(struct type *type)
{
	uint32_t budget = MAX_TYPE_PARTS;

	return has_pointers(type, MAX_STRUCT_DEPTH, &budget);
}
