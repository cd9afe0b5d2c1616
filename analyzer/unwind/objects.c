#include "analyzer/unwind/objects.h"

#include "analyzer/binary/binary.h"
#include "analyzer/binary/debug.h"
#include "analyzer/binary/elf_copy.h"
#include "analyzer/core/executable.h"
#include "common/checked.h"
#include "common/limits.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define VDSO "[vdso]"

void objects_init(struct objects *objects, const struct runtime *rt, struct binary *executable,
	const char *path, struct file_source source)
{
	uint64_t low, high;

	*objects = (struct objects){.rt = rt,
		.source = source,
		.executable_path = path,
		.rows_left = MAX_MAPPING_STEPS};
	u64map_init(&objects->by_base, rt->arena);
	if (executable && binary_bounds(executable, &low, &high)) {
		objects->executable = executable;
		objects->low = low + rt->bias;
		objects->high = high + rt->bias;
	}
}

void objects_close(struct objects *objects)
{
	for (size_t i = 0; i < objects->count; i++)
		elf_object_close(objects->list[i].object);
	objects->count = 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/** All that are missing are named in one diagnostic, which is written when all is done. */
static void miss(struct objects *objects, const char *path, const char *why)
{
	struct arena *arena = objects->rt->arena;

	if (objects->missing_count++ >= MAX_LIBRARIES)
		return;
	objects->missing = objects->missing ? arena_format(arena, "%s, %s (%s)", objects->missing,
						      base_name(path), why)
					    : arena_format(arena, "%s (%s)", base_name(path), why);
}

/** Whether nothing but its dynamic section is in the core (qemu's), and that is the file's. */
static bool is_same_loaded(
	struct objects *objects, const struct elf_object *object, target_addr base)
{
	uint64_t linked;

	return elf_object_base(object, &linked) &&
	       elf_object_has_dynamic(object, objects->rt->image, base - linked);
}

/** Whether the file is the one whose first page lies at `base` in the core. */
static bool is_same(struct objects *objects, const struct elf_object *object, target_addr base,
	const char **why_ret)
{
	struct arena *arena = objects->rt->arena;
	const struct core_executable in_core = core_object_find(objects->rt->image, arena, base);
	const char *id = elf_object_build_id(object, arena);
	uint8_t page[PAGE];
	const void *head;
	size_t size;

	*why_ret = "it has another build id than the one in the core";
	if (in_core.gnu_build_id && id)
		return !strcmp(in_core.gnu_build_id, id);
	*why_ret = "its first page is not in the core, so nothing says that it is the same file";
	head = elf_object_head(object, PAGE, &size);
	if (!head || image_read(objects->rt->image, base, page, size) != CS_OK)
		return is_same_loaded(objects, object, base);
	*why_ret = "it is another file than the one in the core";
	return !memcmp(head, page, size);
}

static struct elf_object *open_file(
	struct objects *objects, const char *path, target_addr base, const char **why_ret)
{
	struct elf_object *object;
	char why[MAX_DIAGNOSTIC_LENGTH] = "no files are to be had";
	enum cs_status status;
	int fd = -1;

	*why_ret = "too many libraries";
	if (objects->asked++ >= MAX_LIBRARIES)
		return NULL;
	if (objects->source.open)
		fd = objects->source.open(objects->source.context, path, why, sizeof(why));
	*why_ret = arena_string(objects->rt->arena, why);
	if (fd < 0)
		return NULL;
	status = elf_object_open(fd, image_arch(objects->rt->image), objects->rt->arena, &object);
	close(fd);
	*why_ret = "it is not a library of this architecture";
	if (status)
		return NULL;
	if (is_same(objects, object, base, why_ret))
		return object;
	elf_object_close(object);
	return NULL;
}

/** What the core itself has of a file that cannot be had; NULL where that is not enough. */
static struct elf_object *open_from_core(struct objects *objects, target_addr base)
{
	const struct image *image = objects->rt->image;
	struct elf_object *object;
	size_t size;
	void *bytes = elf_copy_from_image(image, base, objects->rt->arena, &size);

	if (!bytes || elf_object_open_bytes(
			      bytes, size, image_arch(image), objects->rt->arena, &object) != CS_OK)
		return NULL;
	return object;
}

static bool has_bias(struct loaded_object *loaded, target_addr base)
{
	uint64_t linked;

	if (!elf_object_base(loaded->object, &linked))
		return false;
	loaded->bias = base - linked;
	return true;
}

static const struct loaded_object *add(
	struct objects *objects, target_addr base, const struct loaded_object *loaded)
{
	struct loaded_object *grown = arena_grow(objects->rt->arena, objects->list,
		&objects->capacity, objects->count + 1, sizeof(*grown));

	if (!grown || !u64map_put(&objects->by_base, base, objects->count)) {
		elf_object_close(loaded->object);
		return NULL;
	}
	objects->list = grown;
	grown[objects->count] = *loaded;
	return &grown[objects->count++];
}

/** By a name of its own; false where it was not looked for before. */
static bool find_known(
	const struct objects *objects, target_addr base, const struct loaded_object **ret)
{
	uint64_t index;

	if (!u64map_get(&objects->by_base, base, &index))
		return false;
	*ret = &objects->list[index];
	return true;
}

static const struct loaded_object *find_executable(struct objects *objects)
{
	struct loaded_object loaded = {
		.path = objects->executable_path ? objects->executable_path : "",
		.bias = objects->rt->bias};
	const struct loaded_object *known;
	struct Elf *debug;

	if (find_known(objects, objects->low, &known))
		return known;
	if (elf_object_open_elf(
		    binary_elf(objects->executable), objects->rt->arena, &loaded.object))
		return NULL;
	// Without one the names are those of the dynamic symbols, and a finding says so.
	if (!binary_debug_elf(objects->executable, objects->rt->diag, &debug))
		elf_object_set_debug(loaded.object, debug);
	return add(objects, objects->low, &loaded);
}

/** The kernel's own library has no file; all its bytes are in the core. */
static const struct loaded_object *find_vdso(struct objects *objects, target_addr base)
{
	struct loaded_object loaded = {.path = VDSO};
	const struct loaded_object *known;
	struct image_view view;
	char *bytes;

	if (find_known(objects, base, &known))
		return known;
	if (!image_find(objects->rt->image, base, &view) || view.end - base > MAX_OBJECT_COPY)
		return NULL;
	bytes = arena_copy(objects->rt->arena, view.bytes + (base - view.start), view.end - base);
	if (!bytes || elf_object_open_bytes(bytes, view.end - base, image_arch(objects->rt->image),
			      objects->rt->arena, &loaded.object))
		return NULL;
	if (!has_bias(&loaded, base)) {
		elf_object_close(loaded.object);
		return NULL;
	}
	return add(objects, base, &loaded);
}

static const struct image_mapping *find_mapping(
	const struct image_notes *notes, target_addr address)
{
	size_t low = 0, high = notes->mapping_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (notes->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == notes->mapping_count || address < notes->mappings[low].start)
		return NULL;
	return &notes->mappings[low];
}

/** A file may be mapped more than once: of its mappings of offset 0, the nearest below. */
static bool find_base(
	struct objects *objects, const struct image_mapping *mapping, target_addr *ret)
{
	const struct image_notes *notes = image_notes(objects->rt->image);

	for (const struct image_mapping *row = mapping; objects->rows_left; row--) {
		objects->rows_left--;
		if (!row->offset && !strcmp(row->path, mapping->path)) {
			*ret = row->start;
			return true;
		}
		if (row == notes->mappings)
			break;
	}
	return false;
}

static const struct loaded_object *find_library(struct objects *objects, target_addr address)
{
	const struct image_notes *notes = image_notes(objects->rt->image);
	const struct image_mapping *mapping = find_mapping(notes, address);
	const struct loaded_object *known;
	struct loaded_object loaded = {0};
	const char *why = NULL;
	target_addr base;

	if (!mapping || !find_base(objects, mapping, &base))
		return NULL;
	if (find_known(objects, base, &known))
		return known;
	loaded.path = mapping->path;
	loaded.object = open_file(objects, mapping->path, base, &why);
	if (!loaded.object)
		loaded.object = open_from_core(objects, base);
	if (loaded.object && !has_bias(&loaded, base)) {
		elf_object_close(loaded.object);
		loaded.object = NULL;
		why = "it has no loadable segment";
	}
	if (!loaded.object)
		miss(objects, mapping->path, why ? why : "out of memory");
	return add(objects, base, &loaded);
}

const struct loaded_object *objects_at(struct objects *objects, target_addr address)
{
	target_addr vdso = image_notes(objects->rt->image)->at_sysinfo_ehdr;
	struct image_view view;

	if (objects->executable && address >= objects->low && address < objects->high)
		return find_executable(objects);
	if (vdso && address >= vdso && image_find(objects->rt->image, vdso, &view) &&
		address < view.end)
		return find_vdso(objects, vdso);
	return find_library(objects, address);
}
