#include "daemon/pack.h"

#include "daemon/log.h"
#include "daemon/record.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#define PACK_LEVEL 3

struct packer {
	ZSTD_CStream *stream;
	struct head head;
	char *input, *output;
	size_t input_size, output_size;
};

// Straight to the kernel: sanitizers stand between _exit and it, and look for leaks in /proc.
static _Noreturn void leave(int code)
{
	for (;;)
		syscall(SYS_exit_group, code);
}

// Not seccomp's strict mode: it cannot be entered under a filter, and containers, or a unit with
// SystemCallFilter=, are under one.
static bool confine(void)
{
	static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit_group)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool is_loaded = filter;

	for (size_t i = 0; is_loaded && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		is_loaded = !seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	is_loaded = is_loaded && !seccomp_load(filter);
	seccomp_release(filter);
	return is_loaded;
}

// Compresses a byte and forgets it: the stream allocates its tables at the first byte and keeps
// them.
static bool warm_up(struct packer *packer)
{
	ZSTD_inBuffer in = {"{", 1, 0};
	ZSTD_outBuffer out = {packer->output, packer->output_size, 0};

	if (ZSTD_isError(
		    ZSTD_CCtx_setParameter(packer->stream, ZSTD_c_compressionLevel, PACK_LEVEL)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(packer->stream, ZSTD_c_checksumFlag, 1)) ||
		ZSTD_isError(ZSTD_compressStream2(packer->stream, &out, &in, ZSTD_e_continue)))
		return false;
	return !ZSTD_isError(ZSTD_CCtx_reset(packer->stream, ZSTD_reset_session_only));
}

static bool packer_init(struct packer *packer)
{
	packer->input_size = ZSTD_CStreamInSize();
	packer->output_size = ZSTD_CStreamOutSize();
	packer->stream = ZSTD_createCStream();
	packer->input = malloc(packer->input_size);
	packer->output = malloc(packer->output_size);
	head_init(&packer->head);
	return packer->stream && packer->input && packer->output && warm_up(packer);
}

static int compress_bytes(struct packer *packer, size_t size, ZSTD_EndDirective mode)
{
	ZSTD_inBuffer in = {packer->input, size, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {packer->output, packer->output_size, 0};

		left = ZSTD_compressStream2(packer->stream, &out, &in, mode);
		if (ZSTD_isError(left))
			return PACK_NO_MEMORY;
		if (record_write_all(PACK_OUTPUT, packer->output, out.pos))
			return PACK_NOT_WRITTEN;
	} while (mode == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return PACK_OK;
}

static int pack_all(struct packer *packer)
{
	for (;;) {
		ssize_t size = read(PACK_INPUT, packer->input, packer->input_size);
		int code;

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return PACK_NOT_A_SNAPSHOT;
		if (size == 0)
			return compress_bytes(packer, 0, ZSTD_e_end);
		head_feed(&packer->head, packer->input, (size_t)size);
		code = compress_bytes(packer, (size_t)size, ZSTD_e_continue);
		if (code != PACK_OK)
			return code;
	}
}

// One write, less than a pipe takes at once: the reader gets all of it or nothing.
static int report(const struct head *head)
{
	char lines[HEAD_FACTS * HEAD_VALUE_SIZE];
	size_t size = 0;

	if (head_finish(head))
		return PACK_NOT_A_SNAPSHOT;
	for (size_t i = 0; i < HEAD_FACTS; i++) {
		size_t length = strlen(head->facts[i]); // less than HEAD_VALUE_SIZE

		memcpy(lines + size, head->facts[i], length);
		lines[size + length] = '\n';
		size += length + 1;
	}
	return record_write_all(PACK_REPORT, lines, size) ? PACK_NOT_WRITTEN : PACK_OK;
}

_Noreturn void pack_main(void)
{
	struct packer packer = {0};
	int code;

	signal(SIGPIPE, SIG_IGN);
	if (!packer_init(&packer))
		leave(PACK_NO_MEMORY);
	if (!confine())
		leave(PACK_NOT_CONFINED);
	code = pack_all(&packer);
	if (code == PACK_OK)
		code = report(&packer.head);
	leave(code);
}

static bool is_number_or_empty(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

enum cs_status pack_report_read(char *report_text, char facts[static HEAD_FACTS][HEAD_VALUE_SIZE])
{
	char *next = report_text;

	for (size_t i = 0; i < HEAD_FACTS; i++) {
		char *line = next;
		char *end = strchr(line, '\n');

		if (!end || end - line >= HEAD_VALUE_SIZE)
			return CS_CORRUPT;
		*end = '\0';
		next = end + 1;
		memcpy(facts[i], log_printable(line), (size_t)(end - line) + 1);
	}
	if (!head_is_id(facts[HEAD_ID]) || !is_number_or_empty(facts[HEAD_PID]) ||
		!is_number_or_empty(facts[HEAD_GOROUTINES]))
		return CS_CORRUPT;
	return CS_OK;
}
