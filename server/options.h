// The command line of coresnap-server.
#ifndef CORESNAP_SERVER_OPTIONS_H
#define CORESNAP_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct options {
	const char *data, *token_file, *listen; // borrowed from argv, or literals
	uint64_t max_object;
	bool is_reindex, is_help, is_version;
};

/** Reads the command line; false, with one line in `error`, where it makes no sense. */
bool server_options_parse(
	int argc, char **argv, struct options *ret, char *error, size_t error_size);

/** "512M": bytes, with K, M or G of 1024. */
bool server_parse_size(const char *text, uint64_t *ret);

/** "127.0.0.1:7070", "[::1]:0", "localhost:80": a numeric address and a port. */
bool server_parse_listen(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size);

/** What --help prints. */
extern const char server_options_help[];

#endif
