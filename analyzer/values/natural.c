// The table of forms, and what they are all made with. To add one: a row in `forms`, and a row in
// tests/unit/analyzer/values/test_natural.c.
#include "analyzer/values/natural.h"

#include "analyzer/values/natural_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_FORMS_WITHIN 16 // an error that wraps an error that …
#define MAX_PATH 64

static const struct form {
	const char *package, *name;
	const char *pattern; // NULL: see format
	natural_form *format;
} forms[] = {
	{"time", "Duration", NULL, natural_duration},
	{"time", "Month", NULL, natural_month},
	{"time", "Weekday", NULL, natural_weekday},
	{"time", "Time", NULL, natural_time},
	{"time", "Location", NULL, natural_location},
	{"time", "Timer", NULL, natural_timer},
	{"time", "Ticker", NULL, natural_timer},
	{"sync", "Mutex", NULL, natural_mutex},
	{"sync", "RWMutex", NULL, natural_rwmutex},
	{"sync", "WaitGroup", NULL, natural_waitgroup},
	{"sync", "Once", NULL, natural_once},
	{"sync", "Cond", NULL, natural_cond},
	{"sync", "Map", NULL, natural_entries},
	{"sync", "Pool", NULL, natural_pool},
	{"sync/atomic", "Value", "{v}", NULL},
	{"sync/atomic", "Bool", NULL, natural_atomic_bool},
	{"sync/atomic", "Int32", NULL, natural_atomic},
	{"sync/atomic", "Int64", NULL, natural_atomic},
	{"sync/atomic", "Uint32", NULL, natural_atomic},
	{"sync/atomic", "Uint64", NULL, natural_atomic},
	{"sync/atomic", "Uintptr", NULL, natural_atomic},
	{"net", "IP", NULL, natural_ip},
	{"net", "IPMask", NULL, natural_mask},
	{"net", "IPNet", NULL, natural_network},
	{"net", "HardwareAddr", NULL, natural_hardware},
	{"net", "TCPAddr", NULL, natural_endpoint},
	{"net", "UDPAddr", NULL, natural_endpoint},
	{"net", "UnixAddr", "{Name}", NULL},
	{"net", "TCPConn", "{conn}", NULL},
	{"net", "UDPConn", "{conn}", NULL},
	{"net", "UnixConn", "{conn}", NULL},
	{"net", "conn", "{fd}", NULL},
	{"net", "TCPListener", "{fd}", NULL},
	{"net", "UnixListener", "{fd}", NULL},
	{"net", "netFD", NULL, natural_descriptor},
	{"crypto/tls", "Conn", "{conn}", NULL},
	{"net", "DNSError", NULL, natural_lookup_error},
	{"net", "OpError", NULL, natural_op_error},
	{"net/netip", "Addr", NULL, natural_netip},
	{"net/netip", "AddrPort", NULL, natural_netip_port},
	{"net/netip", "Prefix", NULL, natural_netip_prefix},
	{"net/url", "URL", NULL, natural_url},
	{"net/url", "Error", "{Op} {URL:q}: {Err}", NULL},
	{"net/http", "Request", "{Method} {URL}", NULL},
	{"net/http", "Response", "{Status}", NULL},
	{"os", "File", "{file}", NULL},
	{"os", "file", "{name}", NULL},
	{"os", "SyscallError", "{Syscall}: {Err}", NULL},
	{"os", "LinkError", "{Op} {Old} {New}: {Err}", NULL},
	{"io/fs", "PathError", "{Op} {Path}: {Err}", NULL},
	{"io/fs", "FileMode", NULL, natural_mode},
	{"syscall", "Signal", NULL, natural_signal},
	{"os/exec", "Error", "exec: {Name:q}: {Err}", NULL},
	{"syscall", "Errno", NULL, natural_errno},
	{"errors", "errorString", "{s}", NULL},
	{"errors", "joinError", NULL, natural_joined},
	{"fmt", "wrapError", "{msg}", NULL},
	{"fmt", "wrapErrors", "{msg}", NULL},
	{"runtime", "errorString", "runtime error: {}", NULL},
	{"runtime", "plainError", "{}", NULL},
	{"internal/poll", "DeadlineExceededError", "i/o timeout", NULL},
	{"internal/poll", "errNetClosing", "use of closed network connection", NULL},
	{"context", "deadlineExceededError", "context deadline exceeded", NULL},
	{"context", "backgroundCtx", "context.Background", NULL},
	{"context", "todoCtx", "context.TODO", NULL},
	{"context", "emptyCtx", "context", NULL}, // until 1.20 one of the two above
	{"context", "cancelCtx", NULL, natural_cancel_context},
	{"context", "timerCtx", NULL, natural_timer_context},
	{"context", "valueCtx", NULL, natural_value_context},
	{"context", "withoutCancelCtx", "{c}.WithoutCancel", NULL},
	{"context", "afterFuncCtx", NULL, natural_after_context},
	{"context", "stopCtx", "{Context}", NULL},
	{"os/signal", "signalCtx", "signal.NotifyContext({Context})", NULL},
	{"strconv", "NumError", "strconv.{Func}: parsing {Num:q}: {Err}", NULL},
	{"encoding/json", "SyntaxError", "{msg}", NULL},
	{"encoding/json", "Number", "{}", NULL},
	{"encoding/json", "RawMessage", NULL, natural_raw},
	{"encoding/json/jsontext", "Value", NULL, natural_raw}, // 1.27
	{"regexp", "Regexp", "{expr}", NULL},
	{"github.com/pkg/errors", "fundamental", "{msg}", NULL},
	{"github.com/pkg/errors", "withMessage", "{msg}: {cause}", NULL},
	{"github.com/pkg/errors", "withStack", "{error}", NULL},
	{"github.com/google/uuid", "UUID", NULL, natural_uuid},
	{"github.com/gofrs/uuid", "UUID", NULL, natural_uuid},
	{"github.com/satori/go.uuid", "UUID", NULL, natural_uuid},
	{"math/big", "Int", NULL, natural_integer},
	{"math/big", "Rat", NULL, natural_ratio},
	{"bytes", "Buffer", NULL, natural_buffer},
	{"strings", "Builder", NULL, natural_builder},
	{"reflect", "rtype", NULL, natural_type_name},
	{"reflect", "Value", NULL, natural_reflected},
	{"container/list", "List", NULL, natural_list},
};

