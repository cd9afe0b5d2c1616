#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 2048

// Set once by log_init, before anything is logged.
static bool has_priorities;
static bool shows_debug;

void log_init(bool is_verbose)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	shows_debug = is_verbose;
	has_priorities = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
			 fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
			 st.st_ino == inode;
}

char *log_printable(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			*p = p[1] = '?';
	}
	return text;
}

void log_line(enum log_priority priority, const char *format, ...)
{
	char text[LINE_SIZE], line[LINE_SIZE + 32];
	va_list arguments;
	int size;

	if (priority == LOG_DBG && !shows_debug)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (has_priorities)
		size = snprintf(line, sizeof(line), "<%d>%s\n", (int)priority, log_printable(text));
	else
		size = snprintf(line, sizeof(line), "coresnapd: %s\n", log_printable(text));
	// A log that cannot be written has nowhere to be reported.
	if (write(STDERR_FILENO, line, (size_t)size) < 0)
		return;
}
