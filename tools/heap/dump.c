// heap-dump EXECUTABLE CORE: what analyzer/heap and the search for leaked goroutines make of a core,
// and what it cost, as JSON: for tests/oracle/test_heap.py and tests/bench. No sandbox: for cores of
// one's own.
#include "analyzer/blocking/leaks.h"
#include "analyzer/snapshot/analysis.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void print_leaks(const struct analysis *analysis, const struct leaks *leaks, uint64_t cost)
{
	printf("{\"objects\": %llu, \"bytes\": %llu, \"live_objects\": %llu, \"live_bytes\": %llu, "
	       "\"candidates\": %zu, \"cpu_ms\": %.1f,\n \"why_not\": ",
		(unsigned long long)leaks->objects, (unsigned long long)leaks->bytes,
		(unsigned long long)leaks->live_objects, (unsigned long long)leaks->live_bytes,
		leaks->candidates, (double)cost / 1e6);
	printf(leaks->why_not ? "\"%s\"" : "null", leaks->why_not);
	printf(",\n \"leaked\": [");
	for (size_t i = 0; i < leaks->count; i++)
		printf("%s\n  {\"goroutine\": %llu, \"text\": \"%s\"}", i ? "," : "",
			(unsigned long long)analysis->goroutines.list[leaks->list[i]].id,
			leaks->evidence[i]);
	printf("]}\n");
}

static enum cs_status dump(
	int executable_fd, int core_fd, char **paths, struct arena *arena, struct diag *diag)
{
	struct analysis_options options = {.variables = VARIABLES_NONE,
		.core_name = paths[1],
		.hostname = "",
		.kernel = "",
		.generator_version = ""};
	struct core_executable executable;
	struct analysis *analysis;
	struct leaks leaks;
	struct image *image;
	struct binary *binary;
	enum cs_status status = image_open(core_fd, paths[1], arena, diag, &image);
	uint64_t before;

	if (status)
		return status;
	executable = core_executable_find(image, arena);
	status = binary_open(executable_fd, paths[0], arena, diag, &binary);
	if (status)
		return status;
	status = analysis_create(
		image, binary, &executable, &options, arena, diag, &analysis);
	if (status)
		return status;
	before = cpu_ns();
	status = leaks_find(&(struct leaks_input){.rt = analysis->rt,
				    .goroutines = &analysis->goroutines,
				    .threads = &analysis->threads,
				    .frames = &analysis->frames,
				    .arena = arena},
		&leaks);
	if (status == CS_OK)
		print_leaks(analysis, &leaks, cpu_ns() - before);
	analysis_close(analysis);
	binary_close(binary);
	image_close(image);
	return status;
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct diag diag;
	int executable, core;
	enum cs_status status;

	if (argc != 3) {
		fprintf(stderr, "usage: heap-dump EXECUTABLE CORE\n");
		return 2;
	}
	executable = open(argv[1], O_RDONLY | O_CLOEXEC);
	core = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (executable < 0 || core < 0) {
		perror("heap-dump");
		return 2;
	}
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	status = dump(executable, core, argv + 1, &arena, &diag);
	if (status)
		fprintf(stderr, "heap-dump: %s\n", diag.fatal ? diag.fatal : status_text(status));
	arena_deinit(&arena);
	close(executable);
	close(core);
	return status ? 1 : 0;
}
