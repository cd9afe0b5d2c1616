// Machine code of both architectures, any bytes: references lie inside it, in order, no more of
// them than were asked for. The first byte chooses the architecture.
#include "analyzer/binary/decode.h"

#include <stdlib.h>

#define PC 0x401000
#define MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct code_reference list[MAX];
	struct code_span code = {.bytes = bytes + 1, .size = size - 1, .pc = PC, .end = UINT64_MAX};
	struct decoder *decoder;
	uint32_t start;
	size_t count;

	if (!size)
		return 0;
	start = bytes[0] >> 2;
	if (bytes[0] & 2) {
		code.starts = &start;
		code.start_count = 1;
		code.start = PC;
		code.end = PC + (1 << 20);
	}
	decoder = decoder_create(bytes[0] & 1 ? ARCH_ARM64 : ARCH_AMD64);
	if (!decoder)
		return 0;
	count = decode_references(decoder, &code, list, MAX);
	decoder_destroy(decoder);
	if (count > MAX)
		abort();
	for (size_t i = 0; i < count; i++)
		if (list[i].pc < PC || list[i].pc - PC >= size - 1 ||
			(i && list[i].pc < list[i - 1].pc))
			abort();
	return 0;
}
