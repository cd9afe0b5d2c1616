// Times as package time prints them (time/time.go, format.go, sleep.go, tick.go; the same from go1.18 to go1.27).
#include "analyzer/values/natural_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS UINT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)
#define HAS_MONOTONIC (UINT64_C(1) << 63) // of Time.wall
#define WALL_SECONDS_SHIFT 30             // of Time.wall: 33 bits of seconds since 1885
#define NANOSECONDS_MASK ((UINT64_C(1) << 30) - 1)
#define DAYS_TO_1970 719162 // since January 1st of year 1
#define SECONDS_TO_1970 (INT64_C(86400) * DAYS_TO_1970)
#define SECONDS_TO_1885 (INT64_C(86400) * (1884 * 365 + 1884 / 4 - 1884 / 100 + 1884 / 400))

/** Writes `value` backwards before `at`, without trailing zeros of `digits` decimals. */
static char *put_fraction(char *at, uint64_t *value, int digits)
{
	bool is_shown = false;

	for (int i = 0; i < digits; i++) {
		unsigned int digit = (unsigned int)(*value % 10);

		is_shown |= digit != 0;
		if (is_shown)
			*--at = (char)('0' + digit);
		*value /= 10;
	}
	if (is_shown)
		*--at = '.';
	return at;
}

static char *put_number(char *at, uint64_t value)
{
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return at;
}

static char *put_small_duration(char *at, uint64_t left)
{
	int digits = 0;

	*--at = 's';
	if (!left) {
		*--at = '0';
		return at;
	}
	if (left < 1000) {
		*--at = 'n';
	} else if (left < 1000000) {
		digits = 3;
		at -= 2;
		memcpy(at, "\xc2\xb5", 2); // µ
	} else {
		digits = 6;
		*--at = 'm';
	}
	at = put_fraction(at, &left, digits);
	return put_number(at, left);
}

bool natural_put_duration(struct natural *n, int64_t ns)
{
	char text[48];
	char *end = text + sizeof(text), *at = end;
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	if (left < NS) {
		at = put_small_duration(at, left);
	} else {
		*--at = 's';
		at = put_fraction(at, &left, 9);
		at = put_number(at, left % 60);
		left /= 60;
		if (left) {
			*--at = 'm';
			at = put_number(at, left % 60);
			left /= 60;
		}
		if (left) {
			*--at = 'h';
			at = put_number(at, left);
		}
	}
	if (ns < 0)
		*--at = '-';
	return natural_put(n, at, (size_t)(end - at));
}

bool natural_duration(struct natural *n, struct type *type, const struct place *place)
{
	int64_t ns;

	return natural_number(n, type, place, "", &ns) && natural_put_duration(n, ns);
}

static bool put_name(struct natural *n, struct type *type, const struct place *place,
	const char *const *names, int64_t first, int64_t count)
{
	int64_t number;

	return natural_number(n, type, place, "", &number) && number >= first &&
	       number < first + count && natural_puts(n, names[number - first]);
}

bool natural_month(struct natural *n, struct type *type, const struct place *place)
{
	static const char *const names[] = {"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December"};

	return put_name(n, type, place, names, 1, 12);
}

