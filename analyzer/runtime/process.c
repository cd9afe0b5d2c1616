#include "analyzer/runtime/process.h"

#include "common/limits.h"

#define STRING_SIZE 16

static bool load(const struct runtime *rt, enum layout_id id, struct string_list *ret)
{
	target_addr data;

	*ret = (struct string_list){0};
	if (!runtime_slice(rt, runtime_variable(rt, id), &data, &ret->total))
		return false;
	ret->count = ret->total < MAX_PROCESS_STRINGS ? ret->total : MAX_PROCESS_STRINGS;
	ret->list = arena_array(rt->arena, ret->count, sizeof(*ret->list));
	if (!ret->list)
		return false;
	for (size_t i = 0; i < ret->count; i++) {
		ret->list[i] = runtime_string(rt, data + i * STRING_SIZE, MAX_ARGUMENT_LENGTH);
		if (!ret->list[i])
			ret->list[i] = "";
	}
	return true;
}

bool process_arguments(const struct runtime *rt, struct string_list *ret)
{
	return load(rt, VAR_ARGS, ret);
}

bool process_environment(const struct runtime *rt, struct string_list *ret)
{
	return load(rt, VAR_ENVS, ret);
}
