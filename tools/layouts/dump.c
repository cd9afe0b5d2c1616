// What the DWARF of Go executables says of every row of layout.def, for tools/make-layouts: a line
// "FILE version arch" for each file, then "NAME kind value size" for each row that it has. With
// --check it prints instead where the table of measured releases says otherwise, and fails then.
#include "analyzer/runtime/layout.h"
#include "analyzer/runtime/layout_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"field", "size", "variable", "constant"};

static void print_layout(
	const char *path, const struct binary_info *info, const struct layout *layout)
{
	printf("FILE\t%s\t%s\t%s\n", path, info->go_version ? info->go_version : "",
		info->arch == ARCH_AMD64 ? "amd64" : "arm64");
	for (enum layout_id id = 0; id < LAYOUT_COUNT; id++) {
		const struct fact *fact = &layout->facts[id];

		if (fact->found)
			printf("%s\t%s\t%llu\t%llu\n", layout_name(id), kinds[fact->kind],
				(unsigned long long)fact->value, (unsigned long long)fact->size);
	}
}

/*
 * A row that the table has and the program has not is no difference: a program holds only the types
 * and variables that it uses. The probes use all, which the required rows are held against.
 */
static bool is_same(const struct fact *dwarf, const struct fact *table)
{
	if (!dwarf->found)
		return true;
	if (dwarf->kind == FACT_VARIABLE)
		return !table->size || dwarf->size == table->size;
	return table->found && dwarf->value == table->value && dwarf->size == table->size;
}

static enum cs_status check(
	const char *path, const struct binary_info *info, const struct layout *dwarf)
{
	const struct layout_release *release = layout_table_exact(info->go_version);
	enum cs_status status = CS_OK;
	struct layout table;

	layout_init(&table);
	if (!release || !layout_table_fill(release, info->arch, table.facts)) {
		printf("%s: %s is not in the table\n", path, info->go_version);
		return CS_NOT_FOUND;
	}
	for (enum layout_id id = 0; id < LAYOUT_COUNT; id++) {
		const struct fact *ours = &table.facts[id], *theirs = &dwarf->facts[id];

		if (is_same(theirs, ours) && (theirs->found || !layout_is_required(id)))
			continue;
		printf("%s: %s: the table of %s has %lld/%llu, the DWARF %lld/%llu\n", path,
			layout_name(id), info->go_version,
			ours->found ? (long long)ours->value : -1, (unsigned long long)ours->size,
			theirs->found ? (long long)theirs->value : -1,
			(unsigned long long)theirs->size);
		status = CS_CORRUPT;
	}
	return status;
}

static enum cs_status dump(const char *path, int fd, bool is_check, struct arena *arena)
{
	struct layout layout;
	struct binary *binary;
	struct diag diag;
	enum cs_status status;

	diag_init(&diag, arena);
	status = binary_open(fd, path, arena, &diag, &binary);
	if (status)
		return status;
	status = layout_from_dwarf(binary, &diag, &layout);
	if (!status && is_check)
		status = check(path, binary_info(binary), &layout);
	else if (!status)
		print_layout(path, binary_info(binary), &layout);
	binary_close(binary);
	return status;
}

/* The rows of layout.def, those that every supported release has marked. */
static void print_rows(void)
{
	for (enum layout_id id = 0; id < LAYOUT_COUNT; id++)
		printf("ROW\t%s\t%s\n", layout_name(id),
			layout_is_required(id) ? "required" : "optional");
}

int main(int argc, char **argv)
{
	bool is_check = argc > 1 && !strcmp(argv[1], "--check");
	int failed = 0;

	if (!is_check)
		print_rows();
	for (int i = 1 + is_check; i < argc; i++) {
		struct arena arena;
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		enum cs_status status;

		arena_init(&arena, 0);
		status = fd < 0 ? CS_NOT_FOUND : dump(argv[i], fd, is_check, &arena);
		if (status) {
			fprintf(stderr, "%s: %s\n", argv[i], status_text(status));
			failed = 1;
		}
		arena_deinit(&arena);
		if (fd >= 0)
			close(fd);
	}
	return failed;
}
