// Addresses, links and errors of packages net and net/url as they print themselves (net/ip.go,
// net/mac.go, net/url/url.go; the same from go1.18 to go1.27).
#include "analyzer/values/natural_internal.h"

#include <inttypes.h>
#include <string.h>

#define IP4_SIZE 4
#define IP6_SIZE 16

static bool put_hex(struct natural *n, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!natural_format(n, "%02x", bytes[i]))
			return false;
	return true;
}

/** The four bytes of an IPv4 address in either form; NULL: it is none. */
static const uint8_t *as_ip4(const uint8_t *bytes, size_t size)
{
	static const uint8_t prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (size == IP4_SIZE)
		return bytes;
	if (size == IP6_SIZE && !memcmp(bytes, prefix, sizeof(prefix)))
		return bytes + sizeof(prefix);
	return NULL;
}

/** RFC 5952: the first longest run of at least two zero groups becomes "::". */
static bool put_ip6(struct natural *n, const uint8_t *bytes)
{
	int best = -1, best_end = -1;

	for (int i = 0; i < IP6_SIZE; i += 2) {
		int end = i;

		while (end < IP6_SIZE && !bytes[end] && !bytes[end + 1])
			end += 2;
		if (end > i + 2 && end - i > best_end - best) {
			best = i;
			best_end = end;
		}
	}
	for (int i = 0; i < IP6_SIZE; i += 2) {
		if (i == best) {
			if (!natural_puts(n, "::"))
				return false;
			i = best_end;
			if (i >= IP6_SIZE)
				break;
		} else if (i && !natural_puts(n, ":")) {
			return false;
		}
		if (!natural_format(n, "%x", (unsigned int)(bytes[i] << 8 | bytes[i + 1])))
			return false;
	}
	return true;
}

static bool put_ip(struct natural *n, const uint8_t *bytes, size_t size)
{
	const uint8_t *ip4 = as_ip4(bytes, size);

	if (!size)
		return natural_puts(n, "<nil>");
	if (ip4)
		return natural_format(n, "%u.%u.%u.%u", ip4[0], ip4[1], ip4[2], ip4[3]);
	if (size == IP6_SIZE)
		return put_ip6(n, bytes);
	return natural_puts(n, "?") && put_hex(n, bytes, size);
}

bool natural_ip(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	size_t size;

	return natural_bytes(n, type, place, "", &bytes, &size) && put_ip(n, bytes, size);
}

bool natural_mask(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	size_t size;

	if (!natural_bytes(n, type, place, "", &bytes, &size))
		return false;
	return size ? put_hex(n, bytes, size) : natural_puts(n, "<nil>");
}

/** How many ones a mask begins with; -1 where ones follow a zero. */
static int mask_length(const uint8_t *bytes, size_t size)
{
	int length = 0;
	bool is_over = false;

	for (size_t i = 0; i < 8 * size; i++) {
		bool bit = bytes[i / 8] >> (7 - i % 8) & 1;

		if (bit && is_over)
			return -1;
		is_over |= !bit;
		length += bit;
	}
	return length;
}

bool natural_network(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *ip, *mask, *ip4;
	size_t ip_size, mask_size;
	int length;

	if (!natural_bytes(n, type, place, "IP", &ip, &ip_size) ||
		!natural_bytes(n, type, place, "Mask", &mask, &mask_size))
		return false;
	ip4 = as_ip4(ip, ip_size);
	if (ip4 && mask_size == IP6_SIZE) {
		mask += IP6_SIZE - IP4_SIZE;
		mask_size = IP4_SIZE;
	}
	if (mask_size != (ip4 ? (size_t)IP4_SIZE : IP6_SIZE) || (!ip4 && ip_size != IP6_SIZE))
		return natural_puts(n, "<nil>");
	length = mask_length(mask, mask_size);
	if (!put_ip(n, ip, ip_size) || !natural_puts(n, "/"))
		return false;
	return length < 0 ? put_hex(n, mask, mask_size) : natural_format(n, "%d", length);
}

bool natural_hardware(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *bytes;
	size_t size;

	if (!natural_bytes(n, type, place, "", &bytes, &size))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!natural_format(n, i ? ":%02x" : "%02x", bytes[i]))
			return false;
	return true;
}

