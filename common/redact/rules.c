// Lists, and the few lines that read them. A new rule is a row here and a row in the test.
#include "common/redact/rules.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alnum(char c)
{
	return rules_is_word(c) && c != '_';
}

// Names by their end, small letters and digits only: separators in the text are skipped, so that
// "apikey" is api_key, Api-Key, x.api.key and apiKey. `whole`: must begin where a word begins
// ("pass", but not "bypass").
#define KEY(name, class, whole)                                                                    \
	{                                                                                          \
		name, sizeof(name) - 1, class, whole                                               \
	}

static const struct {
	const char *name;
	size_t size;
	enum key_class class;
	bool whole;
} keys[] = {
	KEY("password", KEY_STRONG, false),
	KEY("passwd", KEY_STRONG, false),
	KEY("passphrase", KEY_STRONG, false),
	KEY("passcode", KEY_STRONG, true),
	KEY("passwordhash", KEY_STRONG, false),
	KEY("pwd", KEY_STRONG, true),
	KEY("pass", KEY_STRONG, true),
	KEY("pgpass", KEY_STRONG, true),
	KEY("secret", KEY_STRONG, false),
	KEY("secretid", KEY_STRONG, false),
	KEY("secretvalue", KEY_STRONG, false),
	KEY("apikey", KEY_STRONG, false),
	KEY("appkey", KEY_STRONG, true),
	KEY("accesskey", KEY_STRONG, false),
	KEY("accesskeyid", KEY_STRONG, false),
	KEY("secretkey", KEY_STRONG, false),
	KEY("privatekey", KEY_STRONG, false),
	KEY("signingkey", KEY_STRONG, false),
	KEY("encryptionkey", KEY_STRONG, false),
	KEY("masterkey", KEY_STRONG, false),
	KEY("authkey", KEY_STRONG, false),
	KEY("accountkey", KEY_STRONG, false),
	KEY("hmackey", KEY_STRONG, false),
	KEY("jwtkey", KEY_STRONG, false),
	KEY("sharedkey", KEY_STRONG, false),
	KEY("presharedkey", KEY_STRONG, false),
	KEY("connectionstring", KEY_STRONG, false),
	KEY("credential", KEY_WEAK, false),
	KEY("credentials", KEY_WEAK, false),
	KEY("token", KEY_WEAK, false),
	KEY("tokenvalue", KEY_WEAK, false),
	KEY("jwt", KEY_WEAK, true),
	KEY("auth", KEY_WEAK, true),
	KEY("session", KEY_WEAK, false),
	KEY("sessionid", KEY_WEAK, false),
	KEY("sessionkey", KEY_WEAK, false),
	KEY("sessid", KEY_WEAK, false),
	KEY("csrf", KEY_WEAK, true),
	KEY("nonce", KEY_LONG, true),
	KEY("otp", KEY_WEAK, true),
	KEY("signature", KEY_LONG, false),
	KEY("sig", KEY_LONG, true),
	KEY("authorization", KEY_AUTHORIZATION, false),
	KEY("cookie", KEY_COOKIE, false),
	KEY("cookies", KEY_COOKIE, true),
	KEY("bearer", KEY_BEARER, true),
};

// The start of `name` where it ends at bytes[end], or `end` where it does not.
static size_t match_back(const char *bytes, size_t end, const char *name, size_t size)
{
	size_t at = end, left = size;
	bool first = true;

	while (left > 0) {
		char c;

		if (at == 0)
			return end;
		c = bytes[at - 1];
		if (!first && (c == '_' || c == '-' || c == '.')) {
			at--;
			first = true; // one separator between two letters, not a row of them
			continue;
		}
		if (lower(c) != name[left - 1])
			return end;
		at--;
		left--;
		first = false;
	}
	return at;
}

// "dbPass" and "db_pass" begin a word at "pass"; "bypass" does not.
static bool begins_word(const char *bytes, size_t at)
{
	char before, here = bytes[at];

	if (at == 0 || !is_alnum(bytes[at - 1]))
		return true;
	before = bytes[at - 1];
	return here >= 'A' && here <= 'Z' && !(before >= 'A' && before <= 'Z');
}

enum key_class rules_key(const char *bytes, size_t end)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		size_t start = match_back(bytes, end, keys[i].name, keys[i].size);

		if (start < end && (!keys[i].whole || begins_word(bytes, start)))
			return keys[i].class;
	}
	return KEY_NONE;
}

