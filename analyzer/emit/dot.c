// The graph of analyzer/blocking/blocking.h. Goroutines with one stack, status and reason are one
// box, so that 100,000 are a few; those of a deadlock stand alone, as a cycle through a box of many
// would not tell who waits for whom.
#include "analyzer/emit/dot.h"

#include "analyzer/emit/printer.h"
#include "analyzer/snapshot/analysis.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NO_BOX UINT32_MAX

/* A box: one goroutine, or those of a group that have an arrow. */
struct box {
	size_t goroutine; // the first of them
	const struct group *group;
	uint64_t members; // with an arrow
	bool is_alone, is_leaked;
};

/* Arrows between the same two boxes are one. */
struct arrow {
	uint32_t from, to;
	target_addr through; // of the first
	uint64_t count;
	bool is_proved, has_others; // other objects than the first one's, too
};

struct graph {
	const struct analysis *analysis;
	struct arena *arena;
	struct printer *printer;
	uint32_t *group_of;        // of each goroutine
	uint32_t *box_of;          // of each goroutine; NO_BOX
	uint32_t *group_box;       // the box of a group's; NO_BOX
	bool *is_dead, *is_leaked; // each goroutine
	struct box *boxes;
	size_t box_count, box_capacity;
	struct arrow *arrows;
	size_t arrow_count, arrow_capacity;
	struct u64map by_ends;
	struct u64map kinds; // of what is waited on: address to the address of a word
	uint64_t left_out;   // edges
};

static bool init(struct graph *graph)
{
	const struct analysis *analysis = graph->analysis;
	size_t count = analysis->goroutines.count + 1;

	graph->group_of = arena_array(graph->arena, count, sizeof(*graph->group_of));
	graph->box_of = arena_array(graph->arena, count, sizeof(*graph->box_of));
	graph->group_box =
		arena_array(graph->arena, analysis->groups.count + 1, sizeof(*graph->group_box));
	graph->is_dead = arena_array(graph->arena, count, sizeof(*graph->is_dead));
	graph->is_leaked = arena_array(graph->arena, count, sizeof(*graph->is_leaked));
	u64map_init(&graph->by_ends, graph->arena);
	u64map_init(&graph->kinds, graph->arena);
	if (!graph->group_of || !graph->box_of || !graph->group_box || !graph->is_dead ||
		!graph->is_leaked)
		return false;
	memset(graph->group_of, 0xff, count * sizeof(*graph->group_of));
	memset(graph->box_of, 0xff, count * sizeof(*graph->box_of));
	memset(graph->group_box, 0xff, (analysis->groups.count + 1) * sizeof(*graph->group_box));
	for (uint32_t i = 0; i < analysis->groups.count; i++)
		for (size_t k = 0; k < analysis->groups.list[i].count; k++)
			graph->group_of[analysis->groups.list[i].members[k]] = i;
	return true;
}

static bool note_verdicts(struct graph *graph)
{
	const struct blocking *b = &graph->analysis->blocking;

	for (size_t i = 0; i < b->deadlock_count; i++)
		for (size_t k = 0; k < b->deadlocks[i].count; k++)
			graph->is_dead[b->deadlocks[i].members[k]] = true;
	for (size_t i = 0; i < b->leaked_count; i++)
		graph->is_leaked[b->leaked[i]] = true;
	for (size_t i = 0; i < b->wait_count; i++)
		if (!u64map_put(&graph->kinds, b->waits[i].address, (uintptr_t)b->waits[i].kind))
			return false;
	return true;
}

/** The box that `goroutine` is in, made if need be; NO_BOX where it is hidden or there is no room.
 */
static enum cs_status find_box(struct graph *graph, size_t goroutine, uint32_t *ret)
{
	uint32_t group = graph->group_of[goroutine];
	bool is_alone = graph->is_dead[goroutine];
	struct box *grown;

