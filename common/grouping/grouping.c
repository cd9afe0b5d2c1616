// Each frame gets a verdict, each key a list of parts; the keys are SHA-256 over the parts, each
// with a NUL behind it, so that `coresnap explain` can show all that went in.
#include "common/grouping/grouping.h"

#include "common/limits.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RUNTIME_ERROR "runtime error: "

bool grouping_in_app(const char *package, const char *main_module)
{
	size_t size = main_module ? strlen(main_module) : 0;

	if (!strcmp(package, "main"))
		return true;
	return size && !strncmp(package, main_module, size) &&
	       (package[size] == '\0' || package[size] == '/');
}

bool grouping_is_standard(const char *package)
{
	size_t size = strcspn(package, "/");

	return size && strcmp(package, "main") && !memchr(package, '.', size);
}

const char *grouping_machinery(const char *function)
{
	static const struct {
		const char *function, *why;
	} list[] = {
#define MACHINERY(function, why) {function, why},
#include "common/grouping/tables.def"
	};

	for (size_t i = 0; i < COUNT(list); i++) {
		size_t size = strlen(list[i].function);

		if (list[i].function[size - 1] == '*'
				? !strncmp(function, list[i].function, size - 1)
				: !strcmp(function, list[i].function))
			return list[i].why;
	}
	return NULL;
}

static const struct {
	bool counts;
	const char *text;
} verdicts[] = {
#define VERDICT(name, counts, text) {counts, text},
#include "common/grouping/tables.def"
};

bool grouping_verdict_counts(enum grouping_verdict verdict)
{
	return verdicts[verdict].counts;
}

const char *grouping_verdict_text(enum grouping_verdict verdict)
{
	return verdicts[verdict].text;
}

static const struct {
	const char *kind, *prefix, *why;
} families[] = {
	{NULL, NULL, NULL},
#define FAMILY(name, kind, prefix, why) {kind, prefix, why},
#include "common/grouping/tables.def"
};

const char *grouping_family_text(enum grouping_family family)
{
	return families[family].why;
}

static enum grouping_family find_family(const struct grouping_input *input)
{
	for (size_t i = 1; input->message && i < COUNT(families); i++)
		if (!strcmp(input->kind, families[i].kind) &&
			!strncmp(input->message, families[i].prefix, strlen(families[i].prefix)))
			return (enum grouping_family)i;
	return GROUPING_PLAIN;
}

/** False when out of memory; NULL stands for a part that could not be made. */
static bool add_part(struct arena *arena, struct grouping_parts *parts, const char *text)
{
	const char **grown = text ? arena_grow(arena, parts->list, &parts->capacity,
					    parts->count + 1, sizeof(*grown))
				  : NULL;

	if (!grown)
		return false;
	parts->list = grown;
	grown[parts->count++] = text;
	return true;
}

static bool skips(const struct grouping_frame *frame, uint8_t *verdict)
{
	if (!frame->is_c && !grouping_machinery(frame->function))
		return false;
	*verdict = frame->is_c ? GROUPING_NOT_GO : GROUPING_MACHINERY;
	return true;
}

/**
 * The first frame that is not on the way out of the program. What a deferred function has recovered
 * and raised again happened below the gopanic that it was called by.
 */
static size_t find_origin(const struct grouping_input *input, size_t count, uint8_t *verdict)
{
	unsigned int left = input->reraised;
	size_t origin = 0, at;

	while (origin < count && skips(&input->frames[origin], &verdict[origin]))
		origin++;
	for (at = origin; at < count && left; at++) {
		if (strcmp(input->frames[at].function, "runtime.gopanic"))
			continue;
		for (size_t i = origin; i < at; i++)
			verdict[i] = GROUPING_RERAISED;
		for (origin = at;
			origin < count && skips(&input->frames[origin], &verdict[origin]);)
			origin++;
		left--;
	}
	return origin;
}

/* How near to the program a frame is. */
enum tier { TIER_NONE, TIER_ANY, TIER_STANDARD, TIER_DEPENDENCY, TIER_APP };