bool natural_weekday(struct natural *n, struct type *type, const struct place *place)
{
	static const char *const names[] = {
		"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

	return put_name(n, type, place, names, 0, 7);
}

struct zone {
	const char *name;
	size_t name_size;
	int64_t offset; // seconds east of UTC
};

/** Location.zone[i] or *Location.cacheZone: {name, offset, isDST}. */
static bool load_zone(
	struct natural *n, struct type *type, const struct place *place, struct zone *ret)
{
	const uint8_t *name;

	if (!natural_bytes(n, type, place, "name", &name, &ret->name_size) ||
		!natural_number(n, type, place, "offset", &ret->offset))
		return false;
	ret->name = (const char *)name;
	return ret->offset > -86400 && ret->offset < 86400;
}

/** The zone in force at `unix_seconds`, where the location has looked it up or has one only. */
static bool find_zone(struct natural *n, struct type *type, const struct place *place,
	int64_t unix_seconds, struct zone *ret)
{
	struct type *location, *zones;
	struct place at, list;
	int64_t start, end;
	target_addr data;
	uint64_t count;

	*ret = (struct zone){"UTC", 3, 0};
	if (!natural_find(n, type, place, "loc", &location, &at) ||
		fetch_word(n->reader, &at, 0, &data))
		return false;
	if (!data)
		return true;
	if (!natural_header(n, location, &at, "zone", &list.address, &count))
		return false;
	if (!count) { // without a name it is a Local that nobody has loaded yet: not known
		const uint8_t *name;
		size_t size;

		return natural_bytes(n, location, &at, "name", &name, &size) && size == 3 &&
		       !memcmp(name, "UTC", 3);
	}
	if (natural_number(n, location, &at, "cacheStart", &start) &&
		natural_number(n, location, &at, "cacheEnd", &end) && start <= unix_seconds &&
		unix_seconds < end && natural_find(n, location, &at, "cacheZone", &zones, &list) &&
		zones->kind == GO_POINTER)
		return load_zone(n, zones, &list, ret);
	return false;
}

/** Howard Hinnant's civil_from_days, over days since 1970. */
static void civil(int64_t days, int64_t *year, unsigned int *month, unsigned int *day)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned int of_era = (unsigned int)(shifted - era * 146097);
	unsigned int year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned int march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * march + 2) / 5 + 1;
	*month = march < 10 ? march + 3 : march - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

static bool put_clock(struct natural *n, int64_t seconds, uint64_t ns)
{
	int64_t days = seconds / 86400, second = seconds % 86400, year;
	unsigned int month, day;

	if (second < 0) {
		second += 86400;
		days--;
	}
	civil(days, &year, &month, &day);
	if (year < 0 || year > 9999)
		return false;
	if (!natural_format(n, "%04" PRId64 "-%02u-%02u %02d:%02d:%02d", year, month, day,
		    (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60)))
		return false;
	if (ns) {
		char text[16];
		char *at = put_fraction(text + sizeof(text), &ns, 9);

		return natural_put(n, at, (size_t)(text + sizeof(text) - at));
	}
	return true;
}

static bool put_zone(struct natural *n, const struct zone *zone)
{
	int64_t minutes = (zone->offset < 0 ? -zone->offset : zone->offset) / 60;

	if (!zone->name_size || zone->offset % 60)
		return false;
	return natural_format(n, " %c%02d%02d ", zone->offset < 0 ? '-' : '+', (int)(minutes / 60),
		       (int)(minutes % 60)) &&
	       natural_put(n, zone->name, zone->name_size);
}

/** " m=+1.000000001": seconds since the process began, as Time.String adds them. */
static bool put_monotonic(struct natural *n, int64_t ext)
{
	uint64_t ns = ext < 0 ? -(uint64_t)ext : (uint64_t)ext;

	return natural_format(
		n, " m=%c%" PRIu64 ".%09" PRIu64, ext < 0 ? '-' : '+', ns / NS, ns % NS);
}

/** Seconds since 1970 of a time.Time, and its words. */
static bool load_time(struct natural *n, struct type *type, const struct place *place,
	int64_t *wall_ret, int64_t *ext_ret, int64_t *seconds_ret)
{
	if (!natural_number(n, type, place, "wall", wall_ret) ||
		!natural_number(n, type, place, "ext", ext_ret))
		return false;
	if ((uint64_t)*wall_ret & HAS_MONOTONIC)
		*seconds_ret = SECONDS_TO_1885 - SECONDS_TO_1970 +
			       (int64_t)((uint64_t)*wall_ret << 1 >> (WALL_SECONDS_SHIFT + 1));
	else if (*ext_ret < -(INT64_C(1) << 40) || *ext_ret > INT64_C(1) << 40)
		return false; // a year that nobody means
	else
		*seconds_ret = *ext_ret - SECONDS_TO_1970;
	return true;
}

bool natural_time(struct natural *n, struct type *type, const struct place *place)
{
	int64_t wall, ext, seconds;
	struct zone zone;

	if (!load_time(n, type, place, &wall, &ext, &seconds) ||
		!find_zone(n, type, place, seconds, &zone) ||
		!put_clock(n, seconds + zone.offset, (uint64_t)wall & NANOSECONDS_MASK) ||
		!put_zone(n, &zone))
		return false;
	return !((uint64_t)wall & HAS_MONOTONIC) || put_monotonic(n, ext);
}

