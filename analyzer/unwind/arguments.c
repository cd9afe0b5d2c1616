#include "analyzer/unwind/arguments.h"

#include "common/redact/redact.h"

// internal/abi/symtab.go TraceArgs…; in 1.21 runtime/traceback.go. Any other byte is an offset.
#define END_SEQUENCE 0xff
#define START_AGGREGATE 0xfe
#define END_AGGREGATE 0xfd
#define DOTDOTDOT 0xfc
#define OFFSET_TOO_LARGE 0xfb
#define SEQUENCE_MAX 171 // abi.TraceArgsMaxLen
#define ALWAYS_LIVE 0xff

struct printer {
	char *text;
	size_t used;
	bool needs_comma;
};

struct liveness {
	const struct runtime *rt;
	target_addr info; // 0: all words are live
	int32_t index;
	uint8_t first; // words at lower offsets always are
	uint8_t slot;  // of the next word that need not be
};

static void put(struct printer *printer, const char *text)
{
	while (*text && printer->used < ARGUMENTS_SIZE - 1)
		printer->text[printer->used++] = *text++;
	printer->text[printer->used] = 0;
}

static void put_hex(struct printer *printer, uint64_t word)
{
	static const char digits[] = "0123456789abcdef";
	char text[sizeof("0x") + 2 * sizeof(word)];
	char *at = text + sizeof(text) - 1;

	*at = 0;
	do {
		*--at = digits[word & 15];
		word >>= 4;
	} while (word);
	*--at = 'x';
	*--at = '0';
	put(printer, at);
}

static void separate(struct printer *printer)
{
	if (printer->needs_comma)
		put(printer, ", ");
	printer->needs_comma = true;
}

static struct liveness open_liveness(const struct runtime *rt, const struct code_place *place)
{
	struct liveness live = {rt, place->live_info, place->live_index, ALWAYS_LIVE, 0};

	if (live.info && image_read_u8(rt->image, live.info, &live.first) != CS_OK)
		live.info = 0;
	return live;
}

static bool is_live(struct liveness *live, uint8_t offset)
{
	uint8_t slot, bits;

	if (offset < live->first)
		return true;
	slot = live->slot++;
	if (!live->info || live->index <= 0)
		return true;
	return image_read_u8(live->rt->image, live->info + (uint32_t)live->index + slot / 8,
		       &bits) != CS_OK ||
	       bits >> slot % 8 & 1;
}

static void print_word(struct printer *printer, struct liveness *live, target_addr arguments,
	uint8_t offset, uint8_t size)
{
	uint64_t word = 0;

	separate(printer);
	if (size > sizeof(word) ||
		image_read(live->rt->image, arguments + offset, &word, size) != CS_OK ||
		redact_is_text_word(word))
		put(printer, "_");
	else
		put_hex(printer, word);
	if (!is_live(live, offset))
		put(printer, "?");
}

void arguments_format(const struct runtime *rt, const struct code_place *place, target_addr sp,
	char ret[static ARGUMENTS_SIZE])
{
	// amd64: the frame ends at sp + pcsp + the return address, and the arguments begin there.
	target_addr arguments = sp + (uint64_t)(int64_t)place->sp_delta + 8;
	struct printer printer = {.text = ret};
	struct liveness live = open_liveness(rt, place);
	uint8_t op, size;

	ret[0] = 0;
	for (target_addr at = place->argument_info, end = at + SEQUENCE_MAX; at && at < end; at++) {
		if (image_read_u8(rt->image, at, &op) != CS_OK || op == END_SEQUENCE)
			return;
		switch (op) {
		case START_AGGREGATE:
			separate(&printer);
			put(&printer, "{");
			printer.needs_comma = false;
			break;
		case END_AGGREGATE:
			put(&printer, "}");
			printer.needs_comma = true;
			break;
		case DOTDOTDOT:
			separate(&printer);
			put(&printer, "...");
			break;
		case OFFSET_TOO_LARGE:
			separate(&printer);
			put(&printer, "_");
			break;
		default:
			if (image_read_u8(rt->image, ++at, &size) != CS_OK)
				return;
			print_word(&printer, &live, arguments, op, size);
		}
	}
}

size_t arguments_words(const struct runtime *rt, const struct code_place *place,
	struct argument_word *ret, size_t max, bool *is_whole_ret)
{
	struct liveness live = open_liveness(rt, place);
	size_t count = 0;
	uint32_t depth = 0;
	uint8_t op, size, items = 0;

	*is_whole_ret = true;
	for (target_addr at = place->argument_info, end = at + SEQUENCE_MAX; at && at < end; at++) {
		if (image_read_u8(rt->image, at, &op) != CS_OK || op == END_SEQUENCE)
			break;
		items += depth == 0;
		if (op == START_AGGREGATE) {
			depth++;
		} else if (op == END_AGGREGATE) {
			items -= depth == 0; // it does not begin one
			depth -= depth > 0;
		} else if (op == DOTDOTDOT) {
			*is_whole_ret = false;
		} else if (op != OFFSET_TOO_LARGE) {
			if (image_read_u8(rt->image, ++at, &size) != CS_OK || count == max)
				break;
			ret[count++] = (struct argument_word){.offset = op,
				.size = size,
				.item = (uint8_t)(items - 1),
				.is_live = is_live(&live, op)};
		}
	}
	return count;
}
