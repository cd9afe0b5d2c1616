// The minimal analysis: identity and what the image's notes say.
#include "analyzer/snapshot/analysis.h"

#include "analyzer/binary/binary.h"
#include "analyzer/snapshot/identity.h"

enum cs_status analysis_create(struct image *image, struct binary *binary,
	const struct core_executable *executable, const struct analysis_options *options,
	struct arena *arena, struct diag *diag, struct analysis **ret)
{
	struct analysis *analysis = arena_alloc(arena, sizeof(*analysis));
	const char *go_build_id = executable->go_build_id;

	if (!analysis)
		return diag_fail(diag, CS_NO_MEMORY, "no-memory", "%s: out of memory",
			options->core_name);
	*analysis = (struct analysis){image, binary, executable, options, diag, ""};
	if (!go_build_id && binary)
		go_build_id = binary_info(binary)->go_build_id;
	if (identity_compute(image, go_build_id, analysis->id, sizeof(analysis->id)))
		return diag_fail(diag, CS_UNSUPPORTED, "no-digest",
			"%s: this machine's libcrypto has no SHA-256; install libssl3 anew",
			options->core_name);
	*ret = analysis;
	return CS_OK;
}
