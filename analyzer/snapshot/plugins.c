#include "analyzer/snapshot/plugins.h"

#include "analyzer/snapshot/analysis.h"

#include <string.h>
#include <unistd.h>

/** Where the first byte of the file that holds `address` is mapped, and its path; 0: no file. */
static target_addr file_at(
	const struct image_notes *notes, target_addr address, const char **path_ret)
{
	const char *path = NULL;
	target_addr base = 0;

	for (size_t i = 0; i < notes->mapping_count && !path; i++)
		if (address >= notes->mappings[i].start && address < notes->mappings[i].end)
			path = notes->mappings[i].path;
	for (size_t i = 0; path && i < notes->mapping_count; i++)
		if (notes->mappings[i].start <= address && !notes->mappings[i].offset &&
			!strcmp(notes->mappings[i].path, path))
			base = notes->mappings[i].start;
	*path_ret = path;
	return base;
}

/** Whether the file is the one that was mapped at `base`, by the best id that both have. */
static bool is_same(const struct analysis *analysis, const struct binary *binary, target_addr base)
{
	const struct core_executable core =
		core_object_find(analysis->image, analysis->arena, base);
	const struct binary_info *info = binary_info(binary);

	if (core.go_build_id && info->go_build_id)
		return !strcmp(core.go_build_id, info->go_build_id);
	return core.gnu_build_id && info->gnu_build_id &&
	       !strcmp(core.gnu_build_id, info->gnu_build_id);
}

static enum cs_status add_file(
	struct analysis *analysis, int fd, const char *path, target_addr base, const char **why_ret)
{
	struct plugins *plugins = analysis->options->plugins;
	struct binary *binary;
	struct diag scratch; // a plugin that cannot be read ends no analysis
	uint64_t low, high;
	enum cs_status status;

	diag_init(&scratch, analysis->arena);
	status = binary_open(fd, path, analysis->arena, &scratch, &binary);
	close(fd);
	*why_ret = scratch.fatal ? scratch.fatal : "out of memory";
	if (status)
		return status == CS_NO_MEMORY ? status : CS_OK;
	plugins->list[plugins->count++] = binary;
	*why_ret = "it is another file than the one in the core";
	if (binary_info(binary)->arch != image_arch(analysis->image) ||
		!binary_bounds(binary, &low, &high) || !is_same(analysis, binary, base))
		return CS_OK;
	*why_ret = NULL;
	return binary_add_to_image(binary, analysis->image, base - low);
}

static enum cs_status add_module(struct analysis *analysis, const struct module *module)
{
	const struct file_source *source = &analysis->options->libraries;
	char text[MAX_DIAGNOSTIC_LENGTH] = "no files are to be had";
	const char *path, *why = text;
	target_addr base = file_at(image_notes(analysis->image), module->text, &path);
	enum cs_status status = CS_OK;
	int fd = -1;

	if (!base || analysis->options->plugins->count == MAX_PLUGIN_FILES)
		return CS_OK;
	if (source->open)
		fd = source->open(source->context, path, text, sizeof(text));
	if (fd >= 0)
		status = add_file(analysis, fd, path, base, &why);
	if (why && status == CS_OK)
		diag_add(analysis->diag, DIAG_WARNING, "no-plugin",
			"%s: code of this plugin is in the process, and the file cannot be used: "
			"%s",
			path, why);
	return status;
}

enum cs_status plugins_add(struct analysis *analysis)
{
	const struct plugins *plugins = analysis->options->plugins;
	struct runtime *rt = analysis->rt;
	enum cs_status status = CS_OK;

	for (size_t i = 1; plugins && i < rt->module_count && status == CS_OK; i++)
		if (!module_is_whole(rt, &rt->modules[i]))
			status = add_module(analysis, &rt->modules[i]);
	if (status == CS_OK && plugins && plugins->count) {
		status = image_seal(analysis->image);
		if (status == CS_OK)
			status = modules_load(rt);
	}
	if (status == CS_OK)
		modules_report(rt);
	return status;
}

void plugins_close(struct plugins *plugins)
{
	while (plugins->count)
		binary_close(plugins->list[--plugins->count]);
}
