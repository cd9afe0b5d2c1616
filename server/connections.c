#include "server/connections.h"

#include "common/limits.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum phase { IN_HEADER, IN_BODY, IN_ANSWER };

struct connection {
	struct connection *next;
	int socket; // borrowed
	enum phase phase;
	int64_t since_s; // when the phase began
	uint64_t received;
};

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool is_too_slow(const struct connection *c, int64_t now)
{
	int64_t spent = now - c->since_s;

	if (c->phase == IN_ANSWER || spent < MAX_HEADER_SECONDS)
		return false;
	return c->phase == IN_HEADER || c->received / (uint64_t)spent < MIN_BODY_RATE;
}

static void *be_janitor(void *context)
{
	struct connections *all = context;

	pthread_mutex_lock(&all->lock);
	while (!all->is_over) {
		struct timespec until;

		for (struct connection *c = all->first; c; c = c->next)
			if (is_too_slow(c, now_s()))
				shutdown(c->socket, SHUT_RDWR);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 2;
		pthread_cond_timedwait(&all->wake, &all->lock, &until);
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

bool connections_start(struct connections *all)
{
	*all = (struct connections){0};
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->wake, NULL);
	return !pthread_create(&all->janitor, NULL, be_janitor, all);
}

void connections_stop(struct connections *all)
{
	pthread_mutex_lock(&all->lock);
	all->is_over = true;
	pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	pthread_join(all->janitor, NULL);
	pthread_cond_destroy(&all->wake);
	pthread_mutex_destroy(&all->lock);
}

void connections_drain(struct connections *all, unsigned int seconds)
{
	struct timespec until;
	int timed_out = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&all->lock);
	while (all->busy && !timed_out)
		timed_out = pthread_cond_timedwait(&all->wake, &all->lock, &until);
	pthread_mutex_unlock(&all->lock);
}

struct connection *connection_open(struct connections *all, int socket)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->socket = socket;
	c->since_s = now_s();
	pthread_mutex_lock(&all->lock);
	c->next = all->first;
	all->first = c;
	pthread_mutex_unlock(&all->lock);
	return c;
}

void connection_close(struct connections *all, struct connection *connection)
{
	if (!connection)
		return;
	pthread_mutex_lock(&all->lock);
	for (struct connection **at = &all->first; *at; at = &(*at)->next)
		if (*at == connection) {
			*at = connection->next;
			break;
		}
	pthread_mutex_unlock(&all->lock);
	free(connection);
}

static void enter(struct connections *all, struct connection *c, enum phase phase, int busy)
{
	pthread_mutex_lock(&all->lock);
	all->busy += (unsigned int)busy;
	if (c) {
		c->phase = phase;
		c->since_s = now_s();
		c->received = 0;
	}
	if (busy < 0)
		pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
}

void connection_begin(struct connections *all, struct connection *connection)
{
	enter(all, connection, IN_BODY, 1);
}

void connection_receive(struct connections *all, struct connection *connection, uint64_t size)
{
	if (!connection)
		return;
	pthread_mutex_lock(&all->lock);
	connection->received += size;
	pthread_mutex_unlock(&all->lock);
}

void connection_receive_end(struct connections *all, struct connection *connection)
{
	enter(all, connection, IN_ANSWER, 0);
}

void connection_end(struct connections *all, struct connection *connection)
{
	enter(all, connection, IN_HEADER, -1);
}
