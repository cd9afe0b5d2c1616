// Keys are SHA-256 over NUL-terminated parts: version, which key, class, then one part a frame. The
// lists of machinery are data, to be extended by rows.
#include "common/grouping/grouping.h"
#include "common/grouping/function_name.h"
#include "common/limits.h"

#include <openssl/evp.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

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

bool grouping_is_machinery(const char *function)
{
	// runtime/panic.go, signal_unix.go, asm: from the faulting instruction to the dump. A row
	// that ends in '*' is a prefix (panicIndex, panicSlice…, goPanicIndex …).
	static const char *const list[] = {"runtime.gopanic", "runtime.panic*", "runtime.goPanic*",
		"runtime.sigpanic*", "runtime.throw", "runtime.throw.func1", "runtime.fatal",
		"runtime.fatal.func1", "runtime.fatalthrow*", "runtime.fatalpanic*",
		"runtime.fatalsignal", "runtime.dopanic_m", "runtime.dieFromSignal",
		"runtime.raise*", "runtime.crash", "runtime.tgkill", "runtime.sighandler",
		"runtime.sigtrampgo*", "runtime.sigtramp*", "runtime.sigfwdgo",
		"runtime.sigreturn*", "runtime.signalM", "runtime.systemstack*", "runtime.mcall",
		"runtime.morestack*", "runtime.newstack", "runtime.badmorestack*",
		"runtime.mapPanic*", "runtime.unwindm", "runtime.goexit*", "runtime.asyncPreempt*",
		"runtime.checkdead", "runtime.deferCallSave", "runtime.runOpenDeferFrame",
		"runtime.recordForPanic", "runtime.startpanic_m", "internal/runtime/maps.fatal",
		"internal/sync.throw", "internal/sync.fatal", "sync.throw", "sync.fatal"};

	for (size_t i = 0; i < COUNT(list); i++) {
		size_t size = strlen(list[i]);

		if (list[i][size - 1] == '*' ? !strncmp(function, list[i], size - 1)
					     : !strcmp(function, list[i]))
			return true;
	}
	return false;
}

// 8-4-4-4-12 hex digits.
static bool is_uuid(const char *text, size_t size)
{
	static const char dashes[] = {8, 13, 18, 23};

	if (size < 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (memchr(dashes, (int)i, sizeof(dashes)) ? text[i] != '-' : !is_hex(text[i]))
			return false;
	return size == 36 || !is_word(text[36]);
}

// A hex string of eight digits or more, one of them decimal: a hash, an id.
static size_t hex_run(const char *text, size_t size)
{
	size_t n = 0;
	bool has_digit = false;

	while (n < size && is_hex(text[n]))
		has_digit |= is_digit(text[n++]);
	return n >= 8 && has_digit && (n == size || !is_word(text[n])) ? n : 0;
}

static size_t quoted(const char *text, size_t size)
{
	for (size_t n = 1; n < size; n++) {
		if (text[n] == '\\' && text[0] != '`')
			n++;
		else if (text[n] == text[0])
			return text[0] == '\'' && n + 1 < size && is_word(text[n + 1]) ? 0 : n + 1;
	}
	return 0;
}

static size_t digits(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size &&
		(is_digit(text[n]) || (text[n] == '.' && n + 1 < size && is_digit(text[n + 1]))))
		n++;
	return n;
}

// A number with its fractions and units: 3, 10.0.0.1, 1.5ms, 5m3s, 0x1f.
static size_t number(const char *text, size_t size)
{
	static const char units[] = "nµumsh";
	size_t n = 0, after;

	if (size > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' && is_hex(text[2])) {
		for (n = 2; n < size && is_hex(text[n]);)
			n++;
		return n;
	}
	n = digits(text, size);
	for (after = n; after < size && (is_digit(text[after]) || strchr(units, text[after]));)
		after += is_digit(text[after]) ? digits(text + after, size - after) : 1;
	return after == size || !is_word(text[after]) ? after : n;
}