static const struct form *form_of(struct type *type)
{
	static const struct form none;
	const char *name;

	if (type->natural)
		return type->natural == &none ? NULL : type->natural;
	type->natural = &none;
	if (!type->package || !type->name)
		return NULL;
	name = strrchr(type->name, '.');
	for (size_t i = 0; name && i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!strcmp(name + 1, forms[i].name) && !strcmp(type->package, forms[i].package))
			type->natural = &forms[i];
	return type->natural == &none ? NULL : type->natural;
}

bool natural_put(struct natural *n, const char *bytes, size_t size)
{
	if (size > sizeof(n->text) - n->used)
		return false;
	if (size)
		memcpy(n->text + n->used, bytes, size);
	n->used += size;
	return true;
}

bool natural_puts(struct natural *n, const char *text)
{
	return natural_put(n, text, strlen(text));
}

bool natural_format(struct natural *n, const char *format, ...)
{
	char text[256];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return size >= 0 && (size_t)size < sizeof(text) && natural_put(n, text, (size_t)size);
}

const struct type_field *type_field_named(const struct type *type, const char *name, size_t size)
{
	for (uint32_t i = 0; i < type->field_count; i++)
		if (!strncmp(type->fields[i].name, name, size) && !type->fields[i].name[size])
			return &type->fields[i];
	return NULL;
}

bool natural_through_pointer(struct natural *n, struct type **type, struct place *place)
{
	uint64_t pointer;

	if (!type_load(*type) || (*type)->kind != GO_POINTER)
		return (*type)->kind != GO_INVALID;
	if (fetch_word(n->reader, place, 0, &pointer) || !pointer ||
		!is_kept(n->reader, place, 0, pointer) || !type_load((*type)->element))
		return false;
	*type = (*type)->element;
	*place = place_at(pointer, true);
	return true;
}

