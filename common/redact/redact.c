// One pass from left to right. At each word: is it a well-known token, the user part of a URL, or
// does it end a name that announces a secret? What is hidden is a span of the input; it is scanned
// twice, first to measure, then to copy. "[redacted]" in the input counts as one hidden value, so
// that a second application changes nothing. Every look ahead is consumed or capped: linear time.
#include "common/redact/redact.h"
#include "common/redact/rules.h"

#include <string.h>
#include <strings.h>

#define REDACTED_SIZE (sizeof(REDACTED) - 1)
#define MAX_AUTHORITY 512 // bytes of user:password@host that are looked at
#define MAX_SPACES 8      // between a name, its separator and the value
#define MAX_NAME 64       // bytes of a name that are looked back over
#define MAX_PASSES 16
#define WEAK_SIZE 6   // the shortest value that a weak name hides in prose
#define CHAIN_SIZE 12 // the same where a colon follows, as in a chain of errors
#define LONG_SIZE 20  // a value this long is no word

struct scan {
	const char *in; // borrowed
	size_t size;
	size_t pos;    // all before it has been looked at
	size_t copied; // all before it has been written
	char *out;     // NULL while measuring
	size_t used;
	bool is_changed;
};

static void put(struct scan *s, const char *bytes, size_t size)
{
	if (s->out && size)
		memcpy(s->out + s->used, bytes, size);
	s->used += size;
}

// Replaces in[from, to), and goes on behind it.
static void hide(struct scan *s, size_t from, size_t to)
{
	put(s, s->in + s->copied, from - s->copied);
	put(s, REDACTED, REDACTED_SIZE);
	s->copied = to;
	s->pos = to;
	s->is_changed = true;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

static char at(const struct scan *s, size_t i)
{
	return i < s->size ? s->in[i] : '\0';
}

static bool starts(const struct scan *s, size_t i, const char *text)
{
	size_t n = strlen(text);

	return i <= s->size && n <= s->size - i && !memcmp(s->in + i, text, n);
}

static size_t skip_blanks(const struct scan *s, size_t i)
{
	size_t end = i + MAX_SPACES;

	while (i < end && (at(s, i) == ' ' || at(s, i) == '\t'))
		i++;
	return i;
}

// A value that an earlier pass has hidden is left alone, so that a second pass changes nothing.
static bool is_redacted(const struct scan *s, size_t i)
{
	return starts(s, i, REDACTED);
}

// Whether a comma, semicolon or ampersand at `i` begins the next name=value.
static bool next_pair(const struct scan *s, size_t i)
{
	size_t end = i + MAX_NAME, start;

	i++;
	if (is_quote(at(s, i)))
		return true;
	start = i;
	while (i < end && (rules_is_word(at(s, i)) || at(s, i) == '-' || at(s, i) == '.'))
		i++;
	return i > start && (at(s, i) == '=' || at(s, i) == ':');
}

static bool is_closer(char c)
{
	return c == ')' || c == ']' || c == '}' || c == '>' || is_quote(c);
}

// Whether the last byte of in[from, to) belongs to the text around: a closing bracket, unless it is
// that of "<nil>" or of an earlier "[redacted]", or punctuation.
static bool is_trailing(const struct scan *s, size_t from, size_t to)
{
	char c = s->in[to - 1];

	if (c == '>' && s->in[from] == '<')
		return false;
	if (c == ']' && to - from >= REDACTED_SIZE && is_redacted(s, to - REDACTED_SIZE))
		return false;
	return is_closer(c) || strchr(",;:.\\", c);
}

// The end of an unquoted value: a blank, the next pair, or a quote that closes something around
// it. Closing brackets and punctuation at its end are not part of it.
static size_t run_end(const struct scan *s, size_t from)
{
	size_t i;

	for (i = from; i < s->size && !is_space(s->in[i]) && s->in[i] != '\0'; i++) {
		char c = s->in[i], next = at(s, i + 1);

		if ((c == ',' || c == ';' || c == '&') && next_pair(s, i))
			break;
		if (is_quote(c) && (is_closer(next) || next == ',' || next == ':' || next == ';'))
			break;
	}
	while (i > from && is_trailing(s, from, i))
		i--;
	return i;
}

// The end of a value behind the quote at in[quote], before which `slashes` backslashes stand: the
// first such quote that is not escaped any deeper, or the end of the text.
static size_t quoted_end(const struct scan *s, size_t quote, size_t slashes)
{
	size_t run = 0, i;

	for (i = quote + 1; i < s->size; i++) {
		if (s->in[i] == '\\') {
			run++;
			continue;
		}
		if (s->in[i] == s->in[quote] && run % (2 * (slashes + 1)) <= slashes)
			return i - (run < slashes ? run : slashes);
		run = 0;
	}
	return s->size;
}

static bool has_digit(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] >= '0' && bytes[i] <= '9')
			return true;
	return false;
}

