#include "analyzer/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 8192
#define ESCAPE_SIZE 4 // \xNN

/** Bytes of the control character at `at`: 0 where it is none. */
static size_t control_size(const unsigned char *at)
{
	if (*at < 0x20 || *at == 0x7f)
		return 1;
	// U+0080 to U+009F are control characters too.
	return *at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
}

char *say_escape(char *to, size_t size, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	while (*at && used + 2 * ESCAPE_SIZE < size) {
		size_t control = control_size(at);

		if (!control)
			to[used++] = (char)*at++;
		for (; control; control--)
			used += (size_t)snprintf(to + used, size - used, "\\x%02x", *at++);
	}
	to[used] = 0;
	return to;
}

void say(const char *format, ...)
{
	char text[LINE_SIZE / ESCAPE_SIZE], line[LINE_SIZE] = "coresnap: ";
	size_t size = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_escape(line + size, sizeof(line) - size - 1, text);
	size = strlen(line);
	line[size++] = '\n';
	if (write(STDERR_FILENO, line, size) < 0)
		return; // nowhere left to say it
}