// The bytes at `text` that differ from crash to crash; 0: none here.
static size_t variable(const char *text, size_t size, bool starts_word)
{
	size_t n = 0;

	if (starts_word && is_uuid(text, size))
		return 36;
	if (*text == '"' || *text == '`' || (*text == '\'' && starts_word))
		return quoted(text, size);
	if (starts_word && is_hex(*text))
		n = hex_run(text, size);
	if (!n && is_digit(*text))
		n = number(text, size);
	return n;
}

char *grouping_normalise(struct arena *arena, const char *message)
{
	size_t size = strcspn(message, "\r\n"), used = 0;
	char *out;

	if (size > MAX_GROUPED_MESSAGE)
		size = MAX_GROUPED_MESSAGE;
	out = arena_alloc(arena, size + 1);
	for (size_t i = 0; out && i < size;) {
		size_t n = variable(message + i, size - i, i == 0 || !is_word(message[i - 1]));

		if (!n)
			out[used++] = message[i++];
		else
			out[used++] = '*';
		i += n;
	}
	return out;
}

char *grouping_class(struct arena *arena, const char *kind, const char *detail, const char *message)
{
	char *text = grouping_normalise(arena, message ? message : "");

	return text ? arena_format(arena, "%s|%s|%s", kind, detail ? detail : "", text) : NULL;
}

/* One key in the making */
struct hash {
	EVP_MD_CTX *context; // owned
	bool is_good;
};

static void hash_deinit(struct hash *hash)
{
	EVP_MD_CTX_free(hash->context);
}

static void hash_text(struct hash *hash, const char *text)
{
	hash->is_good =
		hash->is_good && EVP_DigestUpdate(hash->context, text, strlen(text) + 1) == 1;
}

static void hash_init(struct hash *hash, const char *which, const char *class)
{
	hash->context = EVP_MD_CTX_new();
	hash->is_good = hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1;
	hash_text(hash, "coresnap grouping 1");
	hash_text(hash, which);
	hash_text(hash, class);
}

static bool hash_final(struct hash *hash, char ret[GROUPING_KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!hash->is_good || EVP_DigestFinal_ex(hash->context, digest, NULL) != 1)
		return false;
	for (size_t i = 0; i < (GROUPING_KEY_SIZE - 1) / 2; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[GROUPING_KEY_SIZE - 1] = '\0';
	return true;
}

/* The frames that count: without the machinery on top, keys computed once. */
struct chosen {
	const struct grouping_frame *frames; // borrowed, as many as keys
	const char **keys;
	size_t count;
	bool has_app;
};

static enum cs_status choose(struct arena *arena, const struct grouping_frame *frames, size_t count,
	const char *main_path, struct chosen *ret)
{
	struct chosen c = {.frames = frames};

	while (count && grouping_is_machinery(c.frames->function)) {
		c.frames++;
		count--;
	}
	c.count = count < MAX_GROUPED_FRAMES ? count : MAX_GROUPED_FRAMES;
	c.keys = arena_array(arena, c.count, sizeof(*c.keys));
	if (!c.keys)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < c.count; i++) {
		c.keys[i] = function_name_key(arena, c.frames[i].function, main_path);
		if (!c.keys[i])
			return CS_NO_MEMORY;
		c.has_app |= c.frames[i].in_app;
	}
	*ret = c;
	return CS_OK;
}

// At most `max` of the program's own frames, or of all where it has none. A function that calls
// itself counts once, so that the depth of a recursion makes no new group.
static void hash_functions(struct hash *hash, const struct chosen *c, size_t max)
{
	const char *last = "";

	for (size_t i = 0; i < c->count && max; i++) {
		if ((c->has_app && !c->frames[i].in_app) || !strcmp(c->keys[i], last))
			continue;
		hash_text(hash, c->keys[i]);
		last = c->keys[i];
		max--;
	}
}

