#include "daemon/head.h"

#include <string.h>

// Where each fact lies, in the order of enum head_fact.
static const char *const paths[HEAD_FACTS][HEAD_DEPTH] = {
	[HEAD_ID] = {"id"},
	[HEAD_PID] = {"process", "pid"},
	[HEAD_EXECUTABLE] = {"process", "executable"},
	[HEAD_SIGNAL] = {"process", "signal", "name"},
	[HEAD_GO_VERSION] = {"binary", "go_version"},
	[HEAD_TITLE] = {"crash", "title"},
	[HEAD_GOROUTINES] = {"goroutines_total"},
};

void head_init(struct head *head)
{
	memset(head, 0, sizeof(*head));
}

bool head_is_id(const char *id)
{
	return strspn(id, "0123456789abcdef") == SNAPSHOT_ID_LENGTH && !id[SNAPSHOT_ID_LENGTH];
}

static void token_end(struct head *head)
{
	size_t end = head->token_size;

	if (end >= HEAD_VALUE_SIZE)
		end = HEAD_VALUE_SIZE - 1;
	head->token[end] = '\0';
}

static bool is_at(const struct head *head, const char *const *path)
{
	for (uint32_t i = 0; i < HEAD_DEPTH; i++) {
		if (!path[i])
			return head->depth == i;
		if (i >= head->depth || strcmp(path[i], head->keys[i]))
			return false;
	}
	return head->depth == HEAD_DEPTH;
}

// A value ended: keeps it if it is one of the facts. The first of equal keys counts.
static void take_value(struct head *head, bool is_string)
{
	if (head->depth > HEAD_DEPTH)
		return;
	token_end(head);
	if (!is_string && !strcmp(head->token, "null"))
		return;
	for (size_t i = 0; i < HEAD_FACTS; i++) {
		if (head->facts[i][0] || !is_at(head, paths[i]))
			continue;
		// A longer id is not an id; cut, it could look like one.
		if (head->token_size < HEAD_VALUE_SIZE || i != HEAD_ID)
			memcpy(head->facts[i], head->token, HEAD_VALUE_SIZE);
	}
}

// A colon: the string before it was a key.
static void take_key(struct head *head)
{
	bool is_ours = head->token_size < HEAD_KEY_SIZE;

	head->has_string = false;
	if (head->depth == 0 || head->depth > HEAD_DEPTH)
		return;
	token_end(head);
	if (is_ours)
		memcpy(head->keys[head->depth - 1], head->token, HEAD_KEY_SIZE);
	else
		head->keys[head->depth - 1][0] = '\0';
}

static void end_token(struct head *head)
{
	if (head->in_scalar || head->has_string)
		take_value(head, head->has_string);
	head->in_scalar = head->has_string = false;
}

static void push(struct head *head, char c)
{
	// JSON has no raw control characters; a report has one fact a line.
	if (head->token_size < HEAD_VALUE_SIZE - 1)
		head->token[head->token_size] = (unsigned char)c < 0x20 ? '?' : c;
	head->token_size++;
}

static void open_container(struct head *head)
{
	if (head->is_done)
		head->is_broken = true;
	head->depth++;
	if (head->depth <= HEAD_DEPTH)
		head->keys[head->depth - 1][0] = '\0';
}

static void close_container(struct head *head)
{
	end_token(head);
	if (head->depth == 0) {
		head->is_broken = true;
		return;
	}
	head->depth--;
	head->is_done = head->depth == 0;
}

static void feed_in_string(struct head *head, char c)
{
	if (head->is_escaped) {
		head->is_escaped = false;
		push(head, c);
	} else if (c == '"') {
		head->in_string = false;
		head->has_string = true;
	} else {
		head->is_escaped = c == '\\';
		push(head, c);
	}
}

static void feed_outside(struct head *head, char c)
{
	switch (c) {
	case '"':
		head->in_string = true;
		head->token_size = 0;
		break;
	case ':':
		take_key(head);
		break;
	case ',':
		end_token(head);
		break;
	case '{':
	case '[':
		open_container(head);
		break;
	case '}':
	case ']':
		close_container(head);
		break;
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		break;
	default:
		if (!head->in_scalar)
			head->token_size = 0;
		head->in_scalar = true;
		push(head, c);
		if (head->depth == 0)
			head->is_broken = true;
	}
}

void head_feed(struct head *head, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (head->in_string)
			feed_in_string(head, bytes[i]);
		else
			feed_outside(head, bytes[i]);
	}
}

enum cs_status head_finish(const struct head *head)
{
	if (!head->is_done || head->is_broken || head->in_string ||
		!head_is_id(head->facts[HEAD_ID]))
		return CS_CORRUPT;
	return CS_OK;
}
