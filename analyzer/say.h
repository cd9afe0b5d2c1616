// Lines for people. What a core or an executable says may be in them: control characters, with
// which a terminal can be taken over, are written as \xNN.
#ifndef CORESNAP_ANALYZER_SAY_H
#define CORESNAP_ANALYZER_SAY_H

#include <stddef.h>

/** Writes "coresnap: " and one line to stderr, in one write. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Copies `text` with control characters (C0, DEL, C1) escaped, cut to fit. Returns `to`. */
char *say_escape(char *to, size_t size, const char *text);

#endif