/** False when out of memory. */
static bool hash_lines(struct arena *arena, struct hash *hash, const struct chosen *c)
{
	for (size_t i = 0; i < c->count; i++) {
		char *line =
			arena_format(arena, "%s:%d", c->keys[i], (int)c->frames[i].relative_line);

		if (!line)
			return false;
		hash_text(hash, line);
	}
	return true;
}

enum cs_status grouping_make_keys(struct arena *arena, const char *class,
	const struct grouping_frame *frames, size_t frame_count, const char *main_path,
	struct grouping_keys *ret)
{
	__attribute__((cleanup(hash_deinit))) struct hash coarse = {0}, standard = {0}, fine = {0};
	struct grouping_keys keys;
	struct chosen chosen;
	enum cs_status status = choose(arena, frames, frame_count, main_path, &chosen);

	if (status)
		return status;
	hash_init(&coarse, "coarse", class);
	hash_functions(&coarse, &chosen, 1);
	hash_init(&standard, "default", class);
	hash_functions(&standard, &chosen, MAX_GROUPED_APP_FRAMES);
	hash_init(&fine, "fine", class);
	if (!hash_lines(arena, &fine, &chosen))
		return CS_NO_MEMORY;
	if (!hash_final(&coarse, keys.coarse) || !hash_final(&standard, keys.standard) ||
		!hash_final(&fine, keys.fine))
		return CS_REFUSED;
	*ret = keys;
	return CS_OK;
}

/* How much a frame without the program's own tells: a goroutine parks in the runtime, below net. */
enum frame_worth { WORTH_RUNTIME = 1, WORTH_PLUMBING, WORTH_STANDARD, WORTH_DEPENDENCY };

static enum frame_worth worth(const char *package)
{
	static const char *const plumbing[] = {"net", "sync", "syscall", "bufio", "io", "os"};

	if (!strcmp(package, "runtime") || !strncmp(package, "internal/", 9))
		return WORTH_RUNTIME;
	for (size_t i = 0; i < COUNT(plumbing); i++)
		if (!strcmp(package, plumbing[i]))
			return WORTH_PLUMBING;
	return grouping_is_standard(package) ? WORTH_STANDARD : WORTH_DEPENDENCY;
}

static enum cs_status find_blamed(
	struct arena *arena, const struct grouping_frame *frames, size_t count, const char **ret)
{
	unsigned int best = 0;

	*ret = NULL;
	for (size_t i = 0; i < count; i++) {
		const char *package;

		if (frames[i].in_app) {
			*ret = frames[i].function;
			return CS_OK;
		}
		if (grouping_is_machinery(frames[i].function))
			continue;
		package = function_name_package(arena, frames[i].function);
		if (!package)
			return CS_NO_MEMORY;
		if (worth(package) > best) {
			best = worth(package);
			*ret = frames[i].function;
		}
	}
	return CS_OK;
}

// The first line, cut before a UTF-8 character that would not fit; *is_cut when more was there.
static size_t title_size(const char *message, bool *is_cut)
{
	size_t line = strcspn(message, "\r\n"), size = line;

	if (size > MAX_TITLE_MESSAGE)
		for (size = MAX_TITLE_MESSAGE;
			size && ((unsigned char)message[size] & 0xc0) == 0x80;)
			size--;
	*is_cut = message[size] != '\0';
	return size;
}

char *grouping_title(struct arena *arena, const char *kind, const char *message,
	const struct grouping_frame *frames, size_t frame_count)
{
	const char *function;
	char *name;
	bool is_cut;
	size_t size = title_size(message ? message : "", &is_cut);

	if (find_blamed(arena, frames, frame_count, &function) != CS_OK)
		return NULL;
	name = function ? function_name_short(arena, function) : NULL;
	if (function && !name)
		return NULL;
	return arena_format(arena, "%s%s%.*s%s%s%s", kind, size ? ": " : "", (int)size,
		message ? message : "", is_cut ? "…" : "", name ? " in " : "", name ? name : "");
}