bool natural_endpoint(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *ip, *zone;
	size_t ip_size, zone_size;
	int64_t port;
	bool is_bracketed;

	if (!natural_bytes(n, type, place, "IP", &ip, &ip_size) ||
		!natural_bytes(n, type, place, "Zone", &zone, &zone_size) ||
		!natural_number(n, type, place, "Port", &port))
		return false;
	is_bracketed = ip_size && !as_ip4(ip, ip_size);
	if (!natural_puts(n, is_bracketed ? "[" : "") || (ip_size && !put_ip(n, ip, ip_size)))
		return false;
	if (zone_size && (!natural_puts(n, "%") || !natural_put(n, (const char *)zone, zone_size)))
		return false;
	return natural_format(n, "%s:%" PRId64, is_bracketed ? "]" : "", port);
}

/** The word of a netip.Addr that says what it is: a pointer, since 1.23 in a unique.Handle. */
static bool load_netip_kind(
	struct natural *n, struct type *type, const struct place *place, uint64_t *ret)
{
	struct place at;

	return natural_find(n, type, place, "z", &type, &at) && !fetch_word(n->reader, &at, 0, ret);
}

/**
 * The 16 bytes of a netip.Addr, and whether it is one of IPv6 (addrDetail.isV6). Until 1.22 that is
 * where a pointer points to, which only its package knows: then an address that could be one of
 * IPv4 is not told, unless it has a zone.
 */
static bool load_netip(struct natural *n, struct type *type, const struct place *place,
	uint8_t bytes[IP6_SIZE], int64_t *is_ip6)
{
	struct type *zone;
	struct place at;
	int64_t halves[2];
	uint64_t word;

	if (!natural_number(n, type, place, "addr.hi", &halves[0]) ||
		!natural_number(n, type, place, "addr.lo", &halves[1]))
		return false;
	for (int i = 0; i < IP6_SIZE; i++)
		bytes[i] = (uint8_t)((uint64_t)halves[i / 8] >> (56 - 8 * (i % 8)));
	if (natural_number(n, type, place, "z.value.isV6", is_ip6))
		return true;
	*is_ip6 = 1;
	return natural_find(n, type, place, "z.cmpVal", &zone, &at) &&
	       !fetch_word(n->reader, &at, 0, &word) && (word || !as_ip4(bytes, IP6_SIZE));
}

static bool put_netip(struct natural *n, const uint8_t *bytes, bool is_ip6)
{
	const uint8_t *ip4 = as_ip4(bytes, IP6_SIZE);

	if (!is_ip6)
		return ip4 && put_ip(n, ip4, IP4_SIZE);
	if (ip4)
		return natural_puts(n, "::ffff:") && put_ip(n, ip4, IP4_SIZE);
	return put_ip6(n, bytes);
}

/** "%eth0" of an address that has a zone. */
static bool put_netip_zone(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *zone;
	struct type *value;
	struct place at;
	uint64_t word;
	size_t size;

	if (natural_find(n, type, place, "z.cmpVal", &value, &at)) // until 1.22
		return !fetch_word(n->reader, &at, 0, &word) &&
		       (!word || (natural_puts(n, "%") && natural_append(n, value, &at, "")));
	return natural_bytes(n, type, place, "z.value.zoneV6", &zone, &size) &&
	       (!size || (natural_puts(n, "%") && natural_put(n, (const char *)zone, size)));
}

bool natural_netip(struct natural *n, struct type *type, const struct place *place)
{
	uint8_t bytes[IP6_SIZE];
	int64_t is_ip6;
	uint64_t kind;

	if (!load_netip_kind(n, type, place, &kind))
		return false;
	if (!kind)
		return natural_puts(n, "invalid IP");
	return load_netip(n, type, place, bytes, &is_ip6) && put_netip(n, bytes, is_ip6) &&
	       (!is_ip6 || put_netip_zone(n, type, place));
}