static enum tier tier_of(const struct grouping_frame *frame)
{
	if (frame->is_c)
		return TIER_NONE;
	if (frame->in_app)
		return TIER_APP;
	if (!grouping_is_standard(frame->package))
		return *frame->package ? TIER_DEPENDENCY : TIER_ANY;
	return strcmp(frame->package, "runtime") && strncmp(frame->package, "internal/", 9)
		       ? TIER_STANDARD
		       : TIER_ANY;
}

static bool is_listed(const struct grouping_parts *parts, const char *key)
{
	for (size_t i = 1; i < parts->count; i++)
		if (!strcmp(parts->list[i], key))
			return true;
	return false;
}

/**
 * The functions of the nearest tier, each once, so that the depth of a recursion makes no new
 * group; and, above the program's own, the one of a dependency that it happened in.
 */
static bool add_functions(struct arena *arena, const struct grouping_input *input, size_t count,
	struct grouping *g, size_t max)
{
	static const uint8_t good[] = {GROUPING_NOT_GO, GROUPING_ANY, GROUPING_STANDARD,
		GROUPING_DEPENDENCY, GROUPING_COUNTS};
	enum tier best = TIER_NONE;
	bool is_site = true;

	for (size_t i = g->origin; i < count; i++)
		if (tier_of(&input->frames[i]) > best &&
			!grouping_machinery(input->frames[i].function))
			best = tier_of(&input->frames[i]);
	for (size_t i = g->origin; i < count; i++) {
		const struct grouping_frame *frame = &input->frames[i];
		enum tier tier = tier_of(frame);
		bool is_wanted = tier == best || (is_site && tier == TIER_DEPENDENCY);

		if (skips(frame, &g->verdicts[i]))
			continue;
		if (tier >= TIER_DEPENDENCY)
			is_site = false;
		if (!is_wanted)
			g->verdicts[i] = GROUPING_FOREIGN;
		else if (is_listed(&g->standard, frame->key))
			g->verdicts[i] = GROUPING_REPEATED;
		else if (g->standard.count > max)
			g->verdicts[i] =
				g->family == GROUPING_FAMILY_RACE ? GROUPING_RACE : GROUPING_BEYOND;
		else if (!add_part(arena, &g->standard, frame->key))
			return false;
		else
			g->verdicts[i] = tier == best ? good[tier] : GROUPING_SITE;
	}
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool occurs_again(const struct grouping_input *input, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (i != at && !strcmp(input->frames[i].key, input->frames[at].key))
			return true;
	return false;
}

/** Of a stack overflow: what occurs again and again, in an order that has no beginning: by name. */
static bool add_cycle(
	struct arena *arena, const struct grouping_input *input, size_t count, struct grouping *g)
{
	enum tier best = TIER_NONE;
	bool *repeats = arena_array(arena, count + 1, sizeof(*repeats));

