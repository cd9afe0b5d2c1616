#include "analyzer/values/place.h"

#include "common/checked.h"

struct place place_at(target_addr address, bool is_live)
{
	return (struct place){.address = address, .is_live = is_live};
}

/** The part of `piece` within [offset, end), counted from `offset`. */
static struct piece cut(const struct piece *piece, uint64_t offset, uint64_t end)
{
	uint64_t from = piece->offset > offset ? piece->offset : offset;
	uint64_t to = (uint64_t)piece->offset + piece->size;
	uint64_t skipped = from - piece->offset;
	struct piece part = *piece;

	to = to < end ? to : end;
	part.offset = (uint32_t)(from - offset);
	part.size = (uint32_t)(to - from);
	part.address += skipped;
	part.bits = skipped < 8 ? piece->bits >> (8 * skipped) : 0;
	return part;
}

bool place_part(const struct place *place, uint64_t offset, uint64_t size, struct piece *scratch,
	uint32_t max, struct place *ret)
{
	uint32_t count = 0;
	uint64_t end;

	if (!checked_add(offset, size, &end))
		return false;
	*ret = *place;
	if (place->address) {
		ret->address += offset;
		return true;
	}
	for (uint32_t i = 0; i < place->piece_count; i++) {
		const struct piece *piece = &place->pieces[i];

		if (piece->offset >= end || (uint64_t)piece->offset + piece->size <= offset)
			continue;
		if (count == max)
			return false;
		scratch[count++] = cut(piece, offset, end);
	}
	ret->pieces = scratch;
	ret->piece_count = count;
	return true;
}

const char *unavailable_name(enum unavailable unavailable)
{
	static const char *const names[] = {[AVAILABLE] = NULL,
		[UNAVAILABLE_OPTIMIZED_OUT] = "optimized out",
		[UNAVAILABLE_NOT_ASSIGNED] = "not assigned yet",
		[UNAVAILABLE_CLOBBERED] = "clobbered",
		[UNAVAILABLE_NOT_KEPT_ALIVE] = "not kept alive",
		[UNAVAILABLE_NOT_IN_CORE] = "not in core",
		[UNAVAILABLE_CORRUPT] = "corrupt",
		[UNAVAILABLE_BUDGET] = "budget"};

	return names[unavailable];
}

const char *evidence_name(enum evidence evidence)
{
	static const char *const names[] = {[EVIDENCE_NONE] = NULL,
		[EVIDENCE_LIVE_ARGUMENT] = "live argument",
		[EVIDENCE_SPILL] = "spill",
		[EVIDENCE_CALLEE] = "callee",
		[EVIDENCE_CALLER] = "caller",
		[EVIDENCE_RUNTIME] = "runtime"};

	return names[evidence];
}