// Small letters, digits and slashes: an import path or a file, not a secret.
static bool is_path(const char *bytes, size_t size)
{
	if (!memchr(bytes, '/', size))
		return false;
	for (size_t i = 0; i < size; i++)
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			return false;
	return true;
}

static bool looks_secret(const char *value, size_t size, bool is_chain)
{
	if (is_path(value, size) || memmem(value, size, REDACTED, REDACTED_SIZE))
		return false;
	if (size >= LONG_SIZE && !memchr(value, ' ', size))
		return true;
	return size >= (is_chain ? CHAIN_SIZE : WEAK_SIZE) && has_digit(value, size);
}

static bool is_word_only(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!rules_is_word(value[i]) && value[i] != '/' && value[i] != '\'')
			return false;
	return !has_digit(value, size);
}

// What stands between a name and its value.
struct binding {
	enum key_class class;
	bool is_prose;  // ": " or a blank behind a bare name: a sentence may go on here
	bool is_quoted; // the value is
	size_t from;    // the value
	size_t to;
};

static bool is_secret(const struct scan *s, const struct binding *b)
{
	const char *value = s->in + b->from;
	size_t size = b->to - b->from;
	bool is_chain = !b->is_quoted && at(s, b->to) == ':';

	if (rules_is_empty(value, size))
		return false;
	if (b->class == KEY_LONG)
		return size >= LONG_SIZE;
	if (!b->is_prose)
		return true;
	if (b->class != KEY_STRONG)
		return looks_secret(value, size, is_chain);
	if (b->is_quoted)
		return true;
	return !rules_is_prose(value, size) && !(is_chain && is_word_only(value, size));
}

// Finds the separator behind the name that ends at `end`; returns where the value begins, or 0.
static size_t find_value(const struct scan *s, size_t end, bool is_flag, bool *is_prose)
{
	size_t i = end;
	bool in_quotes;

	while (at(s, i) == '\\' && i < end + MAX_SPACES)
		i++;
	in_quotes = is_quote(at(s, i));
	i = in_quotes ? i + 1 : end;
	if (starts(s, i, "%3D") || starts(s, i, "%3d") || starts(s, i, "%3A") ||
		starts(s, i, "%3a")) {
		*is_prose = false;
		return i + 3;
	}
	i = skip_blanks(s, i);
	if (starts(s, i, "==") || starts(s, i, "::") || starts(s, i, "://"))
		return 0;
	if (at(s, i) == '=' || starts(s, i, ":=")) {
		*is_prose = false;
		i += at(s, i) == ':' ? 2 : 1;
		return skip_blanks(s, at(s, i) == '>' ? i + 1 : i);
	}
	if (at(s, i) == ':') {
		*is_prose = !in_quotes && is_space(at(s, i + 1));
		return skip_blanks(s, i + 1);
	}
	*is_prose = true;
	return is_flag && !in_quotes && i > end ? i : 0;
}

// The value's span: past opening brackets and quotes. False: there is none, or it is a structure
// whose members announce themselves.
static bool find_span(const struct scan *s, size_t i, struct binding *b)
{
	size_t slashes = 0, limit = i + MAX_SPACES;

	while (i < limit && (at(s, i) == '[' || at(s, i) == '(') && !is_redacted(s, i))
		i++;
	if (at(s, i) == '{' || starts(s, i, "&{") || at(s, i) == '\0' || is_space(at(s, i)))
		return false;
	while (slashes < MAX_SPACES && at(s, i + slashes) == '\\')
		slashes++;
	b->is_quoted = is_quote(at(s, i + slashes));
	if (b->is_quoted) {
		b->from = i + slashes + 1;
		b->to = quoted_end(s, i + slashes, slashes);
	} else {
		b->from = i;
		b->to = run_end(s, i);
	}
	return b->to > b->from && !is_redacted(s, b->from);
}

// The end of the line, or what closes the text around a header: a bracket or a quote that no
// parameter ("realm=\"x\"") has opened.
static size_t line_end(const struct scan *s, size_t i)
{
	bool is_open = false;

	for (; i < s->size; i++) {
		char c = s->in[i], next = at(s, i + 1);

		if (c == '\n' || c == '\r' || c == '\0')
			return i;
		if (c == '"' && !is_open && s->in[i - 1] != '=')
			return i;
		if (c == '"')
			is_open = !is_open;
		if (c == ']' && (!next || is_space(next) || is_closer(next)))
			return i;
	}
	return i;
}

