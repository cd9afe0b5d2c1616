// What one file is, found out by a sandboxed process of its own.
#ifndef CORESNAP_ANALYZER_IDENTIFY_H
#define CORESNAP_ANALYZER_IDENTIFY_H

#include "analyzer/supervisor.h"

#include <stdbool.h>

/**
 * Identifies the open file `fd`, `name` for messages. True when it is known: report->message says
 * what it is. Else message.text is one line on what is wrong, name and all; where a signal
 * interrupted, `*signal_ret` is that signal.
 */
bool identify_file(const char *name, int fd, bool is_sandboxed, struct supervisor_report *report,
	int *signal_ret);

#endif
