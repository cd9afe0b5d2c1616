// Who may speak to the server: whoever knows the token, or, without one, whoever is on this
// machine.
#ifndef CORESNAP_SERVER_AUTH_H
#define CORESNAP_SERVER_AUTH_H

#include <stdbool.h>
#include <sys/socket.h>

struct auth {
	bool has_token;
	unsigned char digest[32]; // SHA-256 of the token: the token itself is not kept
};

/**
 * Reads the token, the first line of the file `path`. Returns NULL, or what is wrong with it, in
 * static memory.
 */
const char *auth_load(struct auth *auth, const char *path);

/**
 * Whether the value of an Authorization header has the token: "Bearer TOKEN", or "Basic …" with the
 * token as the password. Takes the same time for every wrong token.
 */
bool auth_allows(const struct auth *auth, const char *header);

/** Whether an address is this machine's own. */
bool address_is_loopback(const struct sockaddr *address);

/**
 * Whether a Host header names this machine. A server without a token answers to no other name, so
 * that no web page can reach it by a name of its own that resolves to 127.0.0.1.
 */
bool host_is_loopback(const char *host);

#endif
