// Writes text for people to a sink, in large pieces. What came out of the target is made safe for a
// terminal: control characters and bytes that are not UTF-8 appear as \xNN.
#ifndef CORESNAP_ANALYZER_EMIT_PRINTER_H
#define CORESNAP_ANALYZER_EMIT_PRINTER_H

#include "analyzer/emit/emit.h"

#include <stdint.h>

#define PRINTER_BUFFER 65536

struct printer {
	emit_sink *sink;
	void *context; // borrowed
	size_t used;
	bool failed;
	char buffer[PRINTER_BUFFER];
};

/** A printer into `sink`, on the heap; NULL: out of memory. Ends with printer_destroy. */
struct printer *printer_create(emit_sink *sink, void *context);
void printer_destroy(struct printer *printer);

/** Writes out what is buffered; CS_IO if this or any earlier write failed. */
CS_MUST_USE enum cs_status printer_finish(struct printer *printer);

/** Our own words, as printf. At most 1 KiB at a time. */
void printer_format(struct printer *printer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Text of the target's; NULL is "?". Line breaks and tabs stay. */
void printer_text(struct printer *printer, const char *text);

/** The same for text that may hold NULs. */
void printer_sized(struct printer *printer, const char *text, size_t size);

#endif
