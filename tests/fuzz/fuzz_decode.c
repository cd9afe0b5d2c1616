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
	size_t count;

	if (!size)
		return 0;
	count = decode_references(
		bytes[0] & 1 ? ARCH_ARM64 : ARCH_AMD64, bytes + 1, size - 1, PC, list, MAX);
	if (count > MAX)
		abort();
	for (size_t i = 0; i < count; i++)
		if (list[i].pc < PC || list[i].pc - PC >= size - 1 ||
			(i && list[i].pc < list[i - 1].pc))
			abort();
	return 0;
}
