#include "analyzer/blocking/verdicts.h"

#include "analyzer/blocking/cycles.h"
#include "analyzer/blocking/graph.h"
#include "analyzer/blocking/leaks.h"
#include "analyzer/blocking/owners.h"
#include "analyzer/blocking/waits.h"

enum cs_status blocking_find(const struct blocking_input *input, struct blocking *blocking)
{
	const struct leaks_input leaks = {.rt = input->rt,
		.goroutines = input->goroutines,
		.threads = input->threads,
		.frames = input->frames,
		.arena = input->arena};
	struct lock_claims claims = {0};
	enum cs_status status = waits_load(input, blocking);

	if (status == CS_OK)
		status = leaks_judge(&leaks, blocking);
	if (status == CS_OK)
		status = owners_find(input, blocking, &claims);
	if (status == CS_OK)
		status = graph_build(input, &claims, blocking);
	if (status == CS_OK)
		status = cycles_find(input, blocking);
	return status;
}
