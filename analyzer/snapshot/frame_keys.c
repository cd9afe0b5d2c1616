#include "analyzer/snapshot/frame_keys.h"

#include "analyzer/binary/binary.h"
#include "analyzer/snapshot/analysis.h"
#include "common/grouping/function_name.h"
#include "common/limits.h"

#include <string.h>

/* A closure whose declaring function is looked for. */
struct search {
	const struct analysis *analysis;
	const struct pclntab *functions;
	struct pcln_func creator;
	const char *closure, *file;
	int32_t line;     // of the closure, within the function that declares it
	const char *best; // the function that begins nearest before it
	int32_t best_line;
	bool is_own; // best is the creator itself
	uint64_t *steps_left;
};

void frame_keys_init(struct frame_keys *keys, struct arena *arena)
{
	*keys = (struct frame_keys){.steps_left = MAX_FRAME_KEY_STEPS};
	u64map_init(&keys->by_frame, arena);
	u64map_init(&keys->by_directory, arena);
}

static void consider(struct search *s, const struct pcln_frame *frame)
{
	int32_t line = frame->start_line ? frame->start_line : frame->line;

	if (!line || line > s->line || line < s->best_line || strcmp(frame->file, s->file))
		return;
	s->best = frame->function;
	s->best_line = line;
	s->is_own = !frame->is_inlined;
}

static bool look_at(void *context, target_addr pc)
{
	struct pcln_frame frames[MAX_INLINE_DEPTH];
	struct search *s = context;
	size_t count, first = 0;

	if (!*s->steps_left)
		return false;
	--*s->steps_left;
	count = pclntab_expand(s->functions, &s->creator, pc, frames, MAX_INLINE_DEPTH);
	// What is inlined into the closure itself does not declare it.
	for (size_t i = 0; i < count; i++)
		if (!strcmp(frames[i].function, s->closure))
			first = i + 1;
	for (size_t i = first; i < count; i++)
		consider(s, &frames[i]);
	return true;
}

/** The length of a name up to the dot behind its package. */
static size_t package_size(const char *name)
{
	const char *slash = name;

	for (const char *p = name; *p && *p != '[' && *p != '('; p++)
		if (*p == '/')
			slash = p;
	return (size_t)(slash - name) + strcspn(slash, ".");
}

static bool has_name(const struct pcln_func *func, const char *name, size_t size)
{
	return !strncmp(func->name, name, size) && !func->name[size];
}

/**
 * The physical function whose name is the first `size` bytes of `name`: a package's functions lie
 * together, so it is looked for around `index`.
 */
static bool find_near(struct search *s, uint32_t index, const char *name, size_t size)
{
	size_t package = package_size(name);

	for (int direction = -1; direction <= 1; direction += 2) {
		uint32_t at = index;

		while (*s->steps_left && pclntab_at(s->functions, at, &s->creator) &&
			!strncmp(s->creator.name, name, package)) {
			--*s->steps_left;
			if (has_name(&s->creator, name, size))
				return true;
			if (direction < 0 && !at)
				break;
			at += (uint32_t)direction;
		}
	}
	return false;
}

/** What of the closure's name is the nearest function that exists: the one that created it. */
static bool find_creator(struct search *s, const struct frame *frame)
{
	size_t size = strlen(frame->function);
	struct pcln_func around;

	if (!pclntab_find(s->functions, frame->entry, &around))
		return false;
	while ((size = function_name_creator(frame->function, size)))
		if (find_near(s, around.index, frame->function, size))
			return true;
	return false;
}

static uint64_t hash_directory(const char *file)
{
	const char *slash = strrchr(file, '/');
	uint64_t hash = 0xcbf29ce484222325; // FNV-1a

	for (; file != slash && slash; file++)
		hash = (hash ^ (unsigned char)*file) * 0x100000001b3;
	return hash;
}

