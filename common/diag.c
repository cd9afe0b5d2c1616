#include "common/diag.h"

#include "common/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void diag_init(struct diag *diag, struct arena *arena)
{
	*diag = (struct diag){.arena = arena};
}

static struct diag_entry *find(struct diag *diag, const char *code)
{
	for (size_t i = 0; i < diag->count; i++)
		if (!strcmp(diag->entries[i].code, code))
			return &diag->entries[i];
	return NULL;
}

__attribute__((format(printf, 2, 0))) static const char *format_message(
	struct diag *diag, const char *format, va_list args)
{
	char text[MAX_DIAGNOSTIC_LENGTH];
	const char *copy;

	vsnprintf(text, sizeof(text), format, args);
	copy = arena_string(diag->arena, text);
	return copy ? copy : "out of memory";
}

static void add(struct diag *diag, enum diag_severity severity, const char *code,
	const char *message, uint64_t count)
{
	struct diag_entry *entries;

	if (diag->count >= MAX_DIAGNOSTICS)
		return;
	entries = arena_grow(
		diag->arena, diag->entries, &diag->capacity, diag->count + 1, sizeof(*entries));
	if (!entries)
		return;
	diag->entries = entries;
	entries[diag->count++] = (struct diag_entry){severity, code, message, count};
}

void diag_add(
	struct diag *diag, enum diag_severity severity, const char *code, const char *format, ...)
{
	struct diag_entry *known = find(diag, code);
	va_list args;

	if (known) {
		known->count++;
		return;
	}
	va_start(args, format);
	add(diag, severity, code, format_message(diag, format, args), 1);
	va_end(args);
}

enum cs_status diag_fail(
	struct diag *diag, enum cs_status status, const char *code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag->fatal = format_message(diag, format, args);
	va_end(args);
	add(diag, DIAG_ERROR, code, diag->fatal, 1);
	return status;
}

void diag_adopt(struct diag *diag, const struct diag *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct diag_entry *entry = &from->entries[i];
		struct diag_entry *known = find(diag, entry->code);

		if (known)
			known->count += entry->count;
		else
			add(diag, entry->severity, entry->code, entry->message, entry->count);
	}
	if (from->fatal)
		diag->fatal = from->fatal;
}

const char *diag_severity_name(enum diag_severity severity)
{
	static const char *const names[] = {"info", "warning", "error"};

	return names[severity];
}
