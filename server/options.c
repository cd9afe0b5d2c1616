#include "server/options.h"

#include "common/limits.h"

#include <ctype.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LISTEN "127.0.0.1:7070"

const char server_options_help[] =
	"usage: coresnap-server --data DIR [--listen ADDRESS:PORT] [--token-file FILE]\n"
	"                       [--max-object SIZE]\n"
	"       coresnap-server --data DIR --reindex\n"
	"\n"
	"Stores crash snapshots of Go programs and shows them as web pages.\n"
	"\n"
	"  --data DIR             where objects and the list are kept; made if absent\n"
	"  --listen ADDRESS:PORT  where to listen (" DEFAULT_LISTEN "); port 0 takes a free one\n"
	"  --token-file FILE      a file whose first line clients must know; required\n"
	"                         beyond loopback\n"
	"  --max-object SIZE      largest upload, plain and unpacked (512M)\n"
	"  --reindex              make the list again from the objects, and end\n"
	"  --help, --version\n";

static const struct option long_options[] = {
	{"data", required_argument, NULL, 'd'},
	{"listen", required_argument, NULL, 'l'},
	{"token-file", required_argument, NULL, 't'},
	{"max-object", required_argument, NULL, 'm'},
	{"reindex", no_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

bool server_parse_size(const char *text, uint64_t *ret)
{
	unsigned long long number;
	unsigned int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*text) || strspn(text, "0123456789") > 15)
		return false;
	number = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'k')
		shift = 10;
	else if (*end == 'M' || *end == 'm')
		shift = 20;
	else if (*end == 'G' || *end == 'g')
		shift = 30;
	if (end[shift != 0] || number > UINT64_MAX >> shift)
		return false;
	*ret = (uint64_t)number << shift;
	return true;
}

bool server_parse_listen(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':');
	struct addrinfo *found;
	size_t size = colon ? (size_t)(colon - text) : 0;
	char host[64];

	if (!size || !isdigit((unsigned char)colon[1]) || strlen(colon + 1) > 5 ||
		atoi(colon + 1) > 65535)
		return false;
	if (text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	if (!size || size >= sizeof(host))
		return false;
	memcpy(host, text, size);
	host[size] = 0;
	if (!strcmp(host, "localhost"))
		snprintf(host, sizeof(host), "127.0.0.1");
	if (getaddrinfo(host, colon + 1, &hints, &found))
		return false;
	memcpy(ret, found->ai_addr, found->ai_addrlen);
	*ret_size = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static bool take(struct options *options, int option)
{
	switch (option) {
	case 'd':
		options->data = optarg;
		return true;
	case 'l':
		options->listen = optarg;
		return true;
	case 't':
		options->token_file = optarg;
		return true;
	case 'm':
		return server_parse_size(optarg, &options->max_object) && options->max_object &&
		       options->max_object <= 64ull << 30;
	case 'r':
		options->is_reindex = true;
		return true;
	case 'h':
		options->is_help = true;
		return true;
	case 'v':
		options->is_version = true;
		return true;
	default:
		return false;
	}
}

bool server_options_parse(
	int argc, char **argv, struct options *ret, char *error, size_t error_size)
{
	int option;

	*ret = (struct options){.listen = DEFAULT_LISTEN, .max_object = MAX_OBJECT_SIZE};
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (option == ':') {
			snprintf(error, error_size, "%s needs a value", argv[optind - 1]);
			return false;
		}
		if (!take(ret, option)) {
			snprintf(error, error_size, "%s is not understood", argv[optind - 1]);
			return false;
		}
	}
	if (ret->is_help || ret->is_version)
		return true;
	if (optind < argc)
		snprintf(error, error_size, "%s is not an option", argv[optind]);
	else if (!ret->data)
		snprintf(error, error_size, "--data DIR is missing");
	else
		return true;
	return false;
}