bool natural_find(struct natural *n, struct type *type, const struct place *place, const char *path,
	struct type **type_ret, struct place *place_ret)
{
	struct place at = *place;

	while (*path) {
		size_t size = strcspn(path, ".");
		const struct type_field *field;
		struct piece *scratch;

		if (!natural_through_pointer(n, &type, &at) || type->kind != GO_STRUCT)
			return false;
		field = type_field_named(type, path, size);
		if (!field || !type_load(field->type))
			return false;
		scratch = at.address
				  ? NULL
				  : arena_array(n->reader->arena, at.piece_count, sizeof(*scratch));
		if (!place_part(
			    &at, field->offset, field->type->size, scratch, at.piece_count, &at))
			return false;
		type = field->type;
		path += size + (path[size] == '.');
	}
	*type_ret = type;
	*place_ret = at;
	return type_load(type);
}

bool natural_number(struct natural *n, struct type *type, const struct place *place,
	const char *path, int64_t *ret)
{
	struct place at;
	uint64_t bits = 0;

	if (!natural_find(n, type, place, path, &type, &at))
		return false;
	if (type->kind == GO_STRUCT && !natural_find(n, type, &at, "v", &type, &at))
		return false; // not an atomic one either
	if (type->kind < GO_BOOL || type->kind > GO_UINTPTR || type->size > sizeof(bits) ||
		fetch(n->reader, &at, 0, type->size, &bits))
		return false;
	if (type->kind <= GO_INT64 && type->kind >= GO_INT && type->size < 8) {
		unsigned int shift = (unsigned int)(64 - 8 * type->size);

		bits = (uint64_t)((int64_t)(bits << shift) >> shift);
	}
	*ret = (int64_t)bits;
	return true;
}

bool natural_header(struct natural *n, struct type *type, const struct place *place,
	const char *path, target_addr *pointer_ret, uint64_t *length_ret)
{
	uint64_t words[2];
	struct place at;

	if (!natural_find(n, type, place, path, &type, &at) ||
		(type->kind != GO_STRING && type->kind != GO_SLICE) ||
		fetch(n->reader, &at, 0, sizeof(words), words))
		return false;
	if (words[1] && (!words[0] || !is_kept(n->reader, &at, 0, words[0])))
		return false;
	*pointer_ret = words[0];
	*length_ret = words[1];
	return true;
}

bool natural_bytes(struct natural *n, struct type *type, const struct place *place,
	const char *path, const uint8_t **bytes_ret, size_t *size_ret)
{
	target_addr pointer;
	uint64_t length;
	uint8_t *bytes;

	if (!natural_header(n, type, place, path, &pointer, &length) || length > MAX_NATURAL_TEXT)
		return false;
	bytes = arena_alloc(n->reader->arena, length + 1);
	if (!bytes || (length && image_read(n->reader->rt->image, pointer, bytes, length) != CS_OK))
		return false;
	*bytes_ret = bytes;
	*size_ret = length;
	return true;
}

bool natural_dynamic(struct natural *n, struct type *type, const struct place *place,
	struct type **type_ret, struct place *place_ret, struct piece *scratch)
{
	uint64_t words[2];
	struct type *dynamic;

	if (fetch(n->reader, place, 0, sizeof(words), words) || !words[0])
		return false;
	dynamic = type->has_methods ? types_of_itab(n->reader->types, words[0], NULL)
				    : types_at(n->reader->types, words[0]);
	if (!dynamic)
		return false;
	*type_ret = dynamic;
	if (types_is_direct(dynamic)) {
		*scratch = (struct piece){.size = 8, .bits = words[1]};
		*place_ret = (struct place){.pieces = scratch,
			.piece_count = 1,
			.is_live = is_kept(n->reader, place, 8, words[1])};
		return true;
	}
	*place_ret = place_at(words[1], true);
	return is_kept(n->reader, place, 8, words[1]);
}

