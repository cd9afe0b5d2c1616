// `coresnap store add`: keeps executables and debug files for the crashes to come. Each file is
// identified in a sandboxed process of its own; here it is only copied.
#include "analyzer/command.h"
#include "analyzer/identify.h"
#include "analyzer/input.h"
#include "analyzer/say.h"
#include "analyzer/search.h"
#include "analyzer/store.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "store"

static const char help[] =
	"usage: coresnap store add [--store DIR] FILE...\n"
	"\n"
	"Keep copies of Go executables, and of their debug files, by build id. 'coresnap\n"
	"analyze' finds them there when a core's executable is gone or was replaced.\n"
	"\n"
	"      --store DIR     where to keep them (default " STORE_DIRECTORY ")\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 all are kept; 1 some are not; 2 wrong usage.\n";

enum option_code { OPTION_STORE = 256 };

static const struct option options[] = {
	{"store", required_argument, NULL, OPTION_STORE},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/** Which file this is, if it is one to keep; false when what is wrong was said. */
static bool find_out(const char *name, int fd, struct supervisor_report *report, int *signal_ret)
{
	if (!identify_file(name, fd, true, report, signal_ret)) {
		if (!*signal_ret)
			say("%s", report->message.text);
		return false;
	}
	if (report->message.file == FILE_EXECUTABLE || report->message.file == FILE_DEBUG)
		return true;
	say("%s: is a core; name the executable that left it", name);
	return false;
}

static bool keep(const char *directory, const char *name, int *signal_ret)
{
	struct supervisor_report report = {.end = WORKER_DIED};
	struct store_names names;
	char why[256], text[2 * MAX_PATH_LENGTH];
	bool is_kept = false;
	int fd;

	if (input_open(name, &fd, why, sizeof(why))) {
		say("%s: %s", name, why);
		return false;
	}
	if (find_out(name, fd, &report, signal_ret)) {
		is_kept = !store_add(directory, fd, &report.message, &names, why);
		if (!is_kept)
			say("%s: %s", name, why);
	}
	close(fd);
	for (size_t i = 0; is_kept && i < STORE_NAMES; i++)
		if (*names.rows[i])
			printf("%s/%s\n", say_escape(text, sizeof(text), directory), names.rows[i]);
	return is_kept;
}

static int parse(int argc, char **argv, const char **directory_ret, bool *wants_help_ret)
{
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		if (code == OPTION_STORE)
			*directory_ret = optarg;
		else if (code == 'h')
			*wants_help_ret = true;
		else
			return command_usage(NAME,
				code == ':' ? "%s wants a value" : "unknown option %s",
				argv[optind - 1]);
	}
	if (*wants_help_ret)
		return COMMAND_OK;
	if (optind == argc || strcmp(argv[optind], "add"))
		return command_usage(NAME, "what to do? 'add' is all there is");
	return optind + 1 < argc ? COMMAND_OK : command_usage(NAME, "no file given");
}

int command_store(int argc, char **argv)
{
	const char *directory = STORE_DIRECTORY;
	bool wants_help = false;
	int status = parse(argc, argv, &directory, &wants_help), signal = 0;

	if (status)
		return status;
	if (wants_help)
		return command_print(help);
	supervisor_block_signals();
	for (int i = optind + 1; i < argc && !signal; i++) {
		if (!keep(directory, argv[i], &signal))
			status = COMMAND_FAILED;
		if (command_print("")) // no worker gets a copy of unwritten lines
			status = COMMAND_FAILED;
	}
	supervisor_unblock_signals(signal);
	return status;
}
