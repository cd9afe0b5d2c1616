// Opens a dead Go process: layout, first module, function table, the strings that the runtime
// itself prints. Mirrors runtime/symtab.go (moduledata) and runtime/runtime2.go
// (waitReasonStrings).
#include "analyzer/runtime/runtime.h"

#include "analyzer/runtime/layout_prove.h"
#include "analyzer/runtime/roots.h"
#include "common/checked.h"
#include "common/limits.h"

#include <string.h>

#define GO_STRING_SIZE 16
#define MAX_STRUCT_SIZE                                                                            \
	(1u << 22) // the largest, heapArena until 1.21, is half of it; a larger one is a false layout

target_addr runtime_variable(const struct runtime *rt, enum layout_id id)
{
	return layout_has(&rt->layout, id) ? layout_value(&rt->layout, id) + rt->bias : 0;
}

target_addr runtime_field_address(
	const struct runtime *rt, enum layout_id variable, enum layout_id id)
{
	target_addr base = runtime_variable(rt, variable);

	return base && layout_has(&rt->layout, id) ? base + layout_value(&rt->layout, id) : 0;
}

static uint64_t load(const uint8_t *bytes, uint64_t size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size < sizeof(value) ? size : sizeof(value));
	return value;
}

static bool read_number(const struct runtime *rt, target_addr address, uint64_t size, uint64_t *ret)
{
	uint8_t bytes[8];

	if (!address || !size)
		return false;
	if (size > sizeof(bytes))
		size = sizeof(bytes);
	if (image_read(rt->image, address, bytes, size) != CS_OK)
		return false;
	*ret = load(bytes, size);
	return true;
}

bool runtime_read_field(
	const struct runtime *rt, enum layout_id variable, enum layout_id id, uint64_t *ret)
{
	return read_number(
		rt, runtime_field_address(rt, variable, id), layout_size(&rt->layout, id), ret);
}

bool runtime_read_at(
	const struct runtime *rt, target_addr object, enum layout_id id, uint64_t *ret)
{
	if (!object || !layout_has(&rt->layout, id))
		return false;
	return read_number(rt, object + layout_value(&rt->layout, id),
		layout_size(&rt->layout, id), ret);
}

bool runtime_read_variable(const struct runtime *rt, enum layout_id id, uint64_t *ret)
{
	return read_number(rt, runtime_variable(rt, id), layout_size(&rt->layout, id), ret);
}

const uint8_t *runtime_bytes(const struct runtime *rt, target_addr address, uint64_t size)
{
	const void *view;
	struct image_view run;
	uint8_t *copy;

	if (size > SIZE_MAX / 2)
		return NULL;
	view = image_view_bytes(rt->image, address, size);
	if (view)
		return view;
	// Before memory is taken for a hostile size, see that its first byte is there at all.
	if (!image_find(rt->image, address, &run))
		return NULL;
	if (size > image_file_size(rt->image))
		return NULL;
	copy = arena_alloc(rt->arena, size ? size : 1);
	if (!copy || image_read(rt->image, address, copy, size) != CS_OK)
		return NULL;
	return copy;
}

const char *runtime_bytes_string(
	const struct runtime *rt, target_addr data, uint64_t length, uint64_t max)
{
	char *text;

	if (length > max)
		length = max;
	text = arena_alloc(rt->arena, length + 1);
	if (!text)
		return NULL;
	if (length && image_read(rt->image, data, text, length) != CS_OK)
		return NULL;
	return text;
}

const char *runtime_string(const struct runtime *rt, target_addr address, uint64_t max)
{
	uint64_t header[2];

	if (!address || image_read(rt->image, address, header, sizeof(header)) != CS_OK)
		return NULL;
	return runtime_bytes_string(rt, header[0], header[1], max);
}

bool runtime_slice(
	const struct runtime *rt, target_addr address, target_addr *data_ret, uint64_t *length_ret)
{
	uint64_t header[3];

	if (!address || image_read(rt->image, address, header, sizeof(header)) != CS_OK ||
		header[1] > header[2])
		return false;
	*data_ret = header[0];
	*length_ret = header[1];
	return true;
}

/** The rows of layout.def that belong to each struct: first and last. */
static const struct {
	enum layout_id first, last;
} object_rows[OBJECT_TYPE_COUNT] = {
	[OBJECT_G] = {G_STACK_LO, G_SYNC_GROUP},
	[OBJECT_M] = {M_G0, M_VDSO_PC},
	[OBJECT_P] = {P_ID, P_GC_STOP_TIME},
	[OBJECT_SUDOG] = {SUDOG_G, SUDOG_C},
	[OBJECT_HCHAN] = {HCHAN_COUNT, HCHAN_TIMER},
	[OBJECT_PANIC] = {PANIC_ARG, PANIC_REPANICKED},
	[OBJECT_MODULE] = {MODULE_PCHEADER, MODULE_NEXT},
	[OBJECT_TYPE] = {TYPE_SIZE, TYPE_POINTER_TO},
	[OBJECT_HMAP] = {HMAP_COUNT, HMAP_EVACUATED},
	[OBJECT_MAP] = {MAP_USED, MAP_WRITING},
	[OBJECT_TABLE] = {TABLE_USED, TABLE_LENGTH_MASK},
	[OBJECT_SPAN] = {SPAN_START, SPAN_ELEMENT_SIZE},
	[OBJECT_SPECIAL] = {SPECIAL_NEXT, SPECIAL_KIND},
	[OBJECT_DEFER] = {DEFER_FN, DEFER_IS_IN_HEAP},
};