	*ret = graph->box_of[goroutine];
	if (*ret != NO_BOX || group == UINT32_MAX)
		return CS_OK;
	if (!is_alone && graph->group_box[group] != NO_BOX) {
		*ret = graph->box_of[goroutine] = graph->group_box[group];
		graph->boxes[*ret].members++;
		graph->boxes[*ret].is_leaked |= graph->is_leaked[goroutine];
		return CS_OK;
	}
	if (graph->box_count == MAX_DOT_NODES)
		return CS_OK;
	grown = arena_grow(graph->arena, graph->boxes, &graph->box_capacity, graph->box_count + 1,
		sizeof(*grown));
	if (!grown)
		return CS_NO_MEMORY;
	graph->boxes = grown;
	grown[graph->box_count] = (struct box){.goroutine = goroutine,
		.group = &graph->analysis->groups.list[group],
		.members = 1,
		.is_alone = is_alone,
		.is_leaked = graph->is_leaked[goroutine]};
	*ret = graph->box_of[goroutine] = (uint32_t)graph->box_count++;
	if (!is_alone)
		graph->group_box[group] = *ret;
	return CS_OK;
}

static enum cs_status add_edge(struct graph *graph, const struct blocking_edge *edge)
{
	uint32_t from, to;
	struct arrow *grown;
	uint64_t at;

	if (find_box(graph, edge->from, &from) || find_box(graph, edge->to, &to))
		return CS_NO_MEMORY;
	if (from == NO_BOX || to == NO_BOX) {
		graph->left_out++;
		return CS_OK;
	}
	if (u64map_get(&graph->by_ends, (uint64_t)from << 32 | to, &at)) {
		graph->arrows[at].count++;
		graph->arrows[at].is_proved &= edge->is_proved;
		graph->arrows[at].has_others |= edge->through != graph->arrows[at].through;
		return CS_OK;
	}
	if (graph->arrow_count == MAX_DOT_EDGES) {
		graph->left_out++;
		return CS_OK;
	}
	grown = arena_grow(graph->arena, graph->arrows, &graph->arrow_capacity,
		graph->arrow_count + 1, sizeof(*grown));
	if (!grown || !u64map_put(&graph->by_ends, (uint64_t)from << 32 | to, graph->arrow_count))
		return CS_NO_MEMORY;
	graph->arrows = grown;
	grown[graph->arrow_count++] = (struct arrow){.from = from,
		.to = to,
		.through = edge->through,
		.count = 1,
		.is_proved = edge->is_proved};
	return CS_OK;
}

/** Text of the target's within a quoted string: a label has escapes of its own. */
static void print_quoted(struct printer *p, const char *text)
{
	size_t left = strlen(text), size;

	for (; left; text += size, left -= size) {
		size = utf8_length(text, left);
		if (*text == '"' || *text == '\\') {
			printer_format(p, "\\%c", *text);
		} else if (!size || (unsigned char)*text < 0x20 || *text == 0x7f) {
			printer_format(p, "\\\\x%02x", (unsigned char)*text);
			size = 1;
		} else {
			printer_sized(p, text, size);
		}
	}
}

/** Where in the program it is: the innermost frame of its own, else that is not the runtime's. */
static const struct frame *place_of(const struct analysis *analysis, uint32_t index)
{
	const struct stack *stack = index == NO_STACK ? NULL : &analysis->stacks.stacks[index];
	const struct frame *other = NULL;

	for (uint32_t i = 0; stack && i < stack->count; i++) {
		const struct code_place *place = &analysis->frames.places[stack->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			uint32_t at = place->first_frame + k;
			const struct frame *frame = &analysis->frames.frames[at];
			const struct frame_key *key = frame_key_of(analysis, at);

			if (key && key->in_app)
				return frame;
			if (!other && strncmp(frame->function, "runtime.", 8))
				other = frame;
		}
	}
	return other;
}

static void print_name(struct printer *p, const struct graph *graph, uint32_t index)
{
	const struct box *box = &graph->boxes[index];
	uint64_t id = graph->analysis->goroutines.list[box->goroutine].id;

	printer_format(
		p, box->is_alone || box->group->count == 1 ? "g%" PRIu64 : "group%" PRIu64, id);
}