static bool apply(struct natural *n, struct type *type, const struct place *place);

static bool append_text(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	size_t size;

	return natural_bytes(n, type, place, "", &bytes, &size) &&
	       natural_put(n, (const char *)bytes, size);
}

bool natural_append(
	struct natural *n, struct type *type, const struct place *place, const char *path)
{
	struct piece scratch;
	struct place at;
	int64_t number;

	if (!natural_find(n, type, place, path, &type, &at))
		return false;
	if (type->kind == GO_INTERFACE && !natural_dynamic(n, type, &at, &type, &at, &scratch))
		return false;
	if (form_of(type))
		return apply(n, type, &at);
	if (type->kind == GO_POINTER)
		return natural_through_pointer(n, &type, &at) && form_of(type) && apply(n, type, &at);
	if (type->kind == GO_STRING)
		return append_text(n, type, &at);
	return natural_number(n, type, &at, "", &number) && natural_format(n, "%" PRId64, number);
}

/** strconv.Quote of plain text; anything that would need an escape fails. */
static bool append_quoted(
	struct natural *n, struct type *type, const struct place *place, const char *path)
{
	const uint8_t *bytes;
	size_t size;

	if (!natural_bytes(n, type, place, path, &bytes, &size))
		return false;
	for (size_t i = 0; i < size; i++)
		if (bytes[i] < 0x20 || bytes[i] >= 0x7f || bytes[i] == '"' || bytes[i] == '\\')
			return false;
	return natural_puts(n, "\"") && natural_put(n, (const char *)bytes, size) &&
	       natural_puts(n, "\"");
}

static bool apply_pattern(
	struct natural *n, const char *pattern, struct type *type, const struct place *place)
{
	while (*pattern) {
		size_t plain = strcspn(pattern, "{"), size;
		bool is_quoted;
		char path[MAX_PATH];

		if (!natural_put(n, pattern, plain))
			return false;
		pattern += plain;
		if (!*pattern)
			return true;
		size = strcspn(++pattern, "}:");
		if (size >= sizeof(path))
			return false;
		memcpy(path, pattern, size);
		path[size] = 0;
		is_quoted = pattern[size] == ':';
		pattern = strchr(pattern, '}') + 1;
		if (is_quoted   ? !append_quoted(n, type, place, path)
			: *path ? !natural_append(n, type, place, path)
				: !append_text(n, type, place))
			return false;
	}
	return true;
}

static bool apply(struct natural *n, struct type *type, const struct place *place)
{
	const struct form *form = form_of(type);
	bool is_told;

	if (!n->depth)
		return false;
	n->depth--;
	is_told = form->format ? form->format(n, type, place)
			       : apply_pattern(n, form->pattern, type, place);
	n->depth++;
	return is_told;
}

const char *natural_text(struct value_reader *reader, struct type *type, const struct place *place)
{
	struct natural n;

	if (!form_of(type))
		return NULL;
	n.reader = reader;
	n.depth = MAX_FORMS_WITHIN;
	n.used = 0;
	if (!apply(&n, type, place) || memchr(n.text, 0, n.used))
		return NULL;
	return arena_copy(reader->arena, n.text, n.used);
}

const char *natural_text_behind(
	struct value_reader *reader, struct type *type, const struct place *place)
{
	struct natural n = {.reader = reader};
	struct place at = *place;

	if (!form_of(type) && type->kind == GO_POINTER && !natural_through_pointer(&n, &type, &at))
		return NULL;
	return natural_text(reader, type, &at);
}

void natural_content_read(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	static const struct {
		natural_form *form;
		natural_content *content;
	} contents[] = {{natural_entries, content_map},
		{natural_list, content_list},
		{natural_reflected, content_reflected}};
	const struct form *form = form_of(value->type);

	for (size_t i = 0; form && depth && i < sizeof(contents) / sizeof(contents[0]); i++)
		if (form->format == contents[i].form)
			contents[i].content(reader, value, place, depth);
}
