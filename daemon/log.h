// The daemon's log: one line per event on stderr, readable by people. Under systemd each line
// carries its syslog priority ("<4>…"), which the journal takes off again.
#ifndef CORESNAP_DAEMON_LOG_H
#define CORESNAP_DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_priority { LOG_ERR = 3, LOG_WARN = 4, LOG_INFO = 6, LOG_DBG = 7 };

/** Decides once, from $JOURNAL_STREAM and stderr, whether lines carry priorities. */
void log_init(bool is_verbose);

/**
 * Writes one line with one write(2), so that lines of several processes never mix. Control
 * characters, line breaks too, become '?': names and messages come from crashed programs.
 */
void log_line(enum log_priority priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * Makes `text` safe for a terminal, in place: control characters (C0, DEL, and C1 in UTF-8) become
 * '?'. Returns `text`.
 */
char *log_printable(char *text);

#endif