bool natural_put_wall(struct natural *n, struct type *type, const struct place *place)
{
	int64_t wall, ext, seconds;
	struct zone zone;

	if (!load_time(n, type, place, &wall, &ext, &seconds))
		return false;
	if (!find_zone(n, type, place, seconds, &zone))
		zone = (struct zone){"UTC", 3, 0};
	return put_clock(n, seconds + zone.offset, (uint64_t)wall & NANOSECONDS_MASK) &&
	       put_zone(n, &zone);
}

bool natural_monotonic(
	struct natural *n, struct type *type, const struct place *place, int64_t *ret)
{
	int64_t wall;

	return natural_number(n, type, place, "wall", &wall) && (uint64_t)wall & HAS_MONOTONIC &&
	       natural_number(n, type, place, "ext", ret);
}

bool natural_location(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *name;
	size_t size;

	// Without a name it is a Local that nobody has loaded yet.
	return natural_bytes(n, type, place, "name", &name, &size) && size &&
	       natural_put(n, (const char *)name, size);
}

/* runtime/time.go until 1.22: the states of a timer that will not run, or that is being changed. */
static bool is_idle_status(int64_t status)
{
	return status == 0 || status == 3 || status == 4 || status == 5; // none, deleted, removed
}

#define TIMER_CHANGED_EARLIER 7 // and later: nextwhen counts
#define TIMER_CHANGED_LATER 8
#define OBJECT_BEHIND_TIMER 16 // runtime.timeTimer (1.23): channel, init, then the timer
#define PERIOD_BEHIND_WHEN 8   // in runtime.timer, in every release

/** Until 1.22 a Timer holds what the runtime has of it; `when` 0: it is not running. */
static bool load_old_timer(struct natural *n, struct type *type, const struct place *place,
	int64_t *when, int64_t *period)
{
	int64_t status;

	if (!natural_number(n, type, place, "r.when", when) ||
		!natural_number(n, type, place, "r.period", period) ||
		!natural_number(n, type, place, "r.status", &status))
		return false;
	if (is_idle_status(status))
		*when = 0;
	else if (status == TIMER_CHANGED_EARLIER || status == TIMER_CHANGED_LATER)
		return natural_number(n, type, place, "r.nextwhen", when);
	return true;
}

/** Since 1.23 it stands before a part of the runtime's that its type does not tell. */
static bool load_new_timer(struct natural *n, struct type *type, const struct place *place,
	int64_t *when, int64_t *period)
{
	const struct runtime *rt = n->reader->rt;
	target_addr timer = place->address + OBJECT_BEHIND_TIMER;
	int64_t is_made;
	uint64_t words[2];

	if (!place->address ||
		(!natural_number(n, type, place, "initTimer", &is_made) &&
			!natural_number(n, type, place, "initTicker", &is_made)))
		return false;
	*when = *period = 0;
	if (!is_made)
		return true;
	if (!layout_has(&rt->layout, TIMER_WHEN) ||
		image_read(rt->image, timer + layout_value(&rt->layout, TIMER_WHEN), words,
			sizeof(words)) != CS_OK)
		return false;
	*when = (int64_t)words[0];
	*period = (int64_t)words[PERIOD_BEHIND_WHEN / 8];
	return true;
}

bool natural_timer(struct natural *n, struct type *type, const struct place *place)
{
	int64_t when, period, left;

	if (!load_old_timer(n, type, place, &when, &period) &&
		!load_new_timer(n, type, place, &when, &period))
		return false;
	if (!when)
		return natural_puts(n, "not running");
	if (!n->reader->now || when < 0 || period < 0)
		return false;
	left = when - n->reader->now;
	if (left <= 0 && !period)
		return natural_puts(n, "fired");
	// The clock's last stamp may be older than the crash.
	left = left < 0 ? 0 : (left + MILLISECOND - 1) / MILLISECOND * MILLISECOND;
	if (!natural_puts(n, "fires within ") || !natural_put_duration(n, left))
		return false;
	return !period || (natural_puts(n, ", every ") && natural_put_duration(n, period));
}
