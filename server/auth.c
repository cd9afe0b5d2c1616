#include "server/auth.h"

#include "common/limits.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SHORTEST_TOKEN 16
#define MAX_BASIC 2048

static bool digest_of(const char *bytes, size_t size, unsigned char *ret)
{
	unsigned int length;

	return EVP_Digest(bytes, size, ret, &length, EVP_sha256(), NULL) == 1;
}

const char *auth_load(struct auth *auth, const char *path)
{
	char token[MAX_TOKEN_LENGTH + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	size_t size;

	if (fd < 0)
		return "cannot be opened";
	got = read(fd, token, sizeof(token) - 1);
	close(fd);
	if (got < 0)
		return "cannot be read";
	token[got] = 0;
	size = strcspn(token, "\r\n");
	if (size < SHORTEST_TOKEN)
		return "holds a token of less than 16 characters";
	if (size > MAX_TOKEN_LENGTH)
		return "holds a token of more than 1024 characters";
	auth->has_token = digest_of(token, size, auth->digest);
	OPENSSL_cleanse(token, sizeof(token));
	return auth->has_token ? NULL : "cannot be hashed";
}

static bool is_token(const struct auth *auth, const char *bytes, size_t size)
{
	unsigned char digest[sizeof(auth->digest)];

	return digest_of(bytes, size, digest) &&
	       !CRYPTO_memcmp(digest, auth->digest, sizeof(digest));
}

/** base64(user:token) */
static bool is_basic_token(const struct auth *auth, const char *encoded)
{
	unsigned char decoded[MAX_BASIC];
	size_t size = strlen(encoded), padding = 0;
	const char *colon;
	int length;

	if (size == 0 || size > sizeof(decoded) || size % 4)
		return false;
	while (padding < 2 && encoded[size - 1 - padding] == '=')
		padding++;
	length = EVP_DecodeBlock(decoded, (const unsigned char *)encoded, (int)size);
	if (length < (int)padding)
		return false;
	length -= (int)padding;
	colon = memchr(decoded, ':', (size_t)length);
	if (!colon)
		return false;
	colon++;
	return is_token(auth, colon, (size_t)length - (size_t)(colon - (const char *)decoded));
}

bool auth_allows(const struct auth *auth, const char *header)
{
	if (!auth->has_token)
		return true;
	if (!header)
		return false;
	if (!strncasecmp(header, "Bearer ", 7))
		return is_token(auth, header + 7, strlen(header + 7));
	return !strncasecmp(header, "Basic ", 6) && is_basic_token(auth, header + 6);
}

bool address_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	return false;
}

bool host_is_loopback(const char *host)
{
	char name[256];
	struct in_addr in;
	size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	if (size >= sizeof(name) || size > strlen(host))
		return false;
	memcpy(name, host, size);
	name[size] = 0;
	if (!strcasecmp(name, "localhost") || !strcmp(name, "[::1]"))
		return true;
	return inet_pton(AF_INET, name, &in) == 1 && ntohl(in.s_addr) >> 24 == 127;
}
