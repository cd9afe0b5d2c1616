#include "analyzer/analyze_options.h"

#include "analyzer/command.h"
#include "common/limits.h"

#include <getopt.h>
#include <string.h>

#define NAME "analyze"

enum option_code {
	OPTION_EXE = 256,
	OPTION_EXE_DIR,
	OPTION_DEBUG_DIR,
	OPTION_NO_DEBUGINFOD,
	OPTION_FORMAT,
	OPTION_VARIABLES,
	OPTION_NO_SYSTEM,
	OPTION_TRACEBACK,
	OPTION_MAX_STRING,
	OPTION_MAX_ELEMENTS,
	OPTION_MAX_DEPTH,
	OPTION_MAX_UNPACKED,
	OPTION_MAX_FIELDS,
	OPTION_MAX_QUEUE,
	OPTION_MAX_GOROUTINES,
	OPTION_GLOBALS,
	OPTION_NO_SANDBOX,
	OPTION_TIME_LIMIT,
	OPTION_SYSROOT,
	OPTION_FULL,
	OPTION_SORT,
};

static const struct option options[] = {
	{"exe", required_argument, NULL, OPTION_EXE},
	{"exe-dir", required_argument, NULL, OPTION_EXE_DIR},
	{"sysroot", required_argument, NULL, OPTION_SYSROOT},
	{"debug-dir", required_argument, NULL, OPTION_DEBUG_DIR},
	{"no-debuginfod", no_argument, NULL, OPTION_NO_DEBUGINFOD},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"output", required_argument, NULL, 'o'},
	{"variables", required_argument, NULL, OPTION_VARIABLES},
	{"globals", required_argument, NULL, OPTION_GLOBALS},
	{"no-system", no_argument, NULL, OPTION_NO_SYSTEM},
	{"full", no_argument, NULL, OPTION_FULL},
	{"traceback", required_argument, NULL, OPTION_TRACEBACK},
	{"sort", required_argument, NULL, OPTION_SORT},
	{"max-string", required_argument, NULL, OPTION_MAX_STRING},
	{"max-elements", required_argument, NULL, OPTION_MAX_ELEMENTS},
	{"max-depth", required_argument, NULL, OPTION_MAX_DEPTH},
	{"max-unpacked", required_argument, NULL, OPTION_MAX_UNPACKED},
	{"max-fields", required_argument, NULL, OPTION_MAX_FIELDS},
	{"max-queue", required_argument, NULL, OPTION_MAX_QUEUE},
	{"max-goroutines-with-variables", required_argument, NULL, OPTION_MAX_GOROUTINES},
	{"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
	{"time-limit", required_argument, NULL, OPTION_TIME_LIMIT},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/** The position of `text` in the NULL-terminated `names`; -1 where it is none of them. */
static int find_name(const char *text, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	return -1;
}

static int read_format(const char *text, struct analyze_options *ret)
{
	const struct emit_format *format = emit_format_find(text);

	if (!format)
		return command_usage(NAME, "--format: '%s' is not a format", text);
	ret->job.format = format;
	return COMMAND_OK;
}

static int read_variables(const char *text, struct analyze_options *ret)
{
	static const char *const names[] = {[VARIABLES_ALL] = "all",
		[VARIABLES_CRASH] = "crash",
		[VARIABLES_NONE] = "none",
		NULL};
	int found = find_name(text, names);

	if (found < 0)
		return command_usage(NAME, "--variables: '%s' is not all, crash or none", text);
	ret->job.analysis.variables = (enum analysis_variables)found;
	return COMMAND_OK;
}

static int read_traceback(const char *text, struct analyze_options *ret)
{
	static const char *const names[] = {"single", "all", "system", "crash", NULL};

	if (find_name(text, names) < 0)
		return command_usage(
			NAME, "--traceback: '%s' is not single, all, system or crash", text);
	ret->job.emit.traceback = text;
	return COMMAND_OK;
}

static int read_sort(const char *text, struct analyze_options *ret)
{
	static const char *const names[] = {"largest", "rarest", NULL};
	int found = find_name(text, names);

	if (found < 0)
		return command_usage(NAME, "--sort: '%s' is not largest or rarest", text);
	ret->job.emit.sort = found ? SORT_RAREST : SORT_LARGEST;
	return COMMAND_OK;
}

static int read_number(int code, const char *text, struct analyze_options *ret)
{
	struct value_limits *limits = &ret->job.analysis.limits;
	const struct {
		int code;
		const char *name;
		uint32_t max, *number;
	} rows[] = {
		{OPTION_MAX_STRING, "max-string", MAX_OPTION_STRING, &limits->max_string},
		{OPTION_MAX_ELEMENTS, "max-elements", MAX_OPTION_ELEMENTS, &limits->max_elements},
		{OPTION_MAX_DEPTH, "max-depth", MAX_OPTION_DEPTH, &limits->max_depth},
		{OPTION_MAX_FIELDS, "max-fields", MAX_OPTION_FIELDS, &limits->max_fields},
		{OPTION_MAX_QUEUE, "max-queue", MAX_OPTION_QUEUE, &limits->max_queue},
		{OPTION_MAX_GOROUTINES, "max-goroutines-with-variables", MAX_OPTION_GOROUTINES,
			&ret->job.analysis.max_goroutines},
		{OPTION_TIME_LIMIT, "time-limit", MAX_TIME_LIMIT, &ret->time_limit},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code != code)
			continue;
		if (!command_number(text, rows[i].max, rows[i].number))
			return command_usage(NAME, "--%s: '%s' is not a number from 0 to %u",
				rows[i].name, text, rows[i].max);
	}
	return COMMAND_OK;
}

