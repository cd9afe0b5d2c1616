// heap-dump EXECUTABLE CORE: what analyzer/heap and the search for leaked goroutines make of a
// core, and what it cost, as JSON: for tests/oracle/test_heap.py and tests/bench. No sandbox: for
// cores of one's own.
#include "analyzer/blocking/leaks.h"
#include "analyzer/blocking/stack_roots.h"
#include "analyzer/heap/roots.h"
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

struct size_class {
	uint64_t size, allocated, live;
};

#define MAX_CLASSES 128 // Go has 68

/** Counts of the sizes that several objects of a span have, and of all larger ones together. */
static void print_classes(const struct heap *heap, const struct mark *mark)
{
	struct size_class classes[MAX_CLASSES] = {0};

	for (uint32_t i = 0; i < heap->span_count; i++) {
		const struct heap_span *span = &heap->spans[i];
		struct size_class *class = &classes[(span->span_class >> 1) % MAX_CLASSES];

		class->size = span->span_class >> 1 ? span->element_size : 0;
		for (uint32_t k = 0; k < (span->count + 63) / 64; k++) {
			uint64_t free = heap->free[span->first_word + k];

			class->allocated += (uint64_t)__builtin_popcountll(~free);
			class->live += (uint64_t)__builtin_popcountll(
				mark->seen[span->first_word + k] & ~free);
		}
	}
	printf("\"classes\": {");
	for (uint32_t i = 0, count = 0; i < MAX_CLASSES; i++)
		if (classes[i].allocated)
			printf("%s\"%llu\": [%llu, %llu]", count++ ? ", " : "",
				(unsigned long long)classes[i].size,
				(unsigned long long)classes[i].allocated,
				(unsigned long long)classes[i].live);
	printf("}}");
}

static const char *mark_all(
	struct analysis *analysis, struct stack_roots *stacks, struct mark *mark)
{
	const char *missing = roots_mark(mark, ROOTS_WITHOUT_WEAK);

	for (size_t i = 0; i < analysis->goroutines.count && !missing; i++) {
		if (!stack_roots_find(stacks, &analysis->goroutines.list[i]))
			missing = "a goroutine's stack is not all in the core";
		for (size_t k = 0; k < stacks->count; k++)
			mark_word(mark, stacks->words[k]);
	}
	mark_run(mark);
	return missing;
}

/** What the collector itself would find alive. */
static enum cs_status print_heap(struct analysis *analysis)
{
	uint64_t begin = cpu_ns(), loaded;
	struct stack_roots stacks;
	struct arena arena;
	struct heap heap;
	struct mark mark;
	const char *why;
	enum cs_status status;

	arena_init(&arena, 0);
	status = heap_load(analysis->rt, &arena, &heap);
	if (status == CS_OK)
		status = mark_init(&mark, &heap, &arena);
	if (status == CS_OK)
		status = stack_roots_init(&stacks, &analysis->frames, &analysis->threads, &arena);
	loaded = cpu_ns();
	if (status == CS_OK) {
		why = mark_all(analysis, &stacks, &mark);
		why = heap.why ? heap.why : why;
		printf("{\"heap\": {\"objects\": %llu, \"bytes\": %llu, \"live_objects\": %llu, "
		       "\"live_bytes\": %llu, \"load_ms\": %.1f, \"mark_ms\": %.1f, "
		       "\"inline_marks\": %s, \"why_not\": ",
			(unsigned long long)heap.objects, (unsigned long long)heap.bytes,
			(unsigned long long)mark.objects, (unsigned long long)mark.bytes,
			(double)(loaded - begin) / 1e6, (double)(cpu_ns() - loaded) / 1e6,
			heap.has_inline_marks ? "true" : "false");
		printf(why ? "\"%s\", " : "null, ", why);
		print_classes(&heap, &mark);
	}
	arena_deinit(&arena);
	return status;
}

static void print_leaks(const struct analysis *analysis, const struct leaks *leaks, uint64_t cost)
{
	printf(",\n\"leaks\": {\"objects\": %llu, \"bytes\": %llu, \"reached_objects\": %llu, "
	       "\"reached_bytes\": %llu, "
	       "\"candidates\": %zu, \"cpu_ms\": %.1f,\n \"why_not\": ",
		(unsigned long long)leaks->objects, (unsigned long long)leaks->bytes,
		(unsigned long long)leaks->reached_objects,
		(unsigned long long)leaks->reached_bytes, leaks->candidates, (double)cost / 1e6);
	printf(leaks->why_not ? "\"%s\"" : "null", leaks->why_not);
	printf(",\n \"leaked\": [");
	for (size_t i = 0; i < leaks->count; i++)
		printf("%s\n  {\"goroutine\": %llu, \"start\": \"%s\", \"text\": \"%s\"}",
			i ? "," : "",
			(unsigned long long)analysis->goroutines.list[leaks->list[i]].id,
			analysis->rows[leaks->list[i]].start, leaks->evidence[i]);
	printf("]}}\n");
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
	status = analysis_create(image, binary, &executable, &options, arena, diag, &analysis);
	if (status)
		return status;
	status = print_heap(analysis);
	before = cpu_ns();
	if (status)
		return status;
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
