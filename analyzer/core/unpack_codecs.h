// The four formats of unpack.c behind one interface: a step takes compressed bytes and gives plain
// ones. No library here reads a file or remembers more than its own window.
#ifndef CORESNAP_ANALYZER_CORE_UNPACK_CODECS_H
#define CORESNAP_ANALYZER_CORE_UNPACK_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct codec_buffers {
	const uint8_t *in; // moved behind what was taken
	size_t in_size;
	uint8_t *out; // likewise behind what was given
	size_t out_size;
};

enum codec_result {
	CODEC_MORE,     // go on
	CODEC_END,      // a frame or stream has ended; another may follow
	CODEC_DAMAGED,  // not this format
	CODEC_NO_MEMORY // of the machine's, or it asks for more than MAX_UNPACK_MEMORY
};

struct codec {
	const char *name;
	uint8_t magic_size, magic[6];
	/** Zeros between two streams and behind the last mean nothing. */
	bool has_padding;
	/** A decoder; NULL: out of memory. */
	void *(*create)(void);
	void (*destroy)(void *state);
	/** Takes and gives as much as it can at once. */
	enum codec_result (*step)(void *state, struct codec_buffers *buffers);
	/** After CODEC_END, before the next stream. NULL: nothing to do. False: out of memory. */
	bool (*restart)(void *state);
};

/** The format that a file with these first bytes has; NULL: none of ours. */
const struct codec *codec_find(const void *head, size_t size);

#endif