static uint64_t object_size(const struct layout *layout, enum object_type type)
{
	uint64_t size = 0;

	for (enum layout_id id = object_rows[type].first; id <= object_rows[type].last; id++) {
		uint64_t end = layout_value(layout, id) + layout_size(layout, id);

		if (layout_has(layout, id) && end > size)
			size = end;
	}
	return size;
}

struct object object_load(const struct runtime *rt, target_addr address, enum object_type type)
{
	return (struct object){
		address, address ? runtime_bytes(rt, address, rt->object_sizes[type]) : NULL};
}

uint64_t object_get(const struct runtime *rt, struct object object, enum layout_id id)
{
	if (!layout_has(&rt->layout, id))
		return 0;
	return load(object.bytes + layout_value(&rt->layout, id), layout_size(&rt->layout, id));
}

/** A layout from a hostile executable must not make us read past what object_load asked for. */
static bool is_layout_sane(const struct layout *layout)
{
	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		const struct fact *fact = &layout->facts[i];

		if (fact->found && fact->kind == FACT_FIELD &&
			!checked_range(fact->value, fact->size, MAX_STRUCT_SIZE))
			return false;
	}
	return true;
}

static void load_wait_reasons(struct runtime *rt)
{
	target_addr table = runtime_variable(rt, VAR_WAIT_REASONS);
	uint64_t count = layout_size(&rt->layout, VAR_WAIT_REASONS) / GO_STRING_SIZE;

	if (!table || !count) {
		diag_add(rt->diag, DIAG_WARNING, "no-wait-reasons",
			"runtime.waitReasonStrings was not found: goroutines have no wait reasons");
		return;
	}
	for (uint64_t i = 0; i < count && i < MAX_WAIT_REASONS; i++)
		rt->wait_reasons[i] = runtime_string(rt, table + i * GO_STRING_SIZE, MAX_TYPE_NAME);
}

static enum traceback_level load_traceback_level(const struct runtime *rt)
{
	uint64_t cache;

	if (!runtime_read_variable(rt, VAR_TRACEBACK, &cache))
		return TRACEBACK_SINGLE;
	if (cache & 1)
		return TRACEBACK_CRASH;
	if (cache >> 2 >= 2)
		return TRACEBACK_SYSTEM;
	if (cache & 2)
		return TRACEBACK_ALL;
	return cache >> 2 ? TRACEBACK_SINGLE : TRACEBACK_NONE;
}

enum cs_status runtime_open_with(const struct image *image, uint64_t bias,
	const struct layout *layout, struct arena *arena, struct diag *diag, struct runtime **ret)
{
	struct runtime *rt = arena_alloc(arena, sizeof(*rt));
	enum cs_status status;

	if (!rt)
		return CS_NO_MEMORY;
	*rt = (struct runtime){
		.image = image, .arena = arena, .diag = diag, .bias = bias, .layout = *layout};
	if (!is_layout_sane(&rt->layout))
		return diag_fail(diag, CS_CORRUPT, "bad-layout",
			"the executable's debug information describes impossible runtime structs");
	for (enum object_type type = 0; type < OBJECT_TYPE_COUNT; type++)
		rt->object_sizes[type] = object_size(&rt->layout, type);
	status = modules_load(rt);
	if (status != CS_OK)
		return status;
	roots_find_variables(rt);
	status = rt->layout.source == LAYOUT_GUESSED ? layout_prove(rt) : CS_OK;
	if (status != CS_OK)
		return status;
	rt->version = runtime_string(rt, runtime_variable(rt, VAR_BUILD_VERSION), MAX_TYPE_NAME);
	rt->traceback = load_traceback_level(rt);
	load_wait_reasons(rt);
	*ret = rt;
	return CS_OK;
}

enum cs_status runtime_open(const struct image *image, struct binary *binary, uint64_t bias,
	struct arena *arena, struct diag *diag, struct runtime **ret)
{
	struct layout *layout = arena_alloc(arena, sizeof(*layout));
	enum cs_status status;

	if (!layout)
		return CS_NO_MEMORY;
	status = layout_resolve(binary, diag, layout);
	if (status == CS_OK)
		status = roots_find_module(binary, image, bias, layout, diag);
	if (status != CS_OK)
		return status;
	return runtime_open_with(image, bias, layout, arena, diag, ret);
}
