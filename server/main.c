// coresnap-server: stores snapshots that are PUT to it, and shows them. Starts the nursery of its
// workers while it is still one thread that has opened nothing, then the store, the catalog, HTTP.
#include "server/html.h"
#include "server/http.h"
#include "server/options.h"

#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define BACKLOG 128

static int fail(const char *what, const char *why)
{
	server_log("%s: %s", what, why);
	return EXIT_FAILURE;
}

/** The policy of a page: our own style sheet, by its hash, and nothing else. */
static bool make_policy(struct server *server)
{
	unsigned char digest[32], encoded[64];
	unsigned int size;

	if (EVP_Digest(html_style, strlen(html_style), digest, &size, EVP_sha256(), NULL) != 1)
		return false;
	EVP_EncodeBlock(encoded, digest, (int)size);
	snprintf(server->style_policy, sizeof(server->style_policy),
		"default-src 'none'; style-src 'sha256-%s'; img-src data:; form-action 'self'",
		(const char *)encoded);
	return true;
}

/** A socket that listens; -1 after a line that says why not. */
static int open_socket(const struct options *options, const struct server *server)
{
	struct sockaddr_storage address;
	socklen_t size;
	int one = 1, fd;

	if (!server_parse_listen(options->listen, &address, &size)) {
		server_log("--listen %s: not ADDRESS:PORT with a numeric address", options->listen);
		return -1;
	}
	if (!server->auth.has_token && !address_is_loopback((struct sockaddr *)&address)) {
		server_log("--listen %s is beyond loopback: give --token-file FILE too",
			options->listen);
		return -1;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
		!bind(fd, (struct sockaddr *)&address, size) && !listen(fd, BACKLOG))
		return fd;
	server_log("--listen %s: %s", options->listen, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static void say_address(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[64], port[16];

	if (getsockname(fd, (struct sockaddr *)&address, &size) ||
		getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	printf(strchr(host, ':') ? "listening on http://[%s]:%s\n" : "listening on http://%s:%s\n",
		host, port);
	fflush(stdout);
}

static int serve(struct server *server, int socket, const sigset_t *stop)
{
	struct MHD_Daemon *daemon;
	int number;

	if (!connections_start(&server->connections))
		return fail("threads", strerror(errno));
	daemon = http_start(server, socket);
	if (!daemon)
		return fail("HTTP", "the library did not start");
	say_address(socket);
	sigwait(stop, &number);
	http_stop(server, daemon);
	connections_stop(&server->connections);
	server_log("stopped");
	return number == SIGCHLD ? fail("workers", "the process that starts them died") : 0;
}

/** With the store open: the catalog, then the work. */
static int run(struct server *server, const struct options *options, const sigset_t *stop)
{
	uint64_t added = 0;
	int socket = -1, result;

	if (options->is_reindex && server_reset_catalog(server, false))
		return fail(options->data, "the old list cannot be removed");
	if (server_open_catalog(server, options->data))
		return fail(options->data, "the list cannot be opened");
	if (server_sync_catalog(server, &added)) {
		result = fail(options->data, "the list cannot be made from the objects");
	} else if (options->is_reindex) {
		server_log("%llu snapshots listed",
			(unsigned long long)catalog_count(&server->catalog));
		result = 0;
	} else {
		if (added)
			server_log("%llu snapshots were not listed yet", (unsigned long long)added);
		socket = open_socket(options, server);
		result = socket < 0 ? EXIT_FAILURE : serve(server, socket, stop);
	}
	catalog_close(&server->catalog);
	return result;
}

static int run_in_store(struct server *server, const struct options *options, const sigset_t *stop)
{
	const char *wrong = store_open(&server->store, options->data);
	int result;

	if (wrong) {
		server_log("%s: %s%s%s", options->data, wrong, errno == EAGAIN ? "" : ": ",
			errno == EAGAIN ? "" : strerror(errno));
		return EXIT_FAILURE;
	}
	result = run(server, options, stop);
	store_close(&server->store);
	return result;
}

int main(int argc, char **argv)
{
	static struct server server;
	struct options options;
	const char *wrong;
	char error[256];
	sigset_t stop;
	int result;

	if (!server_options_parse(argc, argv, &options, error, sizeof(error))) {
		server_log("%s; see coresnap-server --help", error);
		return EXIT_USAGE;
	}
	if (options.is_help || options.is_version) {
		fputs(options.is_help ? server_options_help
				      : "coresnap-server " CORESNAP_VERSION "\n",
			stdout);
		return 0;
	}
	umask(077);
	mallopt(M_ARENA_MAX, 2); // a thread per connection must not mean a heap per connection
	signal(SIGPIPE, SIG_IGN);
	server.max_object = options.max_object;
	if (nursery_start(&server.nursery))
		return fail("workers", strerror(errno));
	prctl(PR_SET_DUMPABLE, 0);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGCHLD); // the nursery is the only child
	sigprocmask(SIG_BLOCK, &stop, NULL);
	wrong = options.token_file ? auth_load(&server.auth, options.token_file) : NULL;
	if (wrong)
		result = fail(options.token_file, wrong);
	else if (!nursery_works(&server.nursery))
		result = fail("workers", "none can close its sandbox here (is seccomp or Landlock "
					 "forbidden by a system call filter?)");
	else if (!make_policy(&server))
		result = fail("SHA-256", "not available");
	else
		result = run_in_store(&server, &options, &stop);
	nursery_stop(&server.nursery);
	return result;
}
