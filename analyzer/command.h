// The commands of `coresnap`, one row each in main.c: what they are given and what they return.
#ifndef CORESNAP_ANALYZER_COMMAND_H
#define CORESNAP_ANALYZER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

enum command_exit { COMMAND_OK, COMMAND_FAILED, COMMAND_USAGE };

/** `coresnap analyze`: argv[0] is the command's own name. Returns the exit status. */
int command_analyze(int argc, char **argv);

/** `coresnap diff`, likewise; its statuses are enum diff_exit. */
int command_diff(int argc, char **argv);

/** `coresnap explain`, likewise. */
int command_explain(int argc, char **argv);

/** `coresnap identify`, likewise. */
int command_identify(int argc, char **argv);

/** `coresnap store`, likewise. */
int command_store(int argc, char **argv);

/** Says one line on wrong usage, and where to read more. Returns COMMAND_USAGE. */
int command_usage(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** A decimal number in [0, max]; false, with nothing written, for any other text. */
bool command_number(const char *text, uint32_t max, uint32_t *ret);

/** Bytes: digits and an optional K, M, G or T (powers of 1024); false for any other text and 0. */
bool command_size(const char *text, uint64_t *ret);

/** Writes `text` to standard output. Returns COMMAND_OK, or COMMAND_FAILED with a line said. */
int command_print(const char *text);

#endif
