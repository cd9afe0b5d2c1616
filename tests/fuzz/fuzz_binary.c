// An executable's ELF headers, notes, build information, debug link and DWARF over hostile bytes.
// Whatever they are, it ends without a fault, and refusals have a message.
#include "analyzer/binary/debug.h"
#include "analyzer/binary/dwarf_globals.h"
#include "analyzer/binary/dwarf_scope.h"
#include "analyzer/binary/dwarf_type.h"
#include "analyzer/binary/facts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_pairs(const struct name_value *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(pairs[i].name && pairs[i].value);
}

/** The file is its own debug file, once: links, proofs and a second opening are tried, too. */
static enum cs_status next_file(
	void *context, const struct binary *binary, const char *link, struct debug_file *ret)
{
	int *fd = context;

	check(binary && (!link || *link));
	if (*fd < 0)
		return CS_NOT_FOUND;
	*ret = (struct debug_file){*fd, "debug", DEBUG_LINK};
	return CS_OK;
}

static void release_file(void *context, struct debug_file *file)
{
	*(int *)context = file->fd = -1;
}

static void find_facts(struct binary *binary, struct diag *diag)
{
	struct fact facts[] = {{.kind = FACT_FIELD, .type = "runtime.g", .path = "sched.pc"},
		{.kind = FACT_FIELD, .type = "runtime.work", .path = "empty.pc"},
		{.kind = FACT_SIZE, .type = "runtime.g"},
		{.kind = FACT_SIZE, .type = "runtime.loop"},
		{.kind = FACT_VARIABLE, .path = "runtime.allgs"},
		{.kind = FACT_VARIABLE, .path = "runtime.work"},
		{.kind = FACT_CONSTANT, .path = "internal/abi.FuncID_goexit"}};

	(void)!dwarf_facts_find(binary, facts, sizeof(facts) / sizeof(facts[0]), diag);
}

/* The variables of a function in the middle of each unit. */
static void read_variables(struct binary *binary, struct arena *arena, struct diag *diag)
{
	struct dwarf_scopes *scopes = arena_alloc(arena, sizeof(*scopes));
	struct dwarf_location location;
	struct dwarf_globals globals;
	struct dwarf_types types;
	struct dwarf_units units;
	struct dwarf *dwarf;

	if (binary_dwarf(binary, diag, &dwarf) || dwarf_units_load(dwarf, &units))
		return;
	check(scopes);
	dwarf_types_init(&types, dwarf);
	for (size_t i = 0; i < units.range_count && i < 8; i++) {
		const struct dwarf_unit_range *range = &units.ranges[i];
		uint64_t pc = range->low + (range->high - range->low) / 2;

		if (!dwarf_scopes_at(&units, pc, scopes))
			continue;
		for (uint32_t k = 0; k < scopes->list[0].count && k < 64; k++) {
			struct dwarf_variable *variable = &scopes->list[0].variables[k];

			dwarf_location_at(dwarf, scopes->unit, &variable->die, pc, &location);
			dwarf_location_is_word(dwarf, scopes->unit, &variable->die);
			dwarf_types_get(&types, &variable->type);
		}
	}
	(void)!dwarf_globals_find(&units, "main.*", &globals);
}

static void read_binary(struct binary *binary, struct arena *arena, struct diag *diag)
{
	const struct binary_info *info = binary_info(binary);
	struct image *image = image_create(info->arch, arena);
	uint64_t address, size;

	check(info->is_go && info->goarch && image);
	check_pairs(info->settings, info->setting_count);
	check_pairs(info->modules, info->module_count);
	check(!binary_add_to_image(binary, image, 0x1000) && !image_seal(image));
	binary_symbol(binary, "runtime.allgs", &address);
	binary_section(binary, ".go.buildinfo", &address, &size);
	binary_pclntab(binary, &address, &size);
	find_facts(binary, diag);
	read_variables(binary, arena, diag);
	image_close(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	int candidate = fd;
	const struct debug_finder finder = {next_file, release_file, &candidate};
	struct binary *binary;
	struct arena arena;
	struct diag diag;

	check(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	if (binary_open(fd, "prog", &arena, &diag, &binary)) {
		check(diag.fatal);
	} else {
		binary_set_debug_finder(binary, &finder);
		read_binary(binary, &arena, &diag);
		binary_close(binary);
	}
	close(fd);
	arena_deinit(&arena);
	return 0;
}
