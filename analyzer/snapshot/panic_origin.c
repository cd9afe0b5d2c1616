// runtime/panic.go gopanic(e any), go1.18 to go1.27: its first instructions store e to the home of
// its argument, which the caller reserves just above gopanic's frame, and the _panic of this call
// lies within that frame.
#include "analyzer/snapshot/panic_origin.h"

#include <string.h>

/** The home of gopanic's argument in the call whose frame holds `panic`; 0: there is none. */
static target_addr home_of(
	const struct analysis *analysis, const struct panic_value *panic, const struct walk *walk)
{
	// amd64: right behind the return address; arm64: behind the caller's link register.
	uint64_t skip = image_arch(analysis->image) == ARCH_ARM64 ? 8 : 0;

	for (uint32_t i = 0; i + 1 < walk->count; i++) {
		const struct code_place *place = &analysis->frames.places[walk->places[i]];

		const struct frame *frame =
			&analysis->frames.frames[place->first_frame + place->frame_count - 1];

		if (panic->interface < walk->sps[i] || panic->interface >= walk->sps[i + 1])
			continue;
		return !strcmp(frame->function, "runtime.gopanic") ? walk->sps[i + 1] + skip : 0;
	}
	return 0;
}

/** Whether preprintpanics replaces a value of `type`, a string now, by its text. */
static bool is_replaced_by_text(struct types *types, const struct type *type)
{
	return types_has_method(types, type, "Error") || types_has_method(types, type, "String");
}

bool panic_origin(const struct analysis *analysis, const struct panic_value *panic,
	const struct walk *walk, struct place *ret)
{
	target_addr home;
	uint64_t words[2];
	struct type *type;

	if (!panic->interface)
		return false;
	*ret = place_at(panic->interface, true);
	if (!panic->is_replaced)
		return true;
	home = home_of(analysis, panic, walk);
	if (!home || image_read(analysis->image, home, words, sizeof(words)) != CS_OK)
		return false;
	type = types_at(analysis->types, words[0]);
	if (!type)
		return false;
	if (type == panic->type && words[1] == panic->data)
		return true; // it was a string
	if (!is_replaced_by_text(analysis->types, type))
		return false;
	*ret = place_at(home, true);
	ret->evidence = EVIDENCE_RUNTIME;
	return true;
}
