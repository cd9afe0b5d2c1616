// The structural proof of a guessed layout. Mirrors the invariants of runtime/proc.go (newproc1:
// sched.g; procresize: p.id; allocm: g0.m; mReserveID: mnext, maxmcount), which have held from
// go1.5 to go1.27 whatever moved in the structs. What single fields must hold is
// layout_prove_fields.c's.
#include "analyzer/runtime/layout_prove.h"

#include "analyzer/runtime/layout_prove_internal.h"
#include "common/limits.h"

#define MAX_G_STATUS 31 // runtime/runtime2.go: _Gdeadextra is 11 in 1.27, and releases add some
#define SCAN_BIT 0x1000 // _Gscan, added to a status

/* One in eight may be half made; none at all proves nothing. */
static bool is_proven(struct score score)
{
	return score.seen && score.good * 8 >= score.seen * 7;
}

target_addr prove_element(const struct runtime *rt, target_addr array, uint64_t i)
{
	target_addr pointer;

	return image_read(rt->image, array + i * sizeof(pointer), &pointer, sizeof(pointer)) ==
			       CS_OK
		       ? pointer
		       : 0;
}

static bool fits_sudog(const struct runtime *rt, target_addr address, target_addr g)
{
	struct object sudog = object_load(rt, address, OBJECT_SUDOG);

	return sudog.bytes && object_get(rt, sudog, SUDOG_G) == g;
}

static bool fits_g(const struct runtime *rt, struct object g)
{
	uint64_t lo = object_get(rt, g, G_STACK_LO), hi = object_get(rt, g, G_STACK_HI);
	target_addr waiting = object_get(rt, g, G_WAITING);

	if (object_get(rt, g, G_SCHED_G) != g.address)
		return false;
	if ((object_get(rt, g, G_STATUS) & ~(uint64_t)SCAN_BIT) > MAX_G_STATUS)
		return false;
	if (lo > hi || hi - lo > MAX_STACK_SIZE || (lo && object_get(rt, g, G_SCHED_SP) > hi))
		return false;
	return !waiting || fits_sudog(rt, waiting, g.address);
}

/* The samples lie all over the list: its first goroutines are the runtime's own. */
static struct score score_goroutines(const struct runtime *rt, uint64_t *max_id_ret)
{
	struct score score = {0};
	target_addr data;
	uint64_t length, step;

	*max_id_ret = 0;
	if (!runtime_slice(rt, runtime_variable(rt, VAR_ALLGS), &data, &length) ||
		length > MAX_GOROUTINES)
		return score;
	step = length / PROVE_SAMPLES + 1;
	for (uint64_t i = 0; i < length; i += step) {
		struct object g = object_load(rt, prove_element(rt, data, i), OBJECT_G);
		bool fits = g.bytes && fits_g(rt, g);

		score.seen++;
		score.good += fits;
		if (fits && object_get(rt, g, G_ID) > *max_id_ret)
			*max_id_ret = object_get(rt, g, G_ID);
	}
	return score;
}

static struct score score_processors(const struct runtime *rt)
{
	struct score score = {0};
	target_addr data;
	uint64_t length;

	if (!runtime_slice(rt, runtime_variable(rt, VAR_ALLP), &data, &length))
		return score;
	for (uint64_t i = 0; i < length && i < PROVE_SAMPLES; i++) {
		struct object p = object_load(rt, prove_element(rt, data, i), OBJECT_P);

		score.seen++;
		score.good += p.bytes && object_get(rt, p, P_ID) == i;
	}
	return score;
}

static struct score score_machines(const struct runtime *rt, uint64_t *max_id_ret)
{
	struct score score = {0};
	target_addr address = 0;

	*max_id_ret = 0;
	runtime_read_variable(rt, VAR_ALLM, &address);
	for (int i = 0; address && i < PROVE_SAMPLES; i++) {
		struct object m = object_load(rt, address, OBJECT_M), g0;

		score.seen++;
		if (!m.bytes)
			break;
		g0 = object_load(rt, object_get(rt, m, M_G0), OBJECT_G);
		score.good += g0.bytes && object_get(rt, g0, G_M) == address;
		if (object_get(rt, m, M_ID) > *max_id_ret)
			*max_id_ret = object_get(rt, m, M_ID);
		address = object_get(rt, m, M_ALL_LINK);
	}
	return score;
}

/* A p takes 16 ids at once from goidgen and hands them out: none is above it. */
static bool fits_sched(const struct runtime *rt, uint64_t max_goid, uint64_t max_mid)
{
	uint64_t goidgen, mnext, max_m;

	return runtime_read_field(rt, VAR_SCHED, SCHED_GOIDGEN, &goidgen) &&
	       runtime_read_field(rt, VAR_SCHED, SCHED_MNEXT, &mnext) &&
	       runtime_read_field(rt, VAR_SCHED, SCHED_MAX_M, &max_m) && goidgen >= max_goid &&
	       mnext > max_mid && mnext <= max_m;
}

enum cs_status layout_prove(const struct runtime *rt)
{
	const char *version = rt->layout.version, *what = NULL;
	uint64_t max_goid, max_mid;

	if (!is_proven(score_goroutines(rt, &max_goid)))
		what = "runtime.g";
	else if (!is_proven(score_processors(rt)))
		what = "runtime.p";
	else if (!is_proven(score_machines(rt, &max_mid)))
		what = "runtime.m";
	else if (!fits_sched(rt, max_goid, max_mid))
		what = "runtime.schedt";
	else
		what = prove_fields(rt);
	if (!what)
		return CS_OK;
	return diag_fail(rt->diag, CS_UNSUPPORTED, "unknown-layout",
		"%s is a release that coresnap does not know, its executable has no DWARF, and %s "
		"of %s does not fit it: give the unstripped executable or its debug file",
		version ? version : "the Go release", what, rt->layout.from);
}