// "Authorization: Bearer x": the scheme stays, its credentials go.
static bool hide_authorization(struct scan *s, struct binding *b)
{
	size_t word = b->from, next;
	bool whole_line;

	while (word < b->to && (rules_is_word(s->in[word]) || s->in[word] == '-'))
		word++;
	next = skip_blanks(s, word);
	if (next > word && next < s->size &&
		rules_is_scheme(s->in + b->from, word - b->from, &whole_line)) {
		b->from = next;
		b->to = whole_line ? line_end(s, next) : run_end(s, next);
		if (b->to <= b->from || is_redacted(s, next))
			return false;
		hide(s, b->from, b->to);
		return true;
	}
	b->class = b->is_prose ? KEY_WEAK : KEY_STRONG;
	if (!is_secret(s, b))
		return false;
	hide(s, b->from, b->to);
	return true;
}

static bool hide_cookie(struct scan *s, struct binding *b)
{
	// The first word decides, so that a text full of "cookie:" is not read to its end each
	// time.
	bool is_list = memchr(s->in + b->from, '=', b->to - b->from);

	b->class = KEY_WEAK;
	b->is_prose = b->is_prose && !is_list;
	if (!b->is_quoted && is_list)
		b->to = line_end(s, b->from);
	if (b->to <= b->from || !is_secret(s, b))
		return false;
	hide(s, b->from, b->to);
	return true;
}

// In running text "--token is needed" is prose; "--token x" at the end of a command line is not.
static bool hide_flag_value(struct scan *s, const struct binding *b)
{
	char after = at(s, skip_blanks(s, b->to));
	const char *value = s->in + b->from;
	bool is_last = after == '\0' || after == '-' || after == '\n' || is_closer(after);

	if (value[0] == '-' || rules_is_empty(value, b->to - b->from) ||
		rules_is_prose(value, b->to - b->from))
		return false;
	if (!is_last && !b->is_quoted && !has_digit(value, b->to - b->from))
		return false;
	hide(s, b->from, b->to);
	return true;
}

// Whether the name that ends at `end` is written as a flag: -name or --name.
static bool is_flag(const struct scan *s, size_t end)
{
	size_t i = end, least = end > MAX_NAME ? end - MAX_NAME : 0;

	while (i > least &&
		(rules_is_word(s->in[i - 1]) || s->in[i - 1] == '-' || s->in[i - 1] == '.'))
		i--;
	return i < end && s->in[i] == '-' && (i == 0 || !rules_is_word(s->in[i - 1]));
}

// The word in[start, end) as the end of a name.
static bool hide_named(struct scan *s, size_t end)
{
	struct binding b = {.class = rules_key(s->in, end)};
	bool has_flag;
	size_t i;

	if (b.class == KEY_NONE)
		return false;
	if (b.class == KEY_BEARER) {
		b.from = skip_blanks(s, end);
		b.to = run_end(s, b.from);
		if (b.from == end || is_redacted(s, b.from) ||
			!looks_secret(s->in + b.from, b.to - b.from, false))
			return false;
		hide(s, b.from, b.to);
		return true;
	}
	has_flag = is_flag(s, end);
	i = find_value(s, end, has_flag, &b.is_prose);
	if (!i || !find_span(s, i, &b))
		return false;
	if (has_flag && b.is_prose && at(s, end) != ':')
		return hide_flag_value(s, &b);
	if (b.class == KEY_AUTHORIZATION)
		return hide_authorization(s, &b);
	if (b.class == KEY_COOKIE)
		return hide_cookie(s, &b);
	if (!is_secret(s, &b))
		return false;
	hide(s, b.from, b.to);
	return true;
}

static bool is_port(const struct scan *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (s->in[i] < '0' || s->in[i] > '9')
			return false;
	return true;
}

static bool ends_authority(const struct scan *s, size_t i, size_t colon, size_t last)
{
	char c = s->in[i];

	if (c == '"' || c == '<' || c == '>' || c == '\0' || (c == '=' && !colon))
		return true;
	return (c == '/' || c == '?' || c == '#') && (last || !colon || is_port(s, colon, i));
}