/** Leaves room for the directory that is always searched, behind those of the options. */
static int read_directory(
	const char *name, const char *text, const char **directories, size_t *count)
{
	if (*count == MAX_SEARCH_DIRECTORIES - 1)
		return command_usage(
			NAME, "--%s: not more than %d of them", name, MAX_SEARCH_DIRECTORIES - 1);
	directories[(*count)++] = text;
	return COMMAND_OK;
}

static int read_size(const char *text, struct analyze_options *ret)
{
	if (!command_size(text, &ret->max_unpacked))
		return command_usage(
			NAME, "--max-unpacked: '%s' is not a size such as 500M or 64G", text);
	return COMMAND_OK;
}

static int read_option(int code, const char *text, struct analyze_options *ret)
{
	switch (code) {
	case OPTION_EXE:
		ret->search.executable = text;
		return COMMAND_OK;
	case OPTION_EXE_DIR:
		return read_directory(
			"exe-dir", text, ret->search.exe_dirs, &ret->search.exe_dir_count);
	case OPTION_SYSROOT:
		ret->search.sysroot = text;
		return COMMAND_OK;
	case OPTION_DEBUG_DIR:
		return read_directory(
			"debug-dir", text, ret->search.debug_dirs, &ret->search.debug_dir_count);
	case OPTION_NO_DEBUGINFOD:
		ret->search.uses_debuginfod = false;
		return COMMAND_OK;
	case 'o':
		ret->output = text;
		return COMMAND_OK;
	case 'h':
		ret->wants_help = true;
		return COMMAND_OK;
	case OPTION_FORMAT:
		return read_format(text, ret);
	case OPTION_VARIABLES:
		return read_variables(text, ret);
	case OPTION_GLOBALS:
		ret->job.analysis.globals = text;
		return COMMAND_OK;
	case OPTION_TRACEBACK:
		return read_traceback(text, ret);
	case OPTION_SORT:
		return read_sort(text, ret);
	case OPTION_MAX_UNPACKED:
		return read_size(text, ret);
	case OPTION_FULL:
		ret->job.emit.is_full = true;
		return COMMAND_OK;
	case OPTION_NO_SYSTEM:
		ret->job.analysis.include_system = false;
		return COMMAND_OK;
	case OPTION_NO_SANDBOX:
		ret->job.is_sandboxed = false;
		return COMMAND_OK;
	default:
		return read_number(code, text, ret);
	}
}

int analyze_options_parse(int argc, char **argv, struct analyze_options *ret)
{
	int code, status = COMMAND_OK;

	*ret = (struct analyze_options){.time_limit = DEFAULT_TIME_LIMIT,
		.max_unpacked = DEFAULT_UNPACKED,
		.search.uses_debuginfod = true};
	ret->job = (struct worker_job){.core = -1,
		.output = -1,
		.executable = -1,
		.unpacked = -1,
		.format = emit_format_find("json"),
		.emit = {.traceback = "all"},
		.is_sandboxed = true};
	ret->job.analysis = (struct analysis_options){.include_system = true,
		.variables = VARIABLES_ALL,
		.limits = {.max_string = DEFAULT_STRING,
			.max_elements = DEFAULT_ELEMENTS,
			.max_depth = DEFAULT_DEPTH,
			.max_fields = DEFAULT_FIELDS,
			.max_queue = DEFAULT_QUEUE},
		.max_goroutines = DEFAULT_GOROUTINES,
		.generator_version = CORESNAP_VERSION};
	optind = 0; // 0 starts glibc's getopt anew
	opterr = 0;
	while (!status && (code = getopt_long(argc, argv, ":o:h", options, NULL)) >= 0) {
		if (code == ':')
			status = command_usage(NAME, "%s wants a value", argv[optind - 1]);
		else if (code == '?')
			status = command_usage(NAME, "unknown option %s", argv[optind - 1]);
		else
			status = read_option(code, optarg, ret);
	}
	if (status || ret->wants_help)
		return status;
	if (argc - optind != 1)
		return command_usage(NAME,
			argc == optind ? "no core given" : "one core at a time, not %d",
			argc - optind);
	ret->job.core_name = argv[optind];
	ret->search.exe_dirs[ret->search.exe_dir_count++] = STORE_DIRECTORY;
	if (!ret->search.debug_dir_count)
		ret->search.debug_dirs[ret->search.debug_dir_count++] = DEBUG_DIRECTORY;
	return COMMAND_OK;
}