// Shapes that their makers document. `more` are the bytes allowed besides letters and digits;
// `least` and `most` count what follows the prefix (most 0: no limit); `digit`: one is needed.
static const struct {
	const char *prefix;
	const char *more;
	unsigned short least, most;
	bool digit;
} shapes[] = {
	{"AKIA", "", 16, 16, false},
	{"ASIA", "", 16, 16, false},
	{"ABIA", "", 16, 16, false},
	{"ghp_", "", 20, 0, false},
	{"gho_", "", 20, 0, false},
	{"ghu_", "", 20, 0, false},
	{"ghs_", "", 20, 0, false},
	{"ghr_", "", 20, 0, false},
	{"github_pat_", "_", 20, 0, false},
	{"xoxa-", "-", 10, 0, true},
	{"xoxb-", "-", 10, 0, true},
	{"xoxe-", "-", 10, 0, true},
	{"xoxo-", "-", 10, 0, true},
	{"xoxp-", "-", 10, 0, true},
	{"xoxr-", "-", 10, 0, true},
	{"xoxs-", "-", 10, 0, true},
	{"xapp-", "-", 10, 0, true},
	{"AIza", "_-", 35, 0, false},
	{"ya29.", "_-", 20, 0, false},
	{"sk_live_", "", 16, 0, false},
	{"sk_test_", "", 16, 0, false},
	{"rk_live_", "", 16, 0, false},
	{"whsec_", "", 16, 0, false},
	{"sk-", "_-", 20, 0, true},
	{"npm_", "", 30, 0, false},
	{"glpat-", "_-", 20, 0, false},
	{"gldt-", "_-", 20, 0, false},
	{"glrt-", "_-", 20, 0, false},
	{"dckr_pat_", "_-", 20, 0, false},
	{"dop_v1_", "", 40, 0, false},
	{"hf_", "", 30, 0, false},
	{"hvs.", "_-", 20, 0, false},
	{"pypi-", "_-", 50, 0, true},
	{"shpat_", "", 30, 0, false},
	{"SG.", "_-.", 40, 0, true},
	{"AGE-SECRET-KEY-1", "", 40, 0, false},
};

static size_t run_of(const char *bytes, size_t size, const char *more)
{
	size_t n = 0;

	while (n < size && (is_alnum(bytes[n]) || (bytes[n] && strchr(more, bytes[n]))))
		n++;
	return n;
}

static bool has_digit(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] >= '0' && bytes[i] <= '9')
			return true;
	return false;
}

// header.payload.signature in base64url, the header a JSON object ("eyJ" is {" in base64). An
// encrypted one has five parts, of which the second may be empty.
static size_t jwt(const char *bytes, size_t size)
{
	size_t n, dots = 0;

	if (size < 3 || memcmp(bytes, "eyJ", 3))
		return 0;
	n = run_of(bytes, size, "_-");
	while (n >= 8 && dots < 4 && n < size && bytes[n] == '.') {
		n++;
		n += run_of(bytes + n, size - n, "_-");
		dots++;
	}
	return dots >= 2 && n >= 20 ? n : 0;
}

size_t rules_token(const char *bytes, size_t size)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		size_t prefix, run;

		if (!size || bytes[0] != shapes[i].prefix[0]) // nearly always: at each word
			continue;
		prefix = strlen(shapes[i].prefix);
		if (size < prefix || memcmp(bytes, shapes[i].prefix, prefix))
			continue;
		run = run_of(bytes + prefix, size - prefix, shapes[i].more);
		if (run < shapes[i].least || (shapes[i].most && run > shapes[i].most))
			continue;
		if (shapes[i].digit && !has_digit(bytes + prefix, run))
			continue;
		return prefix + run;
	}
	return jwt(bytes, size);
}

static bool is_in(const char *const *list, size_t count, const char *word, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(list[i]), at = 0;

		while (n == size && at < n && lower(word[at]) == list[i][at])
			at++;
		if (n == size && at == n)
			return true;
	}
	return false;
}

bool rules_is_empty(const char *value, size_t size)
{
	static const char *const list[] = {
		"nil",
		"<nil>",
		"null",
		"none",
		"undefined",
		"true",
		"false",
		"0x0",
		"0",
		"{}",
		"[]",
		"()",
		"%!s(<nil>)",
		"%s",
		"%q",
		"%v",
		"%w",
		"%d",
		"%x",
	};

	return size == 0 || is_in(list, COUNT(list), value, size);
}

bool rules_is_prose(const char *word, size_t size)
{
	// clang-format off
	static const char *const list[] = {
		"a", "access", "already", "an", "are", "argument", "authentication", "bad", "be",
		"but", "can", "cannot", "can't", "could", "decrypt", "decryption", "denied",
		"did", "does", "doesn't", "empty", "error", "expected", "expired", "fail",
		"failed", "failure", "flag", "for", "forbidden", "found", "from", "got", "has",
		"have", "illegal", "in", "incorrect", "input", "invalid", "is", "isn't", "it",
		"key", "length", "looked", "malformed", "may", "mismatch", "mismatched",
		"missing", "must", "need", "needs", "no", "not", "of", "on", "only", "open",
		"option", "or", "permission", "provided", "read", "rejected", "required",
		"requires", "should", "shorter", "that", "the", "this", "timeout", "to", "too",
		"unable", "unauthorized", "unexpected", "unknown", "unset", "unsupported",
		"unterminated", "used", "value", "was", "were", "when", "which", "will", "with",
		"without", "wrong", "you", "your",
	};
	// clang-format on

	return is_in(list, COUNT(list), word, size);
}

bool rules_is_scheme(const char *word, size_t size, bool *whole_line)
{
	static const char *const one[] = {"bearer", "basic", "negotiate", "ntlm", "token", "apikey",
		"key", "splunk", "genie"};
	static const char *const many[] = {
		"digest", "aws4-hmac-sha256", "signature", "oauth", "hawk"};

	*whole_line = is_in(many, COUNT(many), word, size);
	return *whole_line || is_in(one, COUNT(one), word, size);
}
