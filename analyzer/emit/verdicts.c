#include "analyzer/emit/verdicts.h"

#include "analyzer/snapshot/analysis.h"
#include "common/limits.h"

#include <inttypes.h>

#define MANY_WAITERS 2 // for one lock

static uint64_t id_of(const struct analysis *analysis, size_t index)
{
	return analysis->goroutines.list[index].id;
}

static void print_evidence(struct printer *printer, const struct analysis *analysis, size_t i)
{
	const struct blocking_evidence *evidence = &analysis->blocking.evidence[i];

	printer_format(printer, "  goroutine %" PRIu64 " ", id_of(analysis, evidence->goroutine));
	printer_text(printer, evidence->text);
	printer_format(printer, "\n");
}

static void print_deadlock(struct printer *printer, const struct analysis *analysis,
	const struct blocking_cycle *cycle)
{
	if (cycle->count == 1)
		printer_format(printer, "\ndeadlock: goroutine %" PRIu64 " waits for itself\n",
			id_of(analysis, cycle->members[0]));
	else
		printer_format(
			printer, "\ndeadlock: %zu goroutines wait for each other\n", cycle->count);
	for (size_t i = 0; i < cycle->evidence_count && i < MAX_VERDICTS_PRINTED; i++)
		print_evidence(printer, analysis, cycle->first_evidence + i);
	if (cycle->evidence_count > MAX_VERDICTS_PRINTED)
		printer_format(
			printer, "  … %zu more\n", cycle->evidence_count - MAX_VERDICTS_PRINTED);
}

static void print_leaked(struct printer *printer, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;

	if (!b->leaked_count)
		return;
	printer_format(printer, "\nleaked: %zu goroutine%s that nobody can wake any more\n",
		b->leaked_count, b->leaked_count > 1 ? "s" : "");
	for (size_t i = 0; i < b->leak_evidence_count && i < MAX_VERDICTS_PRINTED; i++)
		print_evidence(printer, analysis, i);
	if (b->leak_evidence_count > MAX_VERDICTS_PRINTED)
		printer_format(
			printer, "  … %zu more\n", b->leak_evidence_count - MAX_VERDICTS_PRINTED);
}

static void print_jam(
	struct printer *printer, const struct analysis *analysis, const struct sync_object *object)
{
	const struct goroutine *owner = &analysis->goroutines.list[object->likely_owner];
	const char *reason = goroutine_wait_reason(analysis->rt, owner);

	printer_format(printer,
		"\n%zu goroutines wait for the %s 0x%" PRIx64 ", which goroutine %" PRIu64
		" seems to hold (",
		object->waiter_count, object->kind, object->address, owner->id);
	printer_text(printer, reason ? reason : goroutine_status_name(owner->status));
	printer_format(printer, ")\n");
}

void verdicts_print(struct printer *printer, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;
	size_t jams = 0;

	for (size_t i = 0; i < b->deadlock_count && i < MAX_VERDICTS_PRINTED; i++)
		print_deadlock(printer, analysis, &b->deadlocks[i]);
	if (b->deadlock_count > MAX_VERDICTS_PRINTED)
		printer_format(printer, "\n… %zu more deadlocks\n",
			b->deadlock_count - MAX_VERDICTS_PRINTED);
	print_leaked(printer, analysis);
	for (size_t i = 0; i < b->object_count && jams < MAX_VERDICTS_PRINTED; i++)
		if (b->objects[i].waiter_count >= MANY_WAITERS &&
			b->objects[i].likely_owner != NO_BLOCKER) {
			print_jam(printer, analysis, &b->objects[i]);
			jams++;
		}
}