// "://user:password@host": between the first colon and the last '@' of the authority. A password
// may hold a '/', a port may not.
static bool hide_userinfo(struct scan *s, size_t start)
{
	size_t limit = start + MAX_AUTHORITY, colon = 0, last = 0, user, i;

	if (at(s, start) == '[' && !is_redacted(s, start))
		return false; // an IPv6 address
	for (i = start; i < s->size && i < limit && !is_space(s->in[i]); i++) {
		char c = s->in[i];

		if (c == ':' && !colon && !last)
			colon = i + 1;
		else if (c == '@')
			last = i;
		else if (ends_authority(s, i, colon, last))
			break;
	}
	if (!last || (colon && (last <= colon || is_redacted(s, colon))))
		return false;
	// A long user is a token: https://TOKEN@host, https://TOKEN:x-oauth-basic@host
	user = (colon ? colon - 1 : last) - start;
	if (user >= LONG_SIZE && has_digit(s->in + start, user))
		hide(s, start, last);
	else if (colon)
		hide(s, colon, last);
	else
		return false;
	return true;
}

static bool ends_password(char c)
{
	return is_space(c) || is_quote(c) || c == '<' || c == '>' || c == '\0';
}

// "user:password@tcp(host)/db", as Go's MySQL driver wants it.
static bool hide_dsn(struct scan *s, size_t end)
{
	size_t limit = end + 1 + MAX_AUTHORITY;

	if (is_redacted(s, end + 1))
		return false;
	if (limit > s->size)
		limit = s->size;
	// Most words with a colon are none: memchr says so at once.
	if (!memchr(s->in + end + 1, '@', limit - end - 1))
		return false;
	for (size_t i = end + 1; i < limit && !ends_password(s->in[i]); i++) {
		if (i > end + 1 && (starts(s, i, "@tcp(") || starts(s, i, "@unix(") ||
					   starts(s, i, "@udp("))) {
			hide(s, end + 1, i);
			return true;
		}
	}
	return false;
}

// "-----BEGIN … PRIVATE KEY-----": all between the two lines, or to the end where it was cut.
static bool hide_private_key(struct scan *s)
{
	static const char label[] = "PRIVATE KEY-----", closing[] = "-----END ";
	size_t i = s->pos, limit = i + MAX_NAME;
	const char *found;

	if (!starts(s, i, "-----BEGIN "))
		return false;
	for (i += 11; i < limit && !starts(s, i, label); i++)
		if (!rules_is_word(at(s, i)) && at(s, i) != ' ')
			return false;
	if (i >= limit)
		return false;
	i += sizeof(label) - 1;
	found = memmem(s->in + i, s->size - i, closing, sizeof(closing) - 1);
	hide(s, i, found ? (size_t)(found - s->in) : s->size);
	return true;
}

static void scan_word(struct scan *s)
{
	size_t token = rules_token(s->in + s->pos, s->size - s->pos), end = s->pos;

	if (token) {
		hide(s, s->pos, s->pos + token);
		return;
	}
	while (end < s->size && rules_is_word(s->in[end]))
		end++;
	s->pos = end;
	if (starts(s, end, "://")) {
		s->pos = end + 3;
		hide_userinfo(s, end + 3);
		return;
	}
	if (hide_named(s, end))
		return;
	if (at(s, end) == ':' && !is_space(at(s, end + 1)))
		hide_dsn(s, end);
}

static void scan_all(struct scan *s)
{
	while (s->pos < s->size) {
		char c = s->in[s->pos];

		if (rules_is_word(c))
			scan_word(s);
		else if (c != '-' || !hide_private_key(s))
			s->pos++;
	}
	put(s, s->in + s->copied, s->size - s->copied);
	s->copied = s->size;
}

static char *one_pass(struct arena *arena, const char *bytes, size_t size, size_t *size_ret)
{
	struct scan measure = {.in = bytes, .size = size}, copy = measure;

	scan_all(&measure);
	*size_ret = measure.used;
	if (!measure.is_changed)
		return arena_copy(arena, bytes, size);
	copy.out = arena_alloc(arena, measure.used + 1);
	if (!copy.out)
		return NULL;
	scan_all(&copy);
	return copy.out;
}

// What is hidden makes the text shorter, and so may bring another name within reach of a cap: again
// until nothing changes. A text without secrets takes one pass, nearly every other two.
char *redact_text(struct arena *arena, const char *bytes, size_t size, size_t *size_ret)
{
	const char *before = bytes;
	size_t before_size = size;
	char *text = one_pass(arena, bytes, size, &size);

	for (int i = 0; i < MAX_PASSES && text; i++) {
		if (size == before_size && (!size || !memcmp(text, before, size)))
			break;
		before = text;
		before_size = size;
		text = one_pass(arena, before, before_size, &size);
	}
	if (size_ret)
		*size_ret = size;
	return text;
}

