#include "analyzer/emit/printer.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_MAX 1024

struct printer *printer_create(emit_sink *sink, void *context)
{
	struct printer *printer = malloc(sizeof(*printer));

	if (printer) {
		printer->sink = sink;
		printer->context = context;
		printer->used = 0;
		printer->failed = false;
	}
	return printer;
}

void printer_destroy(struct printer *printer)
{
	free(printer);
}

enum cs_status printer_finish(struct printer *printer)
{
	if (printer->used && !printer->failed &&
		!printer->sink(printer->context, printer->buffer, printer->used))
		printer->failed = true;
	printer->used = 0;
	return printer->failed ? CS_IO : CS_OK;
}

static void put(struct printer *printer, const char *bytes, size_t size)
{
	if (size > sizeof(printer->buffer) - printer->used && printer_finish(printer) != CS_OK)
		return;
	memcpy(printer->buffer + printer->used, bytes, size);
	printer->used += size;
}

void printer_format(struct printer *printer, const char *format, ...)
{
	char text[FORMAT_MAX];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length > 0)
		put(printer, text,
			(size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

void printer_sized(struct printer *printer, const char *text, size_t size)
{
	while (size) {
		size_t length = utf8_length(text, size);
		unsigned char c = (unsigned char)*text;
		bool is_control = (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f ||
				  (c == 0xc2 && length == 2 && (unsigned char)text[1] < 0xa0);

		if (!length || is_control) {
			printer_format(printer, "\\x%02x", c);
			length = 1;
		} else {
			put(printer, text, length);
		}
		text += length;
		size -= length;
	}
}

void printer_text(struct printer *printer, const char *text)
{
	if (!text)
		text = "?";
	printer_sized(printer, text, strlen(text));
}
