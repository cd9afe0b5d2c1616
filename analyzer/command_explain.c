// `coresnap explain`: which rule of grouping did what, for the crash in a snapshot, and what its
// keys are the hashes of. The keys are made anew, by the rules of this version.
#include "analyzer/command.h"
#include "analyzer/emit/printer.h"
#include "analyzer/snapshots.h"
#include "common/grouping/from_snapshot.h"
#include "common/grouping/function_name.h"
#include "common/json/writer.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME "explain"

static const char help[] =
	"usage: coresnap explain [OPTION]... SNAPSHOT\n"
	"\n"
	"Tell why the crash in SNAPSHOT, which may be compressed with zstd, has the fingerprint\n"
	"that it has: whose stack counts, what was done to each frame and to the message, and\n"
	"what the three grouping keys are made of.\n"
	"\n"
	"      --json          as JSON\n"
	"  -o, --output FILE   write to FILE, whole or not at all (default: stdout)\n"
	"      --no-sandbox    read the snapshot without a sandbox\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 it was told; 1 it could not be; 2 wrong usage.\n";

enum option_code { OPTION_JSON = 256, OPTION_NO_SANDBOX };

static const struct option options[] = {
	{"json", no_argument, NULL, OPTION_JSON},
	{"output", required_argument, NULL, 'o'},
	{"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct explain {
	struct snapshots *snapshots;
	struct grouping_snapshot of;
	struct grouping grouping;
	char *normalised; // the message
};

/** The three keys and what they are made of. */
struct key_row {
	const char *name, *key, *stored;
	const struct grouping_parts *parts;
};

static void key_rows(const struct explain *e, struct key_row ret[3])
{
	const struct grouping *g = &e->grouping;

	ret[0] = (struct key_row){"coarse", g->keys.coarse, e->of.keys.coarse, &g->coarse};
	ret[1] = (struct key_row){"default", g->keys.standard, e->of.keys.standard, &g->standard};
	ret[2] = (struct key_row){"fine", g->keys.fine, e->of.keys.fine, &g->fine};
}

/** Why this goroutine's stack is the one that counts (analyzer/snapshot/crash.c blame). */
static const char *why_blamed(const struct explain *e)
{
	if (!e->of.has_blamed)
		return "it happened on no goroutine";
	if (e->of.has_crashed && e->of.crashed == e->of.blamed)
		return "it crashed";
	if (!strcmp(e->of.input.kind, "deadlock"))
		return "it is one of those that wait for each other or, where none do, of the "
		       "largest group";
	return "what ended the program came from outside: it holds the others up, or is of the "
	       "largest group that waits";
}

/** What was done to a frame's name: bits of enum name_rule. */
static uint32_t name_rules(const struct explain *e, const struct grouping_frame *frame)
{
	struct function_name name;

	if (frame->is_c ||
		function_name_read(&e->snapshots->arena, frame->function, e->of.main_path, &name))
		return 0;
	return name.rules | (strcmp(name.key, frame->key) ? NAME_BY_FILE : 0);
}

/** What is behind a verdict, where a list has more: the row of the list. */
static const char *verdict_detail(const struct explain *e, size_t index)
{
	return e->grouping.verdicts[index] == GROUPING_MACHINERY
		       ? grouping_machinery(e->of.input.frames[index].function)
		       : NULL;
}

static void print_frame(struct printer *p, const struct explain *e, size_t index)
{
	const struct grouping_frame *frame = &e->of.input.frames[index];
	enum grouping_verdict verdict = e->grouping.verdicts[index];
	const char *detail = verdict_detail(e, index);
	uint32_t rules = name_rules(e, frame);

	printer_format(p, " %c ", grouping_verdict_counts(verdict) ? '+' : ' ');
	printer_text(p, *frame->function ? frame->function : "?");
	printer_format(p, "\n       %s", grouping_verdict_text(verdict));
	if (detail)
		printer_format(p, ": %s", detail);
	printer_format(p, "\n");
	if (!strcmp(frame->function, frame->key) || !grouping_verdict_counts(verdict))
		return;
	printer_format(p, "       key ");
	printer_text(p, frame->key);
	printer_format(p, "\n");
	for (unsigned int bit = 0; bit < NAME_RULE_BITS; bit++)
		if (rules & 1u << bit)
			printer_format(p, "         %s\n", function_name_rule(1u << bit));
}

static void print_keys(struct printer *p, const struct explain *e)
{
	struct key_row rows[3];

	key_rows(e, rows);
	for (size_t i = 0; i < 3; i++) {
		const struct grouping_parts *parts = rows[i].parts;

		printer_format(p, "\n%s %s", rows[i].name, rows[i].key);
		if (*rows[i].stored && strcmp(rows[i].stored, rows[i].key)) {
			printer_format(p, " (the snapshot has ");
			printer_text(p, rows[i].stored);
			printer_format(p, ")");
		}
		printer_format(p, "\n");
		for (size_t k = 0; k < parts->count; k++) {
			printer_format(p, "    ");
			printer_text(p, parts->list[k]);
			printer_format(p, "\n");
		}
	}
}

static void print_message(struct printer *p, const struct explain *e)
{
	const char *reworded = grouping_reword(e->normalised);

	if (!e->of.input.message)
		return;
	printer_format(p, "message    ");
	printer_text(p, e->of.input.message);
	printer_format(p, "\n  without what differs from crash to crash:\n           ");
	printer_text(p, e->normalised);
	printer_format(p, "\n");
	if (reworded != e->normalised)
		printer_format(
			p, "  in the words that all releases share:\n           %s\n", reworded);
}

static void print_text(struct printer *p, const struct explain *e)
{
	const char *family = grouping_family_text(e->grouping.family);

	printer_text(p, e->of.title);
	printer_format(p, "\n\nrules      version %d", GROUPING_VERSION);
	if (e->of.version && e->of.version != GROUPING_VERSION)
		printer_format(p, "; the snapshot's keys are of version %" PRId64, e->of.version);
	printer_format(p, "\nkind       ");
	printer_text(p, *e->of.input.kind ? e->of.input.kind : "not known");
	if (e->of.input.detail)
		printer_format(p, " %s", e->of.input.detail);
	printer_format(p, "\n");
	print_message(p, e);
	if (family)
		printer_format(p, "special    %s\n", family);
	printer_format(p, "whose      ");
	if (e->of.has_blamed)
		printer_format(p, "goroutine %" PRId64 ": ", e->of.blamed);
	printer_format(p, "%s\n", why_blamed(e));
	if (e->of.input.reraised)
		printer_format(p,
			"again      the last %u of its panics only raise again what was "
			"recovered\n",
			e->of.input.reraised);
	printer_format(p, "\nframes, innermost first; '+' goes into the default key\n");
	for (size_t i = 0; i < e->of.input.count; i++)
		print_frame(p, e, i);
	print_keys(p, e);
}

static void write_frame(struct json_writer *w, const struct explain *e, size_t index)
{
	const struct grouping_frame *frame = &e->of.input.frames[index];
	enum grouping_verdict verdict = e->grouping.verdicts[index];
	uint32_t rules = name_rules(e, frame);

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_string(w, "function", frame->function);
	jsonw_member_string(w, "key", frame->key);
	jsonw_member_bool(w, "counts", grouping_verdict_counts(verdict));
	jsonw_member_string(w, "why", grouping_verdict_text(verdict));
	jsonw_member_string(w, "detail", verdict_detail(e, index));
	jsonw_key(w, "rules");
	jsonw_begin_array(w);
	for (unsigned int bit = 0; bit < NAME_RULE_BITS; bit++)
		if (rules & 1u << bit)
			jsonw_string(w, function_name_rule(1u << bit));
	jsonw_end_array(w);
	jsonw_end_object(w);
}

static void write_keys(struct json_writer *w, const struct explain *e)
{
	struct key_row rows[3];

	key_rows(e, rows);
	jsonw_key(w, "keys");
	jsonw_begin_object(w);
	for (size_t i = 0; i < 3; i++) {
		jsonw_newline(w);
		jsonw_key(w, rows[i].name);
		jsonw_begin_object(w);
		jsonw_member_string(w, "key", rows[i].key);
		jsonw_member_string(w, "in_snapshot", *rows[i].stored ? rows[i].stored : NULL);
		jsonw_key(w, "parts");
		jsonw_begin_array(w);
		for (size_t k = 0; k < rows[i].parts->count; k++)
			jsonw_string(w, rows[i].parts->list[k]);
		jsonw_end_array(w);
		jsonw_end_object(w);
	}
	jsonw_end_object(w);
}

static void write_number_or_null(struct json_writer *w, const char *key, bool is, int64_t number)
{
	if (is)
		jsonw_member_i64(w, key, number);
	else
		jsonw_member_null(w, key);
}

static void write_json(struct json_writer *w, const struct explain *e)
{
	const struct grouping_input *input = &e->of.input;

	jsonw_begin_object(w);
	jsonw_member_string(w, "title", e->of.title);
	jsonw_member_u64(w, "version", GROUPING_VERSION);
	write_number_or_null(w, "version_in_snapshot", e->of.version != 0, e->of.version);
	jsonw_member_string(w, "kind", *input->kind ? input->kind : NULL);
	jsonw_member_string(w, "detail", input->detail);
	jsonw_newline(w);
	jsonw_member_string(w, "message", input->message);
	jsonw_member_string(
		w, "normalised", input->message ? grouping_reword(e->normalised) : NULL);
	jsonw_member_string(w, "special", grouping_family_text(e->grouping.family));
	jsonw_newline(w);
	write_number_or_null(w, "goroutine", e->of.has_blamed, e->of.blamed);
	jsonw_member_string(w, "why_goroutine", why_blamed(e));
	jsonw_member_u64(w, "raised_again", input->reraised);
	jsonw_newline(w);
	jsonw_key(w, "frames");
	jsonw_begin_array(w);
	for (size_t i = 0; i < input->count; i++)
		write_frame(w, e, i);
	jsonw_end_array(w);
	jsonw_newline(w);
	write_keys(w, e);
	jsonw_end_object(w);
	w->comma = false; // nothing comes behind it
	jsonw_newline(w);
}

static enum cs_status output_json(const struct explain *e)
{
	struct json_writer w;
	enum cs_status status = jsonw_init(&w, snapshots_write, e->snapshots);

	if (status)
		return status;
	write_json(&w, e);
	status = jsonw_finish(&w);
	jsonw_deinit(&w);
	return status;
}

static enum cs_status output_text(const struct explain *e)
{
	struct printer *p = printer_create(snapshots_write, e->snapshots);
	enum cs_status status;

	if (!p)
		return CS_NO_MEMORY;
	print_text(p, e);
	status = printer_finish(p);
	printer_destroy(p);
	return status;
}

static enum cs_status explain(struct snapshots *snapshots, uint32_t *ret)
{
	const bool *is_json = snapshots->options;
	struct explain e = {.snapshots = snapshots};
	enum cs_status status =
		grouping_read_snapshot(&snapshots->readers[0], &snapshots->arena, &e.of);

	*ret = 0;
	if (status == CS_CORRUPT)
		snprintf(snapshots->why, sizeof(snapshots->why),
			"%.120s: its crash, stack or frames are not what a snapshot has there",
			snapshots->names[0]);
	if (!status)
		status = grouping_make(&snapshots->arena, &e.of.input, &e.grouping);
	if (status)
		return status;
	e.normalised =
		grouping_normalise(&snapshots->arena, e.of.input.message ? e.of.input.message : "");
	if (!e.normalised)
		return CS_NO_MEMORY;
	return *is_json ? output_json(&e) : output_text(&e);
}

int command_explain(int argc, char **argv)
{
	struct snapshots_job job = {.count = 1, .is_sandboxed = true, .work = explain};
	bool is_json = false;
	uint32_t result;
	int code;

	job.options = &is_json;
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, ":o:h", options, NULL)) >= 0) {
		if (code == 'h')
			return command_print(help);
		if (code == 'o')
			job.output = optarg;
		else if (code == OPTION_JSON)
			is_json = true;
		else if (code == OPTION_NO_SANDBOX)
			job.is_sandboxed = false;
		else
			return command_usage(NAME,
				code == ':' ? "%s wants a value" : "unknown option %s",
				argv[optind - 1]);
	}
	if (argc - optind != 1)
		return command_usage(
			NAME, argc == optind ? "no snapshot given" : "one snapshot at a time");
	job.names[0] = argv[optind];
	return snapshots_run(&job, &result) ? COMMAND_OK : COMMAND_FAILED;
}