// "-p 8080" and "-p ./cmd" are no passwords.
static bool is_plain_p(const char *value)
{
	return value[0] == '/' || value[0] == '.' || strspn(value, "0123456789") == strlen(value);
}

static bool is_flag_like(const char *argument)
{
	if (argument[0] != '-')
		return false;
	return argument[1] == '-' || argument[1] == '\0' || argument[2] == '\0' ||
	       strspn(argument + 1, "abcdefghijklmnopqrstuvwxyz-") == strcspn(argument + 1, "=");
}

size_t redact_argument_kept(const char *flag, const char *value)
{
	enum key_class class;
	const char *colon;

	if (flag[0] != '-' || is_flag_like(value) || !value[0])
		return strlen(value);
	if (!strcmp(flag, "-u") || !strcmp(flag, "--user") || !strcmp(flag, "-user")) {
		colon = strchr(value, ':');
		return colon ? (size_t)(colon - value) + 1 : strlen(value);
	}
	if (!strcmp(flag, "-p"))
		return is_plain_p(value) ? strlen(value) : 0;
	class = strchr(flag, '=') ? KEY_NONE : rules_key(flag, strlen(flag));
	return class == KEY_NONE || class == KEY_LONG ? strlen(value) : 0;
}

char **redact_arguments(struct arena *arena, const char *const *argv, size_t count)
{
	char **result = count < SIZE_MAX ? arena_array(arena, count + 1, sizeof(*result)) : NULL;

	for (size_t i = 0; result && i < count; i++) {
		size_t size = strlen(argv[i]),
		       kept = i > 0 ? redact_argument_kept(argv[i - 1], argv[i]) : size;

		if (kept < size)
			result[i] = arena_format(arena, "%.*s%s", (int)kept, argv[i], REDACTED);
		else
			result[i] = redact_text(arena, argv[i], size, NULL);
		if (!result[i])
			return NULL;
	}
	return result;
}

/** The name without its number, its plural and words that only say what form the secret has. */
static size_t strip_suffix(const char *name, size_t size)
{
	static const char *const forms[] = {"bytes", "string", "str", "data", "buffer", "buf",
		"text", "raw", "value", "plain", "words", "ptr"};

	while (size && (!rules_is_word(name[size - 1]) || name[size - 1] == '_' ||
			       (name[size - 1] >= '0' && name[size - 1] <= '9')))
		size--;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t length = strlen(forms[i]);

		if (size > length && !strncasecmp(name + size - length, forms[i], length))
			return size - length;
	}
	return size;
}

/** "maxTokens" and "num_sessions" are numbers of them. */
static bool is_count(const char *name, size_t size)
{
	static const char *const counts[] = {"max", "min", "num", "total", "n"};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		size_t length = strlen(counts[i]);

		if (size > length && !strncasecmp(name, counts[i], length) &&
			(name[length] == '_' || (name[length] >= 'A' && name[length] <= 'Z')))
			return true;
	}
	return false;
}

enum redact_class redact_name(const char *name, size_t size)
{
	enum key_class class = rules_key(name, size);
	size_t stripped = strip_suffix(name, size);

	if (class == KEY_NONE && stripped)
		class = rules_key(name, stripped);
	if (class == KEY_NONE && stripped > 1 && (name[stripped - 1] | ' ') == 's')
		class = rules_key(name, stripped - 1);
	switch (class) {
	case KEY_NONE:
		return REDACT_NOTHING;
	case KEY_LONG:
		return REDACT_LONG;
	case KEY_WEAK:
		return is_count(name, size) ? REDACT_NOTHING : REDACT_TEXT;
	default:
		return REDACT_ALL;
	}
}

bool redact_is_empty(const char *text, size_t size)
{
	return rules_is_empty(text, size);
}

bool redact_is_text_word(uint64_t word)
{
	for (int i = 0; i < 8; i++, word >>= 8) {
		char c = (char)(word & 0xff);

		if (!rules_is_word(c) && c != '-' && c != '+' && c != '/' && c != '=')
			return false;
	}
	return true;
}

bool redact_environment_allowed(const char *name)
{
	// What changes how the runtime behaves, and how times and texts read. Not PATH, HOME, USER
	// (they name people and hosts), not GOFLAGS, GOPROXY (they may hold credentials).
	static const char *const allowed[] = {"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG",
		"GOTRACEBACK", "GORACE", "TZ", "LANG", "LC_ALL"};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (!strcmp(name, allowed[i]))
			return true;
	return false;
}
