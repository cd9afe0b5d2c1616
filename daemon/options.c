#include "daemon/options.h"

#include "daemon/backoff.h"
#include "daemon/setting.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum option_code {
	OPTION_FOREGROUND = 256,
	OPTION_WATCH,
	OPTION_EXECUTABLES,
	OPTION_SPOOL,
	OPTION_UPLOAD,
	OPTION_TOKEN,
	OPTION_CA,
	OPTION_TIME_LIMIT,
	OPTION_SPOOL_MAX,
	OPTION_KEEP_FREE,
	OPTION_MAX_UNPACKED,
	OPTION_ANALYZER,
	OPTION_JOBS,
	OPTION_EXECUTABLE_WAIT,
	OPTION_RETRY_MIN,
	OPTION_STALL,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option table[] = {
	{"foreground", no_argument, NULL, OPTION_FOREGROUND},
	{"watch", required_argument, NULL, OPTION_WATCH},
	{"exe-dir", required_argument, NULL, OPTION_EXECUTABLES},
	{"spool", required_argument, NULL, OPTION_SPOOL},
	{"upload", required_argument, NULL, OPTION_UPLOAD},
	{"upload-token", required_argument, NULL, OPTION_TOKEN},
	{"ca-file", required_argument, NULL, OPTION_CA},
	{"time-limit", required_argument, NULL, OPTION_TIME_LIMIT},
	{"spool-max", required_argument, NULL, OPTION_SPOOL_MAX},
	{"keep-free", required_argument, NULL, OPTION_KEEP_FREE},
	{"max-unpacked", required_argument, NULL, OPTION_MAX_UNPACKED},
	{"analyzer", required_argument, NULL, OPTION_ANALYZER},
	{"jobs", required_argument, NULL, OPTION_JOBS},
	{"executable-wait", required_argument, NULL, OPTION_EXECUTABLE_WAIT},
	{"retry-min", required_argument, NULL, OPTION_RETRY_MIN},
	{"stall-timeout", required_argument, NULL, OPTION_STALL},
	{"verbose", no_argument, NULL, OPTION_VERBOSE},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

const char *daemon_options_help(void)
{
	return "usage: coresnapd --foreground --watch DIR --exe-dir DIR --spool DIR --upload URL\n"
	       "\n"
	       "Takes each core file that appears in DIR, makes a snapshot of the Go program that\n"
	       "crashed, and uploads it. Cores are never changed or deleted.\n"
	       "\n"
	       "  --foreground           stay in the foreground (required: there is no other "
	       "mode)\n"
	       "  --watch DIR            where core files appear; may be given several times\n"
	       "  --exe-dir DIR          executables by build id, searched below DIR; several "
	       "times\n"
	       "  --spool DIR            snapshots not yet uploaded; made if absent, private\n"
	       "  --upload URL           https://…, or http:// to this machine; objects are "
	       "URL/ID.json\n"
	       "  --upload-token FILE    send the first line of FILE as bearer token\n"
	       "  --ca-file FILE         trust these certificates (PEM) instead of the system's\n"
	       "  --analyzer PATH        the coresnap command (default: beside coresnapd, then "
	       "PATH)\n"
	       "  --time-limit TIME      stop an analysis after this (default 10m)\n"
	       "  --executable-wait TIME how long a core waits for its executable before a "
	       "minimal\n"
	       "                         snapshot is made without (default 24h)\n"
	       "  --jobs N               analyses at once (default 1)\n"
	       "  --spool-max SIZE       most that the spool may hold (default 1G)\n"
	       "  --keep-free SIZE       disk space to leave (default: 5 % of the disk, at most "
	       "1G)\n"
	       "  --max-unpacked SIZE    most that a compressed core may unpack to (default 64G)\n"
	       "  --retry-min TIME       first upload backoff; it doubles up to 1h (default 1s)\n"
	       "  --stall-timeout TIME   give up an upload that does not move (default 30s)\n"
	       "  --verbose              log what is ignored, too\n"
	       "  --help, --version\n"
	       "\n"
	       "SIZE: 512M, 2G. TIME: 30s, 10m, 24h. SIGHUP: look at all directories again.\n";
}

static const char *take_directory(const char *argument, const char **list, size_t *count)
{
	if (*count == MAX_WATCH_DIRECTORIES)
		return "is given too often";
	list[(*count)++] = argument;
	return NULL;
}

static const char *take_url(const char *argument, struct options *options)
{
	const char *problem = setting_upload_url(argument, &options->is_https);

	options->upload = argument;
	options->upload_length = strlen(argument);
	while (options->upload_length && argument[options->upload_length - 1] == '/')
		options->upload_length--;
	return problem;
}

static const char *take_size(const char *argument, uint64_t *ret)
{
	return setting_size(argument, ret) ? "is not a size such as 512M or 2G" : NULL;
}

static const char *take_time(const char *argument, uint64_t *ret)
{
	if (setting_duration_ns(argument, ret) || *ret == 0)
		return "is not a time such as 30s, 10m or 24h";
	return NULL;
}

// Takes the options that are values; NULL, or what is wrong with the argument.
static const char *take_value(int code, const char *argument, struct options *options)
{
	uint64_t size;

	switch (code) {
	case OPTION_WATCH:
		return take_directory(argument, options->watch, &options->watch_count);
	case OPTION_EXECUTABLES:
		return take_directory(argument, options->executables, &options->executables_count);
	case OPTION_UPLOAD:
		return take_url(argument, options);
	case OPTION_TIME_LIMIT:
		return take_time(argument, &options->time_limit_ns);
	case OPTION_EXECUTABLE_WAIT:
		return take_time(argument, &options->executable_wait_ns);
	case OPTION_RETRY_MIN:
		return take_time(argument, &options->retry_min_ns);
	case OPTION_STALL:
		return take_time(argument, &options->stall_timeout_ns);
	case OPTION_SPOOL_MAX:
		return take_size(argument, &options->spool_max);
	case OPTION_KEEP_FREE:
		return take_size(argument, &options->keep_free);
	case OPTION_MAX_UNPACKED:
		options->max_unpacked = argument;
		return take_size(argument, &size);
	case OPTION_JOBS:
		return setting_number(argument, 1, 64, &options->jobs) ? "is not between 1 and 64"
								       : NULL;
	default:
		return "is not known";
	}
}

// Takes the options that are names and flags; false for all others.
static bool take_plain(int code, const char *argument, struct options *options)
{
	switch (code) {
	case OPTION_FOREGROUND:
		options->is_foreground = true;
		return true;
	case OPTION_VERBOSE:
		options->is_verbose = true;
		return true;
	case OPTION_SPOOL:
		options->spool = argument;
		return true;
	case OPTION_TOKEN:
		options->token_file = argument;
		return true;
	case OPTION_CA:
		options->ca_file = argument;
		return true;
	case OPTION_ANALYZER:
		options->analyzer = argument;
		return true;
	default:
		return false;
	}
}

static const char *missing_option(const struct options *options)
{
	if (!options->is_foreground)
		return "--foreground is required: coresnapd does not detach, let systemd run it";
	if (!options->watch_count)
		return "--watch DIR is required: where do core files appear?";
	if (!options->spool)
		return "--spool DIR is required: where may snapshots wait for their upload?";
	if (!options->upload)
		return "--upload URL is required: where do snapshots go?";
	return NULL;
}

enum options_action daemon_options_parse(
	int argc, char **argv, struct options *ret, char *problem, size_t size)
{
	struct options options = {
		.time_limit_ns = 600 * NS_PER_SECOND,
		.executable_wait_ns = 86400 * NS_PER_SECOND,
		.retry_min_ns = NS_PER_SECOND,
		.stall_timeout_ns = 30 * NS_PER_SECOND,
		.spool_max = 1ull << 30,
		.keep_free = UINT64_MAX,
		.jobs = 1,
	};
	const char *wrong;
	int code, index = 0;

	optind = 0;
	while ((code = getopt_long(argc, argv, ":", table, &index)) != -1) {
		if (code == OPTION_HELP)
			return OPTIONS_HELP;
		if (code == OPTION_VERSION)
			return OPTIONS_VERSION;
		if (code == '?' || code == ':') {
			snprintf(problem, size, "%s: %s", argv[optind - 1],
				code == ':' ? "needs a value" : "is not an option; see --help");
			return OPTIONS_WRONG;
		}
		if (take_plain(code, optarg, &options))
			continue;
		wrong = take_value(code, optarg, &options);
		if (wrong) {
			snprintf(problem, size, "--%s %s: %s", table[index].name, optarg, wrong);
			return OPTIONS_WRONG;
		}
	}
	wrong = optind < argc ? "takes options only; see --help" : missing_option(&options);
	if (wrong) {
		snprintf(problem, size, "%s", wrong);
		return OPTIONS_WRONG;
	}
	*ret = options;
	return OPTIONS_RUN;
}
