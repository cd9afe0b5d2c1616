#include "daemon/setting.h"

#include "common/checked.h"
#include "daemon/backoff.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum cs_status setting_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	unsigned long long number;
	uint64_t scale = 1;

	if (*text < '0' || *text > '9')
		return CS_CORRUPT;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return CS_CORRUPT;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return CS_CORRUPT;
		scale <<= 10 * (unit - units + 1);
	}
	return checked_mul(number, scale, ret) ? CS_OK : CS_CORRUPT;
}

enum cs_status setting_duration_ns(const char *text, uint64_t *ret)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"", 1}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	char *end;
	double number;

	// strtod would take "nan", "inf", hexadecimal and signs as well.
	if (strspn(text, "0123456789.") == 0 || strpbrk(text, "xXeE"))
		return CS_CORRUPT;
	number = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		if (number * units[i].seconds > 1e9)
			return CS_CORRUPT;
		*ret = (uint64_t)(number * units[i].seconds * (double)NS_PER_SECOND);
		return CS_OK;
	}
	return CS_CORRUPT;
}

enum cs_status setting_number(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long number;

	if (*text < '0' || *text > '9')
		return CS_CORRUPT;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number < min || number > max)
		return CS_CORRUPT;
	*ret = (uint32_t)number;
	return CS_OK;
}

static bool is_loopback(const char *host)
{
	struct in_addr address;

	if (!strcmp(host, "localhost") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool is_there = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return is_there;
}

static const char *check_parsed(CURLU *url, bool *is_https_ret)
{
	char *scheme = NULL, *host = NULL;
	const char *problem = NULL;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) ||
		curl_url_get(url, CURLUPART_HOST, &host, 0))
		problem = "it has no scheme or no host";
	else if (strcmp(scheme, "http") && strcmp(scheme, "https"))
		problem = "only https:// (and http:// to this machine) can be uploaded to";
	else if (!strcmp(scheme, "http") && !is_loopback(host))
		problem = "http:// would send memory contents in the clear; use https://, or a "
			  "loopback address";
	else
		*is_https_ret = !strcmp(scheme, "https");
	curl_free(scheme);
	curl_free(host);
	return problem;
}

const char *setting_upload_url(const char *text, bool *is_https_ret)
{
	CURLU *url = curl_url();
	const char *problem;

	if (!url)
		return "out of memory";
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME))
		problem = "it is not a URL; write https://host/path";
	else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		problem = "it holds a user name or password, which every user of this machine "
			  "could read; use --upload-token FILE";
	else if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		problem = "a query or fragment cannot be kept: objects are named URL/ID.json";
	else
		problem = check_parsed(url, is_https_ret);
	curl_url_cleanup(url);
	return problem;
}
