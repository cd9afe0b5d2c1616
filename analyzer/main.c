// `coresnap`: finds the command in a table and runs it.
#include "analyzer/command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"analyze", command_analyze, "make a snapshot of a Go program's core"},
	{"diff", command_diff, "compare two snapshots of one program"},
	{"explain", command_explain, "tell why a crash has the fingerprint that it has"},
	{"identify", command_identify, "tell what cores and executables are"},
	{"store", command_store, "keep executables and debug files by build id"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	char text[1024];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text),
		"usage: coresnap COMMAND [OPTION]... FILE...\n"
		"\n"
		"Read how a Go program crashed.\n"
		"\n"
		"Commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "  %-10s %s\n",
			commands[i].name, commands[i].summary);
	snprintf(text + used, sizeof(text) - used,
		"\n"
		"'coresnap COMMAND --help' tells more; 'coresnap --version' the version.\n");
	return command_print(text);
}

static int run(const char *name, int argc, char **argv)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc, argv);
	return command_usage("", "'%s' is not a command", name);
}

/** `coresnap help COMMAND` is `coresnap COMMAND --help`. */
static int help(int argc, char **argv)
{
	char option[] = "--help";
	char *help_argv[] = {argv[argc > 1], option, NULL};

	return argc > 1 ? run(argv[1], 2, help_argv) : print_help();
}

/** A core must not be opened as descriptor 0, 1 or 2. Writing into the substitute fails. */
static void fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	fill_standard_streams();
	signal(SIGPIPE, SIG_IGN); // EPIPE is told apart from a failed write, and is quiet
	if (argc < 2)
		return command_usage("", "no command given");
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return print_help();
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return command_print("coresnap " CORESNAP_VERSION "\n");
	if (!strcmp(name, "help"))
		return help(argc - 1, argv + 1);
	return run(name, argc - 1, argv + 1);
}