/** Notes where each package's sources lie, by a declared function of each: names tell packages. */
static bool index_directories(struct frame_keys *keys, const struct pclntab *functions)
{
	const char *package = "";
	struct pcln_func func;

	keys->indexed = functions;
	for (uint32_t i = 0; keys->steps_left && pclntab_at(functions, i, &func); i++) {
		size_t size = package_size(func.name);
		const char *file;
		uint64_t known;
		int32_t line;

		keys->steps_left--;
		if ((!strncmp(package, func.name, size) && package[size] == '.') ||
			!func.name[size] || function_name_is_closure(func.name))
			continue;
		pclntab_line(functions, &func, func.entry, &file, &line);
		if (!line || *file == '<')
			continue;
		package = func.name;
		if (!u64map_get(&keys->by_directory, hash_directory(file), &known) &&
			!u64map_put(&keys->by_directory, hash_directory(file), (uintptr_t)package))
			return false;
	}
	return true;
}

/** Puts a closure into the package whose directory its file lies in. */
static enum cs_status move_to_package(const struct analysis *analysis, const struct frame *frame,
	const struct pclntab *functions, struct function_name *name)
{
	struct frame_keys *keys = analysis->frame_keys;
	uint64_t known;

	if (!(name->rules & NAME_CALLERS))
		return CS_OK;
	if (keys->indexed != functions && !index_directories(keys, functions))
		return CS_NO_MEMORY;
	if (!u64map_get(&keys->by_directory, hash_directory(frame->file), &known))
		return CS_OK;
	name->package = function_name_package(analysis->arena, (const char *)(uintptr_t)known);
	name->key = name->package
			    ? function_name_join(analysis->arena, name->package, name->declared,
				      binary_info(analysis->binary)->main_path, &name->rules)
			    : NULL;
	return name->key ? CS_OK : CS_NO_MEMORY;
}

static enum cs_status read_name(const struct analysis *analysis, const struct frame *frame,
	unsigned int depth, struct function_name *ret);

/** The name of the function that declares an inlined closure, if that is another than it says. */
static enum cs_status read_declaring(const struct analysis *analysis, const struct frame *frame,
	unsigned int depth, struct function_name *ret)
{
	struct search s = {.analysis = analysis,
		.functions = modules_functions(analysis->rt, frame->entry),
		.closure = frame->function,
		.file = frame->file,
		.line = frame->start_line ? frame->start_line : frame->line,
		.steps_left = &analysis->frame_keys->steps_left};
	struct frame creator;

	if (!s.functions || !frame->file || !frame->line)
		return CS_OK;
	if (find_creator(&s, frame))
		pclntab_each_line(s.functions, &s.creator, look_at, &s);
	if (!s.best)
		return move_to_package(analysis, frame, s.functions, ret);
	creator = (struct frame){.function = s.best,
		.file = s.file,
		.line = s.best_line,
		.start_line = s.best_line,
		.entry = s.creator.entry};
	// An inlined function's own name is true, but for a closure that has been inlined itself.
	return read_name(analysis, &creator, s.is_own ? depth + 1 : MAX_CLOSURE_DEPTH, ret);
}

static enum cs_status read_name(const struct analysis *analysis, const struct frame *frame,
	unsigned int depth, struct function_name *ret)
{
	enum cs_status status = function_name_read(
		analysis->arena, frame->function, binary_info(analysis->binary)->main_path, ret);

	if (status || frame->object || depth >= MAX_CLOSURE_DEPTH ||
		!function_name_is_closure(frame->function))
		return status;
	return read_declaring(analysis, frame, depth, ret);
}

const struct frame_key *frame_key_of(const struct analysis *analysis, uint32_t index)
{
	struct frame_keys *keys = analysis->frame_keys;
	const struct frame *frame = &analysis->frames.frames[index];
	struct function_name name;
	struct frame_key *key;
	uint64_t known;

	if (u64map_get(&keys->by_frame, index, &known))
		return (const struct frame_key *)(uintptr_t)known;
	key = arena_alloc(analysis->arena, sizeof(*key));
	if (!key || read_name(analysis, frame, 0, &name))
		return NULL;
	*key = (struct frame_key){.package = name.package,
		.declared = name.declared,
		.key = name.key,
		.in_app = !frame->object && grouping_in_app(name.package,
						    binary_info(analysis->binary)->main_module)};
	return u64map_put(&keys->by_frame, index, (uintptr_t)key) ? key : NULL;
}
