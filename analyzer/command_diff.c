// `coresnap diff`: what changed between two snapshots of one program, for people or as JSON.
#include "analyzer/command.h"
#include "analyzer/difference.h"
#include "analyzer/emit/printer.h"
#include "analyzer/snapshots.h"
#include "common/json/writer.h"
#include "common/limits.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME "diff"
#define NS_PER_SECOND INT64_C(1000000000)

static const char help[] =
	"usage: coresnap diff [OPTION]... A B\n"
	"\n"
	"Tell what is different in B, a snapshot of the program of which A is one, too: groups\n"
	"of goroutines, queues, numbers. Both may be compressed with zstd.\n"
	"\n"
	"      --json          as JSON\n"
	"      --force         compare snapshots of two programs\n"
	"  -o, --output FILE   write to FILE, whole or not at all (default: stdout)\n"
	"      --no-sandbox    read the snapshots without a sandbox\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 nothing differs; 1 something does; 2 they could not be compared.\n";

enum option_code { OPTION_JSON = 256, OPTION_NO_SANDBOX, OPTION_FORCE };

enum diff_exit { DIFF_SAME, DIFF_DIFFERENT, DIFF_FAILED };

static const struct option options[] = {
	{"json", no_argument, NULL, OPTION_JSON},
	{"force", no_argument, NULL, OPTION_FORCE},
	{"output", required_argument, NULL, 'o'},
	{"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct diff_options {
	bool is_json, is_forced;
};

static void print_number(struct printer *p, const struct difference_number *number)
{
	if (!number->is_there)
		printer_format(p, "none");
	else if (number->is_real)
		printer_format(p, "%.6g", number->real);
	else
		printer_format(p, "%" PRId64, number->integer);
}

/** "3 → 9 (+6)". */
static void print_change(struct printer *p, const struct difference_row *row)
{
	const struct difference_number *a = &row->values[SIDE_A], *b = &row->values[SIDE_B];
	int64_t delta;

	print_number(p, a);
	printer_format(p, " → ");
	print_number(p, b);
	if (a->is_real || b->is_real)
		printer_format(p, " (%+.6g)\n", difference_delta(row));
	else if (!__builtin_sub_overflow(b->integer, a->integer, &delta))
		printer_format(p, " (%+" PRId64 ")\n", delta);
	else
		printer_format(p, "\n");
}

static void print_origin(
	struct printer *p, char sign, const struct difference_origin *origin, const char *name)
{
	printer_format(p, "%c ", sign);
	printer_text(p, name);
	printer_format(p, ": ");
	printer_text(p, origin->title);
	printer_format(p, " (");
	printer_text(p, origin->captured_at);
	printer_format(p, ", ");
	printer_text(p, origin->go_version);
	printer_format(
		p, ", pid %" PRId64 ", %" PRId64 " goroutines)\n", origin->pid, origin->goroutines);
}

/** The frames that say most: the runtime's way of waiting is in the reason already. */
static void print_group_frames(struct printer *p, const struct difference_row *row)
{
	size_t first = 0, shown = 0;

	while (first + 1 < row->frame_count && !strncmp(row->frames[first], "runtime.", 8))
		first++;
	for (size_t i = first; i < row->frame_count && shown < MAX_DIFFERENCE_SHOWN; i++) {
		if (!strcmp(row->frames[i], "runtime.goexit"))
			continue;
		printer_format(p, "        ");
		printer_text(p, row->frames[i]);
		printer_format(p, "\n");
		shown++;
	}
	if (first + shown + 1 < row->frame_count)
		printer_format(p, "        …\n");
}

static void print_wait(struct printer *p, int64_t ns)
{
	if (ns < 0)
		printer_format(p, "?");
	else
		printer_format(p, "%" PRId64 ".%" PRId64 "s", ns / NS_PER_SECOND,
			ns / (NS_PER_SECOND / 10) % 10);
}

static void print_group(struct printer *p, const struct difference_row *row)
{
	int64_t example = row->example[SIDE_B] ? row->example[SIDE_B] : row->example[SIDE_A];

	printer_format(p, "\n  ");
	printer_text(p, row->reason ? row->reason : row->status);
	printer_format(p, ": ");
	print_change(p, row);
	if (row->wait_max[SIDE_A] >= 0 || row->wait_max[SIDE_B] >= 0) {
		printer_format(p, "        longest wait ");
		print_wait(p, row->wait_max[SIDE_A]);
		printer_format(p, " → ");
		print_wait(p, row->wait_max[SIDE_B]);
		printer_format(p, "\n");
	}
	if (example)
		printer_format(p, "        as goroutine %" PRId64 "%s\n", example,
			row->example[SIDE_B] ? "" : " of the first");
	print_group_frames(p, row);
}

static void print_rows(struct printer *p, const char *title, const struct difference_table *table)
{
	if (!table->count)
		return;
	printer_format(p, "\n%s\n", title);
	for (size_t i = 0; i < table->count; i++) {
		printer_format(p, "  ");
		printer_text(p, table->rows[i].name);
		printer_format(p, ": ");
		print_change(p, &table->rows[i]);
	}
	if (table->is_cut)
		printer_format(p, "  … and more than are compared\n");
}

static void print_text(
	struct printer *p, const struct difference *d, const struct snapshots *snapshots)
{
	const char *a = d->origins[SIDE_A].fingerprint, *b = d->origins[SIDE_B].fingerprint;

	if (!difference_is_any(d))
		return;
	print_origin(p, '-', &d->origins[SIDE_A], snapshots->names[SIDE_A]);
	print_origin(p, '+', &d->origins[SIDE_B], snapshots->names[SIDE_B]);
	if (!d->is_same_build)
		printer_format(p, "two builds of the program\n");
	if ((a || b) && (!a || !b || strcmp(a, b))) {
		printer_format(p, "two causes: fingerprint ");
		printer_text(p, a ? a : "none");
		printer_format(p, " → ");
		printer_text(p, b ? b : "none");
		printer_format(p, "\n");
	}
	if (d->groups.count)
		printer_format(p, "\nGroups of goroutines\n");
	for (size_t i = 0; i < d->groups.count; i++)
		print_group(p, &d->groups.rows[i]);
	print_rows(p, "Queues", &d->queues);
	print_rows(p, "Numbers", &d->numbers);
}

static void write_number(
	struct json_writer *w, const char *key, const struct difference_number *number)
{
	char text[40];

	jsonw_key(w, key);
	if (!number->is_there) {
		jsonw_null(w);
	} else if (number->is_real) {
		snprintf(text, sizeof(text), "%.17g", number->real);
		jsonw_raw(w, text, strlen(text));
	} else {
		jsonw_i64(w, number->integer);
	}
}

static void write_values(struct json_writer *w, const struct difference_row *row)
{
	write_number(w, "a", &row->values[SIDE_A]);
	write_number(w, "b", &row->values[SIDE_B]);
}

static void write_or_null(struct json_writer *w, const char *key, int64_t number, bool is_there)
{
	jsonw_key(w, key);
	if (is_there)
		jsonw_i64(w, number);
	else
		jsonw_null(w);
}

static void write_group(struct json_writer *w, const struct difference_row *row)
{
	static const char *const sides[SIDES] = {"a", "b"};

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_string(w, "status", row->status);
	jsonw_member_string(w, "wait_reason", row->reason);
	write_values(w, row);
	jsonw_key(w, "wait_max_ns");
	jsonw_begin_object(w);
	for (int i = 0; i < SIDES; i++)
		write_or_null(w, sides[i], row->wait_max[i], row->wait_max[i] >= 0);
	jsonw_end_object(w);
	jsonw_key(w, "example");
	jsonw_begin_object(w);
	for (int i = 0; i < SIDES; i++)
		write_or_null(w, sides[i], row->example[i], row->example[i] != 0);
	jsonw_end_object(w);
	jsonw_key(w, "frames");
	jsonw_begin_array(w);
	for (size_t i = 0; i < row->frame_count; i++)
		jsonw_string(w, row->frames[i]);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

static void write_rows(struct json_writer *w, const char *key, const struct difference_table *table)
{
	jsonw_newline(w);
	jsonw_key(w, key);
	jsonw_begin_array(w);
	for (size_t i = 0; i < table->count; i++) {
		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_member_string(w, "name", table->rows[i].name);
		write_values(w, &table->rows[i]);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_origin(
	struct json_writer *w, const char *key, const struct difference_origin *origin)
{
	jsonw_newline(w);
	jsonw_key(w, key);
	jsonw_begin_object(w);
	jsonw_member_string(w, "title", origin->title);
	jsonw_member_string(w, "program", origin->program);
	jsonw_member_string(w, "captured_at", origin->captured_at);
	jsonw_member_string(w, "go_version", origin->go_version);
	jsonw_member_string(w, "fingerprint", origin->fingerprint);
	jsonw_member_i64(w, "goroutines_total", origin->goroutines);
	jsonw_end_object(w);
}

static void write_json(struct json_writer *w, const struct difference *d)
{
	jsonw_begin_object(w);
	jsonw_member_bool(w, "same", !difference_is_any(d));
	jsonw_member_bool(w, "same_build", d->is_same_build);
	jsonw_member_bool(w, "same_process", d->is_same_process);
	write_origin(w, "a", &d->origins[SIDE_A]);
	write_origin(w, "b", &d->origins[SIDE_B]);
	jsonw_newline(w);
	jsonw_key(w, "groups");
	jsonw_begin_array(w);
	for (size_t i = 0; i < d->groups.count; i++)
		write_group(w, &d->groups.rows[i]);
	jsonw_end_array(w);
	write_rows(w, "queues", &d->queues);
	write_rows(w, "numbers", &d->numbers);
	jsonw_end_object(w);
	w->comma = false; // nothing comes behind it
	jsonw_newline(w);
}

static enum cs_status output_json(const struct difference *d, struct snapshots *snapshots)
{
	struct json_writer w;
	enum cs_status status = jsonw_init(&w, snapshots_write, snapshots);

	if (status)
		return status;
	write_json(&w, d);
	status = jsonw_finish(&w);
	jsonw_deinit(&w);
	return status;
}

static enum cs_status output_text(const struct difference *d, struct snapshots *snapshots)
{
	struct printer *p = printer_create(snapshots_write, snapshots);
	enum cs_status status;

	if (!p)
		return CS_NO_MEMORY;
	print_text(p, d, snapshots);
	status = printer_finish(p);
	printer_destroy(p);
	return status;
}

static enum cs_status refuse(const struct difference *d, struct snapshots *snapshots)
{
	const char *a = d->origins[SIDE_A].program, *b = d->origins[SIDE_B].program;

	if (a && b)
		snprintf(snapshots->why, sizeof(snapshots->why),
			"these are two programs, %.100s and %.100s: --force compares them", a, b);
	else
		snprintf(snapshots->why, sizeof(snapshots->why),
			"%.120s does not say which program it is of: --force compares them",
			snapshots->names[a ? SIDE_B : SIDE_A]);
	return CS_MISMATCH;
}

static enum cs_status compare(struct snapshots *snapshots, uint32_t *ret)
{
	const struct diff_options *wanted = snapshots->options;
	struct difference d;
	enum cs_status status;

	difference_open(&d, &snapshots->arena, snapshots->readers);
	if (!difference_is_one_program(&d) && !wanted->is_forced)
		return refuse(&d, snapshots);
	status = difference_find(&d, &snapshots->arena, snapshots->readers);
	if (status == CS_CORRUPT)
		snprintf(snapshots->why, sizeof(snapshots->why),
			"%.120s or %.120s: its groups are not what a snapshot has there",
			snapshots->names[SIDE_A], snapshots->names[SIDE_B]);
	if (status)
		return status;
	*ret = difference_is_any(&d);
	return wanted->is_json ? output_json(&d, snapshots) : output_text(&d, snapshots);
}

int command_diff(int argc, char **argv)
{
	struct snapshots_job job = {.count = SIDES, .is_sandboxed = true, .work = compare};
	struct diff_options wanted = {.is_json = false};
	uint32_t result;
	int code;

	job.options = &wanted;
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, ":o:h", options, NULL)) >= 0) {
		if (code == 'h')
			return command_print(help);
		if (code == 'o')
			job.output = optarg;
		else if (code == OPTION_JSON)
			wanted.is_json = true;
		else if (code == OPTION_FORCE)
			wanted.is_forced = true;
		else if (code == OPTION_NO_SANDBOX)
			job.is_sandboxed = false;
		else
			return command_usage(NAME,
				code == ':' ? "%s wants a value" : "unknown option %s",
				argv[optind - 1]);
	}
	if (argc - optind != SIDES)
		return command_usage(NAME, "two snapshots are compared, not %d", argc - optind);
	memcpy(job.names, argv + optind, sizeof(job.names));
	if (!snapshots_run(&job, &result))
		return DIFF_FAILED;
	return result ? DIFF_DIFFERENT : DIFF_SAME;
}