static void print_box(struct graph *graph, uint32_t index)
{
	const struct analysis *analysis = graph->analysis;
	const struct box *box = &graph->boxes[index];
	const struct frame *frame = place_of(analysis, box->group->stack);
	const char *slash = frame && frame->file ? strrchr(frame->file, '/') : NULL;
	struct printer *p = graph->printer;

	printer_format(p, "  ");
	print_name(p, graph, index);
	if (box->is_alone || box->group->count == 1)
		printer_format(p, " [label=\"goroutine %" PRIu64,
			analysis->goroutines.list[box->goroutine].id);
	else
		printer_format(p, " [label=\"%" PRIu64 " goroutines", box->members);
	printer_format(p, "\\n");
	print_quoted(p, box->group->reason ? box->group->reason
					   : goroutine_status_name(box->group->status));
	if (frame) {
		printer_format(p, "\\n");
		print_quoted(p, frame->function);
		printer_format(p, "\\n");
		print_quoted(p, slash ? slash + 1 : frame->file ? frame->file : "?");
		printer_format(p, ":%d", frame->line);
	}
	printer_format(p, "\"%s%s];\n",
		box->is_alone    ? ", color=red, penwidth=2"
		: box->is_leaked ? ", color=orange, penwidth=2"
				 : "",
		box->goroutine == analysis->crash.blamed ? ", peripheries=2" : "");
}

static void print_arrow(struct graph *graph, const struct arrow *arrow)
{
	struct printer *p = graph->printer;
	uint64_t kind;

	printer_format(p, "  ");
	print_name(p, graph, arrow->from);
	printer_format(p, " -> ");
	print_name(p, graph, arrow->to);
	printer_format(p, " [label=\"");
	if (arrow->has_others)
		printer_format(p, "several");
	else if (u64map_get(&graph->kinds, arrow->through, &kind))
		print_quoted(p, (const char *)(uintptr_t)kind);
	if (!arrow->has_others && arrow->through)
		printer_format(p, " 0x%" PRIx64, arrow->through);
	if (arrow->count > 1)
		printer_format(p, " × %" PRIu64, arrow->count);
	printer_format(p, "\"%s%s];\n", arrow->is_proved ? "" : ", style=dashed",
		graph->boxes[arrow->from].is_alone && graph->boxes[arrow->to].is_alone
			? ", color=red"
			: "");
}

static void print_graph(struct graph *graph)
{
	const struct blocking *b = &graph->analysis->blocking;
	uint64_t left_out = graph->left_out + (b->edge_total - b->edge_count);
	struct printer *p = graph->printer;

	printer_format(p, "digraph waits {\n"
			  "  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n"
			  "  edge [fontname=\"sans-serif\", fontsize=9];\n"
			  "  labelloc=t;\n"
			  "  label=\"");
	print_quoted(p, graph->analysis->crash.title ? graph->analysis->crash.title : "?");
	if (!graph->arrow_count)
		printer_format(p, "\\nnobody is known to wait for another");
	else
		printer_format(p, "\\nred: a deadlock; orange: nobody can wake it; dashed: likely");
	if (left_out)
		printer_format(p, "\\n%" PRIu64 " waits are left out", left_out);
	printer_format(p, "\";\n");
	for (uint32_t i = 0; i < graph->box_count; i++)
		print_box(graph, i);
	for (size_t i = 0; i < graph->arrow_count; i++)
		print_arrow(graph, &graph->arrows[i]);
	printer_format(p, "}\n");
}

enum cs_status emit_dot(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context)
{
	const struct blocking *b = &analysis->blocking;
	struct graph graph = {.analysis = analysis, .arena = analysis->arena};
	enum cs_status status = CS_OK;

	(void)options;
	if (!init(&graph) || !note_verdicts(&graph))
		return CS_NO_MEMORY;
	// Those of deadlocks first, so that there is room for them.
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; !status && i < b->edge_count; i++)
			if ((graph.is_dead[b->edges[i].from] && graph.is_dead[b->edges[i].to]) ==
				!pass)
				status = add_edge(&graph, &b->edges[i]);
	if (status)
		return status;
	graph.printer = printer_create(sink, context);
	if (!graph.printer)
		return CS_NO_MEMORY;
	print_graph(&graph);
	status = printer_finish(graph.printer);
	printer_destroy(graph.printer);
	return status;
}
