// The module first, by section or by its own first words; then the five roots by structure, checked
// against the code; then the rest by the code. Mirrors runtime/symtab.go (moduledata) and
// cmd/link/internal/ld/data.go (.go.module).
#include "analyzer/runtime/roots_internal.h"

#include "common/checked.h"
#include "common/limits.h"

#include <string.h>

#define WORD 8
#define PCHEADER_FUNCNAME_OFFSET 32 // pcHeader.funcnameOffset since Go 1.18; textStart is before it
#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u

/**
 * moduledata's bounds, one after the other since Go 1.3 (runtime/symtab.go): text, etext,
 * noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss, enoptrbss.
 */
#define MODULE_BOUNDS 10
#define FIRST_DATA_BOUND 2

void roots_set(struct roots *roots, enum layout_id id, target_addr address)
{
	struct fact *fact = &roots->rt->layout.facts[id];

	fact->found = true;
	fact->value = address - roots->rt->bias;
}

bool roots_holds(const struct roots *roots, target_addr address, uint64_t size)
{
	for (size_t i = 0; i < ROOT_RANGES; i++)
		if (address >= roots->ranges[i].start &&
			checked_range(address - roots->ranges[i].start, size,
				roots->ranges[i].end - roots->ranges[i].start))
			return true;
	return false;
}

static bool is_pcheader(const struct image *image, target_addr address)
{
	uint32_t magic;
	uint8_t tail[4];

	return image_read_u32(image, address, &magic) == CS_OK &&
	       (magic == MAGIC_118 || magic == MAGIC_120) &&
	       image_read(image, address + 4, tail, sizeof(tail)) == CS_OK && !tail[0] &&
	       !tail[1] && (tail[2] == 1 || tail[2] == 4) && tail[3] == 8;
}

static bool load_bounds(const struct image *image, const struct layout *layout, target_addr module,
	uint64_t *bounds)
{
	if (!layout_has(layout, MODULE_TEXT))
		return false;
	if (image_read(image, module + layout_value(layout, MODULE_TEXT), bounds,
		    MODULE_BOUNDS * sizeof(*bounds)) != CS_OK)
		return false;
	for (size_t i = 0; i < MODULE_BOUNDS; i += 2)
		if (bounds[i] > bounds[i + 1])
			return false;
	// Code and variables of one module lie within one file.
	for (size_t i = FIRST_DATA_BOUND; i < MODULE_BOUNDS; i++)
		if (bounds[i] < bounds[0] || bounds[i] - bounds[0] > MAX_EXECUTABLE_SIZE)
			return false;
	return bounds[0] < bounds[1];
}

/** Whether a moduledata can lie at `address`. */
static bool is_module(const struct image *image, const struct layout *layout, target_addr address)
{
	uint64_t bounds[MODULE_BOUNDS], header, names, offset;

	return image_read_u64(image, address, &header) == CS_OK && is_pcheader(image, header) &&
	       image_read_u64(image, header + PCHEADER_FUNCNAME_OFFSET, &offset) == CS_OK &&
	       image_read_u64(image, address + WORD, &names) == CS_OK && names == header + offset &&
	       load_bounds(image, layout, address, bounds);
}

/** Where a module is looked for. */
struct module_search {
	const struct image *image;
	const struct layout *layout;
	target_addr start, end; // where the executable's file is mapped
};

/** The words of one view that a moduledata with this header begins with. */
static target_addr module_in_view(const struct module_search *search, const struct image_view *view)
{
	target_addr start = search->start, end = search->end;
	target_addr at = (start > view->start ? start : view->start);

	at = (at + WORD - 1) & ~(target_addr)(WORD - 1);
	if (end > view->end)
		end = view->end;
	for (; at < end && end - at >= 2 * WORD; at += WORD) {
		uint64_t words[2];

		memcpy(words, view->bytes + (at - view->start), sizeof(words));
		if (words[1] - words[0] < MAX_PCLNTAB_SIZE && words[0] != words[1] &&
			words[0] - start <= end - start &&
			is_module(search->image, search->layout, at))
			return at;
	}
	return 0;
}

/**
 * Every module begins with two pointers into its function table, which lies in its own file.
 */
static target_addr scan_for_module(const struct module_search *search)
{
	struct image_view view;
	uint64_t scanned = 0;

	for (size_t i = 0; image_view_at(search->image, i, &view); i++) {
		target_addr found;

		if (view.end <= search->start || view.start >= search->end)
			continue;
		scanned += view.end - view.start;
		if (scanned > MAX_EXECUTABLE_SIZE)
			return 0;
		found = module_in_view(search, &view);
		if (found)
			return found;
	}
	return 0;
}

enum cs_status roots_find_module(const struct binary *binary, const struct image *image,
	uint64_t bias, struct layout *layout, struct diag *diag)
{
	struct module_search search = {.image = image, .layout = layout};
	struct fact *fact = &layout->facts[VAR_FIRST_MODULE];
	uint64_t address = 0, size;

	if (fact->found)
		return CS_OK;
	if (binary_section(binary, ".go.module", &address, &size) &&
		is_module(image, layout, address + bias)) {
		address += bias;
	} else if (binary_bounds(binary, &search.start, &search.end)) {
		search.start += bias;
		search.end += bias;
		address = scan_for_module(&search);
	} else {
		address = 0;
	}
	if (!address)
		return diag_fail(diag, CS_NOT_FOUND, "no-moduledata",
			"runtime.firstmoduledata was not found: the core is truncated too early, "
			"or the "
			"executable is not the one that crashed");
	fact->found = true;
	fact->value = address - bias;
	return CS_OK;
}

void roots_find_variables(struct runtime *rt)
{
	struct roots roots = {.rt = rt};
	uint64_t bounds[MODULE_BOUNDS];
	target_addr module = runtime_variable(rt, VAR_FIRST_MODULE);

	if (layout_has(&rt->layout, VAR_ALLGS))
		return; // an executable names all of its variables, or none
	if (!module || !load_bounds(rt->image, &rt->layout, module, bounds)) {
		diag_add(rt->diag, DIAG_WARNING, "no-variables",
			"the bounds in runtime.firstmoduledata are impossible: the runtime's "
			"variables "
			"were not looked for");
		return;
	}
	for (size_t i = 0; i < ROOT_RANGES; i++) {
		roots.ranges[i].start = bounds[FIRST_DATA_BOUND + 2 * i];
		roots.ranges[i].end = bounds[FIRST_DATA_BOUND + 2 * i + 1];
		if (!i || roots.ranges[i].start < roots.start)
			roots.start = roots.ranges[i].start;
		if (roots.ranges[i].end > roots.end)
			roots.end = roots.ranges[i].end;
	}
	roots_find_by_reference(&roots);
	if (roots.steps >= MAX_ROOT_STEPS)
		diag_add(rt->diag, DIAG_WARNING, "limit",
			"the search for the runtime's variables was cut: the executable has more "
			"of them "
			"than any program");
}
