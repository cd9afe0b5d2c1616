// Contexts: how one was made of its parents, as its own String has it, and then its state: the
// time that is left, why it is over (context/context.go, go1.18 to go1.27). What a value of a
// context says stays among its fields, where names hide secrets; the text has its type.
//
//	context.Background.WithValue(main.key("id"), string).WithCancel [context canceled]
#include "analyzer/values/natural_internal.h"

#include <inttypes.h>
#include <string.h>

#define NS INT64_C(1000000000)

static bool put_error(struct natural *n, struct type *type, const struct place *place)
{
	size_t before = n->used;
	struct piece scratch;
	struct place at;

	if (natural_append(n, type, place, ""))
		return true;
	n->used = before;
	return natural_dynamic(n, type, place, &type, &at, &scratch) && type->name &&
	       natural_puts(n, type->name);
}

/** The error at `path`, since 1.25 in an atomic.Value; false: none is set. */
static bool find_error(struct natural *n, struct type *type, const struct place *place,
	const char *path, struct type **type_ret, struct place *place_ret)
{
	uint64_t word;

	if (!natural_find(n, type, place, path, type_ret, place_ret))
		return false;
	if ((*type_ret)->kind == GO_STRUCT &&
		!natural_find(n, *type_ret, place_ret, "v", type_ret, place_ret))
		return false;
	return (*type_ret)->kind == GO_INTERFACE && !fetch_word(n->reader, place_ret, 0, &word) &&
	       word;
}

/** " [context canceled: the cause]" of a context that is over. */
static bool put_end(struct natural *n, struct type *type, const struct place *place)
{
	size_t from, between, size;
	struct type *error;
	struct place at;

	if (!find_error(n, type, place, "err", &error, &at))
		return true;
	if (!natural_puts(n, " ["))
		return false;
	from = n->used;
	if (!put_error(n, error, &at))
		return false;
	size = n->used - from;
	if (find_error(n, type, place, "cause", &error, &at)) { // 1.20
		if (!natural_puts(n, ": "))
			return false;
		between = n->used;
		if (!put_error(n, error, &at))
			return false;
		if (n->used - between == size && !memcmp(n->text + between, n->text + from, size))
			n->used = from + size;
	}
	return natural_puts(n, "]");
}

/** The context that this one was made of. */
static bool put_parent(
	struct natural *n, struct type *type, const struct place *place, const char *path)
{
	struct place at;

	return natural_find(n, type, place, path, &type, &at) && put_error(n, type, &at);
}

bool natural_cancel_context(struct natural *n, struct type *type, const struct place *place)
{
	return put_parent(n, type, place, "Context") && natural_puts(n, ".WithCancel") &&
	       put_end(n, type, place);
}

bool natural_after_context(struct natural *n, struct type *type, const struct place *place)
{
	struct place at;

	return natural_find(n, type, place, "cancelCtx", &type, &at) &&
	       put_parent(n, type, &at, "Context") && natural_puts(n, ".AfterFunc") &&
	       put_end(n, type, &at);
}

/** A key is shown where it is a name or a number; else its type, which is what sets it apart. */
static bool put_key(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	struct piece scratch;
	struct place at;
	int64_t number;
	size_t size;

	if (!natural_dynamic(n, type, place, &type, &at, &scratch) || !type->name ||
		!natural_puts(n, type->name))
		return false;
	if (type->kind == GO_STRING)
		return natural_bytes(n, type, &at, "", &bytes, &size) && natural_puts(n, "(\"") &&
		       natural_put(n, (const char *)bytes, size) && natural_puts(n, "\")");
	if (type->kind >= GO_INT && type->kind <= GO_INT64)
		return natural_number(n, type, &at, "", &number) &&
		       natural_format(n, "(%" PRId64 ")", number);
	return true;
}

bool natural_value_context(struct natural *n, struct type *type, const struct place *place)
{
	struct type *key, *value;
	struct place key_at, value_at;
	struct piece scratch;
	uint64_t word;

	if (!put_parent(n, type, place, "Context") || !natural_puts(n, ".WithValue(") ||
		!natural_find(n, type, place, "key", &key, &key_at) || !put_key(n, key, &key_at) ||
		!natural_puts(n, ", ") || !natural_find(n, type, place, "val", &value, &value_at) ||
		fetch_word(n->reader, &value_at, 0, &word))
		return false;
	if (word && !natural_dynamic(n, value, &value_at, &value, &value_at, &scratch))
		return false;
	return natural_puts(n, word && value->name ? value->name : "nil") && natural_puts(n, ")");
}

/**
 * ", at most 59m59.9s left" of a deadline that was counted from this process's own clock, whose last
 * stamp may be older than the crash.
 */
static bool put_left(struct natural *n, struct type *type, const struct place *place)
{
	int64_t now = n->reader->now, since, left;
	uint64_t began;

	if (!now || !natural_monotonic(n, type, place, &since) ||
		!runtime_read_variable(n->reader->rt, VAR_RUNTIME_INIT_TIME, &began) || !began)
		return true;
	left = (int64_t)began + since - now;
	left = (left < 0 ? left : left + NS / 1000 - 1) / (NS / 1000) * (NS / 1000);
	return natural_puts(n, left < 0 ? ", at least " : ", at most ") &&
	       natural_put_duration(n, left < 0 ? -left : left) &&
	       natural_puts(n, left < 0 ? " ago" : " left");
}

bool natural_timer_context(struct natural *n, struct type *type, const struct place *place)
{
	struct type *deadline, *cancel;
	struct place at, cancel_at;

	return natural_find(n, type, place, "cancelCtx", &cancel, &cancel_at) &&
	       put_parent(n, cancel, &cancel_at, "Context") &&
	       natural_puts(n, ".WithDeadline(") &&
	       natural_find(n, type, place, "deadline", &deadline, &at) &&
	       natural_put_wall(n, deadline, &at) && put_left(n, deadline, &at) &&
	       natural_puts(n, ")") && put_end(n, cancel, &cancel_at);
}
