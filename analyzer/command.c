#include "analyzer/command.h"

#include "analyzer/say.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_usage(const char *command, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say("%s%s%s", command, *command ? ": " : "", text);
	fprintf(stderr, "Try 'coresnap%s%s --help'.\n", *command ? " " : "", command);
	return COMMAND_USAGE;
}

bool command_number(const char *text, uint32_t max, uint32_t *ret)
{
	unsigned long long number;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end || number > max)
		return false;
	*ret = (uint32_t)number;
	return true;
}

bool command_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	unsigned long long number;
	const char *unit;
	int shift = 0;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || !number)
		return false;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return false;
		shift = 10 * (int)(unit - units + 1);
	}
	if (number > (uint64_t)INT64_MAX >> shift)
		return false;
	*ret = number << shift;
	return true;
}

int command_print(const char *text)
{
	if (fputs(text, stdout) >= 0 && !fflush(stdout))
		return COMMAND_OK;
	if (errno != EPIPE)
		say("standard output: %s", strerror(errno));
	return COMMAND_FAILED;
}
