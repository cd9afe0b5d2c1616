// Natural forms, each over a type made of bytes: the texts are what Go itself prints.
#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** A defined type of a basic kind. */
static target_addr define_basic(
	struct values *v, const char *package, const char *name, enum go_kind kind, uint64_t size)
{
	target_addr type = mkruntime_type(v->m, name, kind, size);

	mktypes_define(v->m, type, kind == GO_SLICE ? 56 : 48, package, "String");
	if (kind == GO_SLICE)
		mkruntime_word(v->m, type + 48, v->t_uint8);
	return type;
}

static target_addr define_struct(struct values *v, const char *package, const char *name,
	uint64_t size, const struct mktypes_field *fields)
{
	target_addr type = mktypes_struct(v->m, name, size, fields);

	mktypes_define(v->m, type, 80, package, NULL);
	return type;
}

static void expect(struct values *v, target_addr type, target_addr at, const char *text)
{
	struct value *value;

	value_reader_begin(&v->reader, &v->scratch, 1000);
	value = values_read(v, type, at);
	if (text) {
		ck_assert_ptr_nonnull(value->natural_text);
		ck_assert_str_eq(value->natural_text, text);
	} else {
		ck_assert_ptr_null(value->natural_text);
	}
}

START_TEST(durations_months_days)
{
	static const struct {
		const char *name;
		int64_t number;
		const char *text;
	} rows[] = {{"time.Duration", 0, "0s"}, {"time.Duration", 1, "1ns"},
		{"time.Duration", -1, "-1ns"}, {"time.Duration", 1100, "1.1µs"},
		{"time.Duration", 2200000, "2.2ms"}, {"time.Duration", 1500000000, "1.5s"},
		{"time.Duration", 245000000000, "4m5s"},
		{"time.Duration", 245001000000, "4m5.001s"},
		{"time.Duration", INT64_C(180000000000000), "50h0m0s"},
		{"time.Duration", INT64_MIN, "-2562047h47m16.854775808s"},
		{"time.Month", 1, "January"}, {"time.Month", 12, "December"},
		{"time.Month", 13, NULL}, {"time.Month", 0, NULL}, {"time.Weekday", 6, "Saturday"},
		{"time.Weekday", -1, NULL}, {"time.Other", 1, NULL}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr type = define_basic(v, "time", rows[i].name, GO_INT64, 8);
		target_addr at = mkruntime_alloc(v->m, 8);

		mkruntime_word(v->m, at, (uint64_t)rows[i].number);
		values_open(v, 10);
		expect(v, type, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(another_package_of_that_name_has_none)
{
	struct values *v = values_create();
	target_addr type = define_basic(v, "example.com/time", "time.Duration", GO_INT64, 8);

	values_open(v, 10);
	expect(v, type, type, NULL);
	values_destroy(v);
}
END_TEST

START_TEST(times)
{
	static const struct {
		uint64_t wall;
		int64_t ext;
		const char *text;
	} rows[] = {{0, 0, "0001-01-01 00:00:00 +0000 UTC"},
		{123456789, INT64_C(63844847998), "2024-02-29 23:59:58.123456789 +0000 UTC"},
		{500000000, INT64_C(62135596800), "1970-01-01 00:00:00.5 +0000 UTC"},
		{0, INT64_C(62135596799), "1969-12-31 23:59:59 +0000 UTC"}, {0, INT64_MAX, NULL},
		{0, -1, "0000-12-31 23:59:59 +0000 UTC"},
		{UINT64_C(1) << 63 | UINT64_C(2682288000) << 30 | 7, 1500000001,
			"1970-01-01 00:00:00.000000007 +0000 UTC m=+1.500000001"},
		{UINT64_C(1) << 63 | UINT64_C(2682288000) << 30, -5,
			"1970-01-01 00:00:00 +0000 UTC m=-0.000000005"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr pointer = mktypes_of(v->m, "&L", GO_POINTER, v->t_int);
		const struct mktypes_field fields[] = {{"wall", v->t_int, 0, false},
			{"ext", v->t_int, 8, false}, {"loc", pointer, 16, false},
			{NULL, 0, 0, false}};
		target_addr type = define_struct(v, "time", "time.Time", 24, fields);
		target_addr at = mkruntime_alloc(v->m, 24);

		mkruntime_word(v->m, at, rows[i].wall);
		mkruntime_word(v->m, at + 8, (uint64_t)rows[i].ext);
		values_open(v, 100);
		expect(v, type, at, rows[i].text);
		mkruntime_word(v->m, at + 16, at); // a location that is none
		expect(v, type, at, NULL);
		values_destroy(v);
	}
}
END_TEST

START_TEST(locks)
{
	static const struct {
		uint32_t state;
		const char *text;
	} rows[] = {{0, "unlocked"}, {1, "locked"}, {1 | 2 << 3, "locked, 2 waiting"},
		{1 | 4 | 1 << 3, "locked, 1 waiting, starving"}};

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr t_int32 = mkruntime_type(v->m, "int32", GO_INT32, 4);
		const struct mktypes_field fields[] = {{"state", t_int32, 0, false},
			{"sema", t_int32, 4, false}, {NULL, 0, 0, false}};
		target_addr type = define_struct(v, "sync", "sync.Mutex", 8, fields);
		target_addr at = mkruntime_alloc(v->m, 8);

		if (i >= COUNT(rows)) { // since 1.24
			const struct mktypes_field wrapper[] = {
				{"mu", type, 0, false}, {NULL, 0, 0, false}};

			type = define_struct(v, "sync", "sync.Mutex", 8, wrapper);
		}
		mkruntime_word(v->m, at, rows[i % COUNT(rows)].state);
		values_open(v, 100);
		expect(v, type, at, rows[i % COUNT(rows)].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(readers_and_writers)
{
	static const struct {
		int64_t count, leaving;
		const char *text;
	} rows[] = {{0, 0, "unlocked"}, {3, 0, "read-locked by 3"}, {-(1 << 30), 0, "write-locked"},
		{-(1 << 30) + 2, 0, "write-locked, 2 readers waiting"},
		{-(1 << 30) + 1, 1, "read-locked by 1, a writer waiting"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		const struct mktypes_field atomic[] = {
			{"v", v->t_int, 0, false}, {NULL, 0, 0, false}};
		target_addr t_atomic = mktypes_struct(v->m, "atomic.Int", 8, atomic);
		const struct mktypes_field fields[] = {{"readerCount", t_atomic, 0, false},
			{"readerWait", t_atomic, 8, false}, {NULL, 0, 0, false}};
		target_addr type = define_struct(v, "sync", "sync.RWMutex", 16, fields);
		target_addr at = mkruntime_alloc(v->m, 16);

		mkruntime_word(v->m, at, (uint64_t)rows[i].count);
		mkruntime_word(v->m, at + 8, (uint64_t)rows[i].leaving);
		values_open(v, 100);
		expect(v, type, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(addresses)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		uint64_t size;
		const char *text;
	} rows[] = {{"net.IP", {0}, 0, NULL}, {"net.IP", {192, 168, 1, 2}, 4, "192.168.1.2"},
		{"net.IP", {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}, 16, "10.0.0.1"},
		{"net.IP", {0x20, 1, 0xd, 0xb8, [15] = 1}, 16, "2001:db8::1"},
		{"net.IP", {0}, 16, "::"}, {"net.IP", {[15] = 1}, 16, "::1"},
		{"net.IP", {0xfe, 0x80}, 16, "fe80::"},
		{"net.IP", {[1] = 1, [5] = 1, [11] = 1, [15] = 1}, 16, "1:0:1::1:0:1"},
		{"net.IP", {1, 2, 3}, 3, "?010203"}, {"net.IPMask", {255, 255}, 4, "ffff0000"},
		{"net.HardwareAddr", {2, 0, 0x5e, 0x10}, 6, "02:00:5e:10:00:00"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr type = define_basic(v, "net", rows[i].name, GO_SLICE, 24);
		target_addr at = mkruntime_alloc(v->m, 24), data = mkruntime_alloc(v->m, 16);

		memcpy(mkruntime_at(v->m, data), rows[i].bytes, 16);
		mkruntime_slice(v->m, at, rows[i].size ? data : 0, rows[i].size);
		values_open(v, 100);
		expect(v, type, at, rows[i].text); // a nil one says so itself
		values_destroy(v);
	}
}
END_TEST

/* netip.AddrPort{Addr{addr{hi, lo}, z{*addrDetail{isV6, zoneV6}}}, port} */
START_TEST(addresses_with_their_detail)
{
	static const struct {
		uint64_t hi, lo, is_ip6;
		const char *zone, *text;
	} rows[] = {{0, UINT64_C(0xffff0a010203), 0, "", "10.1.2.3:80"},
		{0, UINT64_C(0xffff0a010203), 1, "", "[::ffff:10.1.2.3]:80"},
		{UINT64_C(0xfe80) << 48, 1, 1, "eth0", "[fe80::1%eth0]:80"},
		{1, 0, 0, "", NULL}}; // no IPv4 address has these bits

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr t_bool = mkruntime_type(v->m, "bool", GO_BOOL, 1);
		const struct mktypes_field detail[] = {{"isV6", t_bool, 0, false},
			{"zoneV6", v->t_string, 8, false}, {NULL, 0, 0, false}};
		target_addr pointer = mktypes_of(v->m, "&netip.addrDetail", GO_POINTER,
			mktypes_struct(v->m, "netip.addrDetail", 24, detail));
		const struct mktypes_field handle[] = {
			{"value", pointer, 0, false}, {NULL, 0, 0, false}};
		const struct mktypes_field halves[] = {{"hi", v->t_int, 0, false},
			{"lo", v->t_int, 8, false}, {NULL, 0, 0, false}};
		const struct mktypes_field ip[] = {
			{"addr", mktypes_struct(v->m, "netip.uint128", 16, halves), 0, false},
			{"z", mktypes_struct(v->m, "unique.Handle", 8, handle), 16, false},
			{NULL, 0, 0, false}};
		const struct mktypes_field both[] = {
			{"ip", define_struct(v, "net/netip", "netip.Addr", 24, ip), 0, false},
			{"port", v->t_int, 24, false}, {NULL, 0, 0, false}};
		target_addr type = define_struct(v, "net/netip", "netip.AddrPort", 32, both);
		target_addr at = mkruntime_alloc(v->m, 32), z = mkruntime_alloc(v->m, 24);

		mkruntime_word(v->m, at, rows[i].hi);
		mkruntime_word(v->m, at + 8, rows[i].lo);
		mkruntime_word(v->m, at + 16, z);
		mkruntime_word(v->m, at + 24, 80);
		mkruntime_word(v->m, z, rows[i].is_ip6);
		mkruntime_string(v->m, z + 8, rows[i].zone);
		values_open(v, 100);
		expect(v, type, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

/* An error that wraps one that wraps … itself. */
START_TEST(wrapped_errors)
{
	struct values *v = values_create();
	target_addr error = mktypes_interface(v->m, "error", 1);
	const struct mktypes_field plain[] = {{"s", v->t_string, 0, false}, {NULL, 0, 0, false}};
	const struct mktypes_field path[] = {{"Op", v->t_string, 0, false},
		{"Path", v->t_string, 16, false}, {"Err", error, 32, false}, {NULL, 0, 0, false}};
	target_addr t_plain = define_struct(v, "errors", "errors.errorString", 16, plain);
	target_addr t_path = define_struct(v, "io/fs", "fs.PathError", 48, path);
	target_addr p_plain = mktypes_of(v->m, "&errors.errorString", GO_POINTER, t_plain);
	target_addr p_path = mktypes_of(v->m, "&fs.PathError", GO_POINTER, t_path);
	target_addr inner = mkruntime_alloc(v->m, 16), outer = mkruntime_alloc(v->m, 48);
	target_addr at = mkruntime_alloc(v->m, 16);
	struct value *value;

	mkruntime_string(v->m, inner, "refused");
	mkruntime_string(v->m, outer, "open");
	mkruntime_string(v->m, outer + 16, "/x");
	mkruntime_word(v->m, outer + 32, mktypes_itab(v->m, error, p_plain));
	mkruntime_word(v->m, outer + 40, inner);
	mkruntime_word(v->m, at, mktypes_itab(v->m, error, p_path));
	mkruntime_word(v->m, at + 8, outer);
	values_open(v, 100);
	value = values_read(v, error, at);
	ck_assert_ptr_nonnull(value->natural_text);
	ck_assert_str_eq(value->natural_text, "open /x: refused");
	ck_assert_ptr_null(value->dynamic_value->natural_text); // it stands with the outermost
	ck_assert_ptr_null(value->dynamic_value->target->natural_text);
	mkruntime_word(v->m, outer + 32, mktypes_itab(v->m, error, p_path));
	mkruntime_word(v->m, outer + 40, outer);
	expect(v, error, at, NULL);
	mkruntime_word(v->m, outer + 32, 0);
	expect(v, error, at, NULL); // Go would panic
	values_destroy(v);
}
END_TEST

START_TEST(large_numbers)
{
	static const struct {
		uint64_t words[3], count;
		bool is_negative;
		const char *text;
	} rows[] = {{{0}, 0, false, "0"}, {{7}, 1, false, "7"}, {{7}, 1, true, "-7"},
		{{UINT64_C(1000000000)}, 1, false, "1000000000"},
		{{0, 1}, 2, false, "18446744073709551616"},
		{{UINT64_C(0xe4b8a0d2), 0, 1}, 3, false, "340282366920938463463374607435605516498"},
		{{0}, 1, false, NULL}, {{1}, UINT64_C(1) << 40, false, NULL}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr words = mktypes_of(v->m, "[]uint", GO_SLICE, v->t_int);
		target_addr t_bool = mkruntime_type(v->m, "bool", GO_BOOL, 1);
		const struct mktypes_field fields[] = {
			{"neg", t_bool, 0, false}, {"abs", words, 8, false}, {NULL, 0, 0, false}};
		target_addr type = define_struct(v, "math/big", "big.Int", 32, fields);
		target_addr at = mkruntime_alloc(v->m, 32), data = mkruntime_alloc(v->m, 24);

		for (size_t k = 0; k < 3; k++)
			mkruntime_word(v->m, data + 8 * k, rows[i].words[k]);
		mkruntime_word(v->m, at, rows[i].is_negative);
		mkruntime_slice(v->m, at + 8, data, rows[i].count);
		values_open(v, 100);
		expect(v, type, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(links)
{
	static const struct {
		const char *scheme, *host, *path, *query, *text;
		int64_t has_query, omits_host;
	} rows[] = {{"https", "example.com:8443", "/a/b c", "x=1",
			    "https://example.com:8443/a/b%20c?x=1", 0, 0},
		{"", "", "/local", "", "/local", 0, 0}, {"", "", "relative", "", NULL, 0, 0},
		{"http", "h", "p", "", "http://h/p", 0, 0},
		{"mailto", "", "x", "", "mailto://x", 0, 0},
		{"mailto", "", "x", "", "mailto:x", 0, 1}, {"", "h", "", "", "//h?", 1, 0},
		{"file", "", "/etc/x", "", "file:///etc/x", 0, 0},
		{"http", "h h", "", "", NULL, 0, 0}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		static const char *const names[] = {"Scheme", "Host", "Path", "RawQuery", "Opaque",
			"RawPath", "RawFragment", "Fragment"};
		target_addr pointer = mktypes_of(v->m, "&url.Userinfo", GO_POINTER, v->t_int);
		struct mktypes_field fields[COUNT(names) + 4] = {{NULL, 0, 0, false}};
		const char *const texts[] = {
			rows[i].scheme, rows[i].host, rows[i].path, rows[i].query};
		target_addr type, at = mkruntime_alloc(v->m, 160);

		for (size_t k = 0; k < COUNT(names); k++)
			fields[k] = (struct mktypes_field){names[k], v->t_string, 16 * k, false};
		fields[COUNT(names)] =
			(struct mktypes_field){"User", pointer, 16 * COUNT(names), false};
		fields[COUNT(names) + 1] =
			(struct mktypes_field){"ForceQuery", v->t_int, 136, false};
		fields[COUNT(names) + 2] = (struct mktypes_field){"OmitHost", v->t_int, 144, false};
		type = define_struct(v, "net/url", "url.URL", 152, fields);
		mkruntime_word(v->m, at + 136, (uint64_t)rows[i].has_query);
		mkruntime_word(v->m, at + 144, (uint64_t)rows[i].omits_host);
		for (size_t k = 0; k < COUNT(texts); k++)
			mkruntime_string(v->m, at + 16 * k, texts[k]);
		values_open(v, 100);
		expect(v, type, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

Suite *suite_values_natural(void);

Suite *suite_values_natural(void)
{
	Suite *suite = suite_create("values_natural");
	TCase *tc = tcase_create("values_natural");

	tcase_add_test(tc, durations_months_days);
	tcase_add_test(tc, another_package_of_that_name_has_none);
	tcase_add_test(tc, times);
	tcase_add_test(tc, locks);
	tcase_add_test(tc, readers_and_writers);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, addresses_with_their_detail);
	tcase_add_test(tc, wrapped_errors);
	tcase_add_test(tc, large_numbers);
	tcase_add_test(tc, links);
	suite_add_tcase(suite, tc);
	return suite;
}
