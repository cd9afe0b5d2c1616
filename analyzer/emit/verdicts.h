// Deadlocks and leaked goroutines in words, for people.
#ifndef CORESNAP_ANALYZER_EMIT_VERDICTS_H
#define CORESNAP_ANALYZER_EMIT_VERDICTS_H

#include "analyzer/emit/printer.h"

struct analysis;

/**
 * Writes each deadlock, then the leaked goroutines, with the evidence for each; then locks that
 * several wait for, with their likely owners. Nothing where there is none of them.
 */
void verdicts_print(struct printer *printer, const struct analysis *analysis);

#endif
