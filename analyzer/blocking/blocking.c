// The lists of a struct blocking, which the other files of this layer fill.
#include "analyzer/blocking/blocking.h"

#include "common/limits.h"

#include <stdarg.h>
#include <stdio.h>

void blocking_init(struct blocking *blocking, struct arena *arena)
{
	*blocking = (struct blocking){.arena = arena};
}

bool blocking_add_leaked(struct blocking *blocking, size_t goroutine)
{
	size_t *grown = arena_grow(blocking->arena, blocking->leaked, &blocking->leaked_capacity,
		blocking->leaked_count + 1, sizeof(*grown));

	if (!grown)
		return false;
	blocking->leaked = grown;
	grown[blocking->leaked_count++] = goroutine;
	return true;
}

bool blocking_add_evidence(struct blocking *blocking, size_t goroutine, const char *format, ...)
{
	struct blocking_evidence *grown;
	char text[MAX_EVIDENCE_LENGTH];
	va_list arguments;
	const char *copy;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	grown = arena_grow(blocking->arena, blocking->evidence, &blocking->evidence_capacity,
		blocking->evidence_count + 1, sizeof(*grown));
	copy = grown ? arena_string(blocking->arena, text) : NULL;
	if (!copy)
		return false;
	blocking->evidence = grown;
	grown[blocking->evidence_count++] = (struct blocking_evidence){goroutine, copy};
	return true;
}

bool blocking_add_edge(struct blocking *blocking, struct blocking_edge edge)
{
	struct blocking_edge *grown;

	blocking->edge_total++;
	if (blocking->edge_count >= MAX_BLOCKING_EDGES)
		return true;
	grown = arena_grow(blocking->arena, blocking->edges, &blocking->edge_capacity,
		blocking->edge_count + 1, sizeof(*grown));
	if (!grown)
		return false;
	blocking->edges = grown;
	grown[blocking->edge_count++] = edge;
	return true;
}
