// Text that grows up to a limit: pages, lists and log lines are made in it. The first thing that
// does not fit marks it failed, and everything after it is dropped.
#ifndef CORESNAP_SERVER_TEXT_H
#define CORESNAP_SERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; // owned, NUL-terminated once something was added
	size_t used, capacity, max;
	bool failed;
};

/** Empty text that will hold at most `max` bytes. Allocates nothing yet. */
void text_init(struct text *t, size_t max);

/** Frees the bytes. */
void text_deinit(struct text *t);

/** Appends as it is. */
void text_add(struct text *t, const char *string);
void text_add_sized(struct text *t, const char *bytes, size_t size);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Appends for HTML, content or quoted attribute: & < > " ' become entities; control characters and
 * what turns the direction of writing become a visible U+FFFD.
 */
void text_html(struct text *t, const char *string);
void text_html_sized(struct text *t, const char *bytes, size_t size);

/** Appends for a terminal or a log: control characters become '?'. One line stays one line. */
void text_line(struct text *t, const char *bytes, size_t size);

/** Appends percent-encoded, for the query part of an address. */
void text_url(struct text *t, const char *string);

/** Appends a duration as people say it: 850ns, 1.5ms, 2.0s, 5m 3s, 2h 5m, 3d 4h. */
void text_duration(struct text *t, unsigned long long ns);

#endif