	if (!repeats)
		return false;
	for (size_t i = g->origin; i < count; i++) {
		repeats[i] =
			!skips(&input->frames[i], &g->verdicts[i]) && occurs_again(input, count, i);
		if (repeats[i] && tier_of(&input->frames[i]) > best)
			best = tier_of(&input->frames[i]);
	}
	if (best == TIER_NONE)
		return add_functions(arena, input, count, g, MAX_GROUPED_APP_FRAMES);
	for (size_t i = g->origin; i < count; i++) {
		const struct grouping_frame *frame = &input->frames[i];

		if (skips(frame, &g->verdicts[i]))
			continue;
		g->verdicts[i] = GROUPING_NO_CYCLE;
		if (!repeats[i] || tier_of(frame) != best)
			continue;
		g->verdicts[i] = GROUPING_REPEATED;
		if (is_listed(&g->standard, frame->key))
			continue;
		g->verdicts[i] = GROUPING_CYCLE;
		if (!add_part(arena, &g->standard, frame->key))
			return false;
	}
	qsort(g->standard.list + 1, g->standard.count - 1, sizeof(*g->standard.list),
		compare_texts);
	return true;
}

/** Of the default key's functions the first of the best tier; all of a cycle's. */
static bool add_coarse(
	struct arena *arena, const struct grouping_input *input, size_t count, struct grouping *g)
{
	if (g->family == GROUPING_FAMILY_OVERFLOW) {
		for (size_t i = 1; i < g->standard.count; i++)
			if (!add_part(arena, &g->coarse, g->standard.list[i]))
				return false;
		return true;
	}
	for (size_t i = g->origin; i < count; i++)
		if (grouping_verdict_counts(g->verdicts[i]) && g->verdicts[i] != GROUPING_SITE)
			return add_part(arena, &g->coarse, input->frames[i].key);
	return true;
}

static bool add_lines(
	struct arena *arena, const struct grouping_input *input, size_t count, struct grouping *g)
{
	for (size_t i = g->origin; i < count; i++)
		if (!input->frames[i].is_c &&
			!add_part(arena, &g->fine,
				arena_format(arena, "%s:%d", input->frames[i].key,
					(int)input->frames[i].relative_line)))
			return false;
	return true;
}

/**
 * What kind of thing happened. The coarse key knows the runtime's own messages only: a program may
 * put anything into its own.
 */
static bool add_class(struct arena *arena, const struct grouping_input *input, struct grouping *g)
{
	const char *message = input->message ? input->message : "", *detail = input->detail;
	bool is_own = !strcmp(input->kind, "panic") &&
		      strncmp(message, RUNTIME_ERROR, strlen(RUNTIME_ERROR));
	const char *text = grouping_normalise(arena, message), *class;

	if (!text)
		return false;
	text = grouping_reword(text);
	class = arena_format(arena, "%s|%s|%s", input->kind, detail ? detail : "", text);
	return add_part(arena, &g->standard, class) && add_part(arena, &g->fine, class) &&
	       add_part(arena, &g->coarse,
		       arena_format(arena, "%s|%s", input->kind, is_own ? "" : text));
}

static bool make_parts(struct arena *arena, const struct grouping_input *input, struct grouping *g)
{
	size_t count = input->count < MAX_GROUPED_FRAMES ? input->count : MAX_GROUPED_FRAMES;
	size_t max = g->family == GROUPING_FAMILY_RACE ? 1 : MAX_GROUPED_APP_FRAMES;
	bool is_cycle = g->family == GROUPING_FAMILY_OVERFLOW;

	g->verdicts = arena_alloc(arena, input->count + 1);
	if (!g->verdicts || !add_class(arena, input, g))
		return false;
	memset(g->verdicts, GROUPING_BEYOND, input->count);
	g->origin = find_origin(input, count, g->verdicts);
	if (!(is_cycle ? add_cycle(arena, input, count, g)
		       : add_functions(arena, input, count, g, max)))
		return false;
	return add_coarse(arena, input, count, g) && add_lines(arena, input, count, g);
}

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

static bool update(EVP_MD_CTX *context, const char *text)
{
	return EVP_DigestUpdate(context, text, strlen(text) + 1) == 1;
}

static bool make_key(
	const char *which, const struct grouping_parts *parts, char ret[GROUPING_KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	__attribute__((cleanup(free_context))) EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
		!update(context, "coresnap grouping 2") || !update(context, which))
		return false;
	for (size_t i = 0; i < parts->count; i++)
		if (!update(context, parts->list[i]))
			return false;
	if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
		return false;
	for (size_t i = 0; i < (GROUPING_KEY_SIZE - 1) / 2; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[GROUPING_KEY_SIZE - 1] = '\0';
	return true;
}

enum cs_status grouping_make(
	struct arena *arena, const struct grouping_input *input, struct grouping *ret)
{
	struct grouping g = {.family = find_family(input)};

	if (!make_parts(arena, input, &g))
		return CS_NO_MEMORY;
	if (!make_key("coarse", &g.coarse, g.keys.coarse) ||
		!make_key("default", &g.standard, g.keys.standard) ||
		!make_key("fine", &g.fine, g.keys.fine))
		return CS_REFUSED;
	*ret = g;
	return CS_OK;
}
