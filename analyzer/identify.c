// `coresnap identify`: what is each of these files? One line or JSON object a file. The daemon
// indexes its executables with it and learns which one a core came from. Each file is read in a
// sandboxed process of its own.
#include "analyzer/identify.h"

#include "analyzer/command.h"
#include "analyzer/input.h"
#include "analyzer/room.h"
#include "analyzer/say.h"
#include "analyzer/supervisor.h"
#include "analyzer/worker.h"
#include "common/json/writer.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "identify"

static const char help[] =
	"usage: coresnap identify [--json] FILE...\n"
	"\n"
	"Tell what each core, Go executable or debug file is: kind, Go version, Go build id,\n"
	"GNU build id, executable path, signal, pid; '-' where it is not known.\n"
	"\n"
	"      --json          one JSON object a line\n"
	"      --no-sandbox    read the files without a sandbox\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 all were identified; 1 some were not; 2 wrong usage.\n";

enum option_code { OPTION_JSON = 256, OPTION_NO_SANDBOX };

static const struct option options[] = {
	{"json", no_argument, NULL, OPTION_JSON},
	{"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct identify {
	bool is_json, is_sandboxed, wants_help;
};

bool identify_file(const char *name, int fd, bool is_sandboxed, struct supervisor_report *report,
	int *signal_ret)
{
	struct worker_job job = {.core = fd,
		.core_name = name,
		.output = -1,
		.executable = -1,
		.unpacked = -1,
		.cpu_seconds = MINIMAL_TIME_LIMIT,
		.is_sandboxed = is_sandboxed};
	struct supervisor_job run = {
		.work = worker_identify, .context = &job, .seconds = MINIMAL_TIME_LIMIT};
	struct channel_message *message = &report->message;
	struct stat status;
	bool is_started;
	char why[512];

	if (!fstat(fd, &status))
		job.files_size = (uint64_t)status.st_size;
	if (room_open(fd, DEFAULT_UNPACKED, &job.unpack_limits, &job.unpacked, why, sizeof(why))) {
		snprintf(message->text, sizeof(message->text), "%s: %s", name, why);
		return false;
	}
	memcpy(run.keep, (int[]){fd, job.unpacked, -1, -1}, sizeof(run.keep));
	is_started = !supervisor_run(&run, report);
	if (!is_started)
		snprintf(message->text, sizeof(message->text),
			"%s: no process can be started for it: %s", name, strerror(errno));
	if (job.unpacked >= 0)
		close(job.unpacked);
	if (!is_started)
		return false;
	*signal_ret = report->signal;
	if (report->end == WORKER_DIED)
		snprintf(message->text, sizeof(message->text), "%s: reading it was %s", name,
			report->why);
	return report->end == WORKER_REPORTED && message->outcome == OUTCOME_DONE;
}

static const char *kind_name(uint32_t file)
{
	switch (file) {
	case FILE_CORE:
		return "core";
	case FILE_EXECUTABLE:
		return "executable";
	case FILE_DEBUG:
		return "debug-file";
	default:
		return "unknown";
	}
}

static const char *text_or(const char *text, const char *absent)
{
	return *text ? text : absent;
}

static void print_line(const char *name, const struct channel_message *message)
{
	char file[2 * MAX_PATH_LENGTH], path[2 * MAX_PATH_LENGTH], version[512], go[1024],
		gnu[1024];

	printf("%s: %s go-version=%s go-build-id=%s gnu-build-id=%s executable=%s",
		say_escape(file, sizeof(file), name), kind_name(message->file),
		say_escape(version, sizeof(version), text_or(message->go_version, "-")),
		say_escape(go, sizeof(go), text_or(message->go_build_id, "-")),
		say_escape(gnu, sizeof(gnu), text_or(message->gnu_build_id, "-")),
		say_escape(path, sizeof(path), text_or(message->path, "-")));
	if (message->signal)
		printf(" signal=%d", message->signal);
	else
		printf(" signal=-");
	if (message->pid)
		printf(" pid=%u\n", message->pid);
	else
		printf(" pid=-\n");
}

static bool write_stdout(void *context, const char *bytes, size_t size)
{
	(void)context;
	return fwrite(bytes, 1, size, stdout) == size;
}

static void json_number(struct json_writer *w, const char *key, int64_t number)
{
	if (number)
		jsonw_member_i64(w, key, number);
	else
		jsonw_member_null(w, key);
}

/** `error` is NULL for a file that was identified. */
static bool print_json(const char *name, const struct channel_message *message, const char *error)
{
	struct json_writer w;
	bool is_written;

	if (jsonw_init(&w, write_stdout, NULL))
		return false;
	jsonw_begin_object(&w);
	jsonw_member_string(&w, "file", name);
	jsonw_member_string(&w, "kind", error ? "unknown" : kind_name(message->file));
	if (error) {
		jsonw_member_string(&w, "error", error);
	} else {
		jsonw_member_string(&w, "go_version", text_or(message->go_version, NULL));
		jsonw_member_string(&w, "go_build_id", text_or(message->go_build_id, NULL));
		jsonw_member_string(&w, "gnu_build_id", text_or(message->gnu_build_id, NULL));
		jsonw_member_string(&w, "executable", text_or(message->path, NULL));
		json_number(&w, "signal", message->signal);
		json_number(&w, "pid", message->pid);
	}
	jsonw_end_object(&w);
	w.comma = false; // objects on lines of their own, nothing between them
	jsonw_newline(&w);
	is_written = !jsonw_finish(&w);
	jsonw_deinit(&w);
	return is_written;
}

/** Identifies one file and prints it. Returns the exit status as far as it is concerned. */
static int identify_one(const struct identify *identify, const char *name, int *signal_ret)
{
	struct supervisor_report report = {.end = WORKER_DIED};
	char why[256], error[MAX_DIAGNOSTIC_LENGTH];
	bool is_known = false;
	int fd;

	if (input_open(name, &fd, why, sizeof(why))) {
		snprintf(report.message.text, sizeof(report.message.text), "%s: %s", name, why);
	} else {
		is_known = identify_file(name, fd, identify->is_sandboxed, &report, signal_ret);
		close(fd);
	}
	if (*signal_ret)
		return COMMAND_FAILED;
	memcpy(error, report.message.text, sizeof(error));
	if (identify->is_json)
		is_known = print_json(name, &report.message, is_known ? NULL : error) && is_known;
	else if (is_known)
		print_line(name, &report.message);
	else
		say("%s", error);
	return is_known ? COMMAND_OK : COMMAND_FAILED;
}

static int parse(int argc, char **argv, struct identify *ret)
{
	int code;

	*ret = (struct identify){.is_sandboxed = true};
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (code == OPTION_JSON)
			ret->is_json = true;
		else if (code == OPTION_NO_SANDBOX)
			ret->is_sandboxed = false;
		else if (code == 'h')
			ret->wants_help = true;
		else
			return command_usage(NAME, "unknown option %s", argv[optind - 1]);
	}
	if (optind == argc && !ret->wants_help)
		return command_usage(NAME, "no file given");
	return COMMAND_OK;
}

int command_identify(int argc, char **argv)
{
	struct identify identify;
	int status = parse(argc, argv, &identify), signal = 0;

	if (status)
		return status;
	if (identify.wants_help)
		return command_print(help);
	supervisor_block_signals();
	for (int i = optind; i < argc && !signal; i++) {
		if (identify_one(&identify, argv[i], &signal))
			status = COMMAND_FAILED;
		// So that a reader has each line at once, and no worker a copy of unwritten ones.
		if (fflush(stdout)) {
			if (errno != EPIPE)
				say("standard output: %s", strerror(errno));
			return COMMAND_FAILED;
		}
	}
	supervisor_unblock_signals(signal);
	return status;
}
