// A shared library of any bytes: steps by its call frame tables, symbols, lines. Whatever it says,
// a step is one of the five ends, and names end.
#include "analyzer/binary/elf_object.h"

#include <stdlib.h>
#include <string.h>

#define STACK 0x7ffe00001000
#define WORDS 64
#define PLACES 64
#define MAX_LINES 16

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct image *make_stack(enum image_arch arch, struct arena *arena)
{
	static uint64_t stack[WORDS];
	struct image *image = image_create(arch, arena);
	struct image_view view = {
		.start = STACK, .end = STACK + sizeof(stack), .bytes = (const uint8_t *)stack};

	for (size_t i = 0; i < WORDS; i++)
		stack[i] = STACK + 8 * (i * 7 % WORDS);
	if (!image || image_add(image, view) != CS_OK || image_seal(image) != CS_OK)
		abort();
	return image;
}

static void look(
	struct elf_object *object, const struct image *image, struct arena *arena, uint64_t address)
{
	struct cfi_registers from = {.pc = address, .is_exact = address & 1}, caller;
	struct elf_line lines[MAX_LINES];
	struct elf_symbol symbol;
	uint64_t steps = 4096;

	for (int i = 0; i < CFI_REGISTERS; i++)
		cfi_set(&from, i, STACK + 8 * (uint64_t)i);
	for (int i = 0; i < 4; i++) {
		if (elf_object_step(object, 0, image, &from, &caller) != CFI_STEPPED)
			break;
		from = caller;
		from.pc = address + (uint64_t)i * 4;
	}
	if (elf_object_symbol(object, address, &steps, &symbol) && !*symbol.name)
		abort();
	if (elf_object_lines(object, arena, address, lines, MAX_LINES) > MAX_LINES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum image_arch arch = size > 18 && bytes[18] == 183 ? ARCH_ARM64 : ARCH_AMD64;
	struct elf_object *object;
	struct arena arena;
	uint8_t *copy;

	arena_init(&arena, 64 << 20);
	copy = arena_alloc(&arena, size + 1);
	if (copy)
		memcpy(copy, bytes, size);
	if (copy && elf_object_open_bytes(copy, size, arch, &arena, &object) == CS_OK) {
		struct image *image = make_stack(arch, &arena);

		for (uint64_t i = 0; i < PLACES; i++)
			look(object, image, &arena, (i & 1 ? 0x1000 : 0x280) + i * 5);
		elf_object_build_id(object, &arena);
		elf_object_close(object);
	}
	arena_deinit(&arena);
	return 0;
}