bool natural_netip_port(struct natural *n, struct type *type, const struct place *place)
{
	uint8_t bytes[IP6_SIZE];
	int64_t is_ip6, port;
	struct type *ip;
	struct place at;

	if (!natural_find(n, type, place, "ip", &ip, &at) ||
		!load_netip(n, ip, &at, bytes, &is_ip6) ||
		!natural_number(n, type, place, "port", &port))
		return false;
	return natural_puts(n, is_ip6 ? "[" : "") && put_netip(n, bytes, is_ip6) &&
	       (!is_ip6 || put_netip_zone(n, ip, &at)) &&
	       natural_format(n, "%s:%" PRId64, is_ip6 ? "]" : "", port);
}

/** {ip, bits}; since 1.22 {ip, bitsPlusOne}. */
bool natural_netip_prefix(struct natural *n, struct type *type, const struct place *place)
{
	struct type *ip;
	struct place at;
	int64_t bits;

	if (natural_number(n, type, place, "bitsPlusOne", &bits))
		bits--;
	else if (!natural_number(n, type, place, "bits", &bits))
		return false;
	if (bits < 0)
		return natural_puts(n, "invalid Prefix");
	return natural_find(n, type, place, "ip", &ip, &at) && natural_netip(n, ip, &at) &&
	       natural_format(n, "/%" PRId64, bits);
}

static bool is_unreserved(uint8_t c, const char *more)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-_.~", c)) || (c && strchr(more, c));
}

/** url.escape: bytes but letters, digits, "-_.~" and `more` become %XX. */
static bool put_escaped(struct natural *n, const uint8_t *bytes, size_t size, const char *more)
{
	for (size_t i = 0; i < size; i++)
		if (is_unreserved(bytes[i], more) ? !natural_put(n, (const char *)&bytes[i], 1)
						  : !natural_format(n, "%%%02X", bytes[i]))
			return false;
	return true;
}

struct url {
	const uint8_t *scheme, *opaque, *host, *path, *query, *fragment;
	size_t scheme_size, opaque_size, host_size, path_size, query_size, fragment_size;
	int64_t has_query, omits_host; // an empty query; no "//" before an empty host
};

/** The parts of a URL that needs none of String's rarer rules. */
static bool load_url(
	struct natural *n, struct type *type, const struct place *place, struct url *ret)
{
	const uint8_t *other;
	size_t raw_path_size, raw_fragment_size;

	if (!natural_bytes(n, type, place, "RawPath", &other, &raw_path_size) ||
		!natural_bytes(n, type, place, "RawFragment", &other, &raw_fragment_size) ||
		!natural_number(n, type, place, "ForceQuery", &ret->has_query) || raw_path_size ||
		raw_fragment_size)
		return false;
	if (!natural_number(n, type, place, "OmitHost", &ret->omits_host)) // 1.19
		ret->omits_host = 0;
	return natural_bytes(n, type, place, "Scheme", &ret->scheme, &ret->scheme_size) &&
	       natural_bytes(n, type, place, "Opaque", &ret->opaque, &ret->opaque_size) &&
	       natural_bytes(n, type, place, "Host", &ret->host, &ret->host_size) &&
	       natural_bytes(n, type, place, "Path", &ret->path, &ret->path_size) &&
	       natural_bytes(n, type, place, "RawQuery", &ret->query, &ret->query_size) &&
	       natural_bytes(n, type, place, "Fragment", &ret->fragment, &ret->fragment_size);
}

/** "user:password@", "user@" or nothing; false: not readable. */
static bool put_user(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *name, *password;
	size_t name_size, password_size;
	struct type *user;
	struct place at;
	target_addr pointer;
	int64_t has_password;

	if (!natural_find(n, type, place, "User", &user, &at) ||
		fetch_word(n->reader, &at, 0, &pointer))
		return false;
	if (!pointer)
		return true;
	if (!natural_bytes(n, user, &at, "username", &name, &name_size) ||
		!natural_bytes(n, user, &at, "password", &password, &password_size) ||
		!natural_number(n, user, &at, "passwordSet", &has_password) ||
		!put_escaped(n, name, name_size, "$&+,;="))
		return false;
	if (has_password &&
		(!natural_puts(n, ":") || !put_escaped(n, password, password_size, "$&+,;=")))
		return false;
	return natural_puts(n, "@");
}

static bool is_plain(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!is_unreserved(bytes[i], ":[]"))
			return false;
	return true;
}

/** "//user@host" where there is one, or an empty one. */
static bool put_authority(
	struct natural *n, struct type *type, const struct place *place, const struct url *url)
{
	struct type *user;
	struct place at;
	uint64_t has_user;

	if (!natural_find(n, type, place, "User", &user, &at) ||
		fetch_word(n->reader, &at, 0, &has_user))
		return false;
	if (!url->host_size && !has_user &&
		(!url->scheme_size || url->omits_host || !url->path_size))
		return true;
	return natural_puts(n, "//") && put_user(n, type, place) &&
	       natural_put(n, (const char *)url->host, url->host_size);
}

/** Authority and path; false where the path is relative, which has rules of its own. */
static bool put_hierarchy(
	struct natural *n, struct type *type, const struct place *place, const struct url *url)
{
	size_t before = n->used;
	bool is_relative = url->path_size && url->path[0] != '/';

	if (!put_authority(n, type, place, url))
		return false;
	if (is_relative && !url->scheme_size && n->used == before)
		return false;
	if (is_relative && url->host_size && !natural_puts(n, "/"))
		return false;
	return put_escaped(n, url->path, url->path_size, "$&+,/:;=@");
}

bool natural_url(struct natural *n, struct type *type, const struct place *place)
{
	struct url url;

	if (!load_url(n, type, place, &url) || !is_plain(url.host, url.host_size))
		return false;
	if (url.scheme_size && (!natural_put(n, (const char *)url.scheme, url.scheme_size) ||
				       !natural_puts(n, ":")))
		return false;
	if (url.opaque_size ? !natural_put(n, (const char *)url.opaque, url.opaque_size)
			    : !put_hierarchy(n, type, place, &url))
		return false;
	if ((url.query_size || url.has_query) &&
		(!natural_puts(n, "?") || !natural_put(n, (const char *)url.query, url.query_size)))
		return false;
	return !url.fragment_size ||
	       (natural_puts(n, "#") &&
		       put_escaped(n, url.fragment, url.fragment_size, "$&+,/:;=?@!()*"));
}

bool natural_uuid(struct natural *n, struct type *type, const struct place *place)
{
	uint8_t b[16];

	if (type->size != sizeof(b) || fetch(n->reader, place, 0, sizeof(b), b))
		return false;
	return natural_format(n,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}

/** Whether the interface at `path` holds something. */
static bool is_set(
	struct natural *n, struct type *type, const struct place *place, const char *path)
{
	struct place at;
	uint64_t word;

	return natural_find(n, type, place, path, &type, &at) &&
	       !fetch_word(n->reader, &at, 0, &word) && word;
}

bool natural_op_error(struct natural *n, struct type *type, const struct place *place)
{
	const uint8_t *net;
	size_t net_size;
	bool has_source = is_set(n, type, place, "Source"),
	     has_addr = is_set(n, type, place, "Addr");

	if (!natural_append(n, type, place, "Op") ||
		!natural_bytes(n, type, place, "Net", &net, &net_size))
		return false;
	if (net_size && (!natural_puts(n, " ") || !natural_put(n, (const char *)net, net_size)))
		return false;
	if (has_source && (!natural_puts(n, " ") || !natural_append(n, type, place, "Source")))
		return false;
	if (has_addr && (!natural_puts(n, has_source ? "->" : " ") ||
				!natural_append(n, type, place, "Addr")))
		return false;
	return natural_puts(n, ": ") && natural_append(n, type, place, "Err");
}

/** A connection or listener: "tcp local->remote, descriptor 7"; "closed" once it is. */
bool natural_descriptor(struct natural *n, struct type *type, const struct place *place)
{
	int64_t descriptor;

	if (!natural_append(n, type, place, "net") || !natural_puts(n, " ") ||
		!natural_append(n, type, place, "laddr"))
		return false;
	if (is_set(n, type, place, "raddr") &&
		(!natural_puts(n, "->") || !natural_append(n, type, place, "raddr")))
		return false;
	if (!natural_number(n, type, place, "pfd.Sysfd", &descriptor))
		return false;
	return descriptor < 0 ? natural_puts(n, ", closed")
			      : natural_format(n, ", descriptor %" PRId64, descriptor);
}
