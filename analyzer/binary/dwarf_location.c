#include "analyzer/binary/dwarf_location.h"

#include "common/checked.h"
#include "common/limits.h"

#include <dwarf.h>
#include <string.h>

#define EXPRESSION_STACK 8

/* A number on the expression's stack, or an address in terms of the frame. */
struct term {
	enum { TERM_NUMBER, TERM_FRAME, TERM_REGISTER, TERM_ADDRESS } kind;
	uint32_t register_number;
	int64_t number;
};

struct expression {
	struct cursor c;
	Dwarf_Die *die; // for indexed addresses
	struct term stack[EXPRESSION_STACK];
	uint32_t depth;
	bool is_bad;
	bool has_direct; // `direct` stands for the piece, the stack does not
	struct dwarf_piece direct;
};

static int64_t read_sleb(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift + 7 < 64)
			value |= ~UINT64_C(0) << (shift + 7);
		return (int64_t)value;
	}
	c->bad = true;
	return 0;
}

static void push(struct expression *e, struct term term)
{
	if (e->depth == EXPRESSION_STACK)
		e->is_bad = true;
	else
		e->stack[e->depth++] = term;
}

static void push_number(struct expression *e, uint64_t number)
{
	push(e, (struct term){.kind = TERM_NUMBER, .number = (int64_t)number});
}

static void set_direct(struct expression *e, struct dwarf_piece piece)
{
	e->is_bad |= e->has_direct || e->depth;
	e->has_direct = true;
	e->direct = piece;
}

/* a + sign * b, where b is a number. */
static void add(struct expression *e, int64_t sign)
{
	struct term *a, *b;

	if (e->depth < 2) {
		e->is_bad = true;
		return;
	}
	a = &e->stack[e->depth - 2];
	b = &e->stack[--e->depth];
	e->is_bad |= b->kind != TERM_NUMBER;
	a->number = (int64_t)((uint64_t)a->number + (uint64_t)sign * (uint64_t)b->number);
}

/* What the top of the stack is, not where. */
static void take_stack_value(struct expression *e)
{
	struct term top;

	if (!e->depth) {
		e->is_bad = true;
		return;
	}
	top = e->stack[--e->depth];
	if (top.kind == TERM_NUMBER)
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_CONSTANT, .number = top.number});
	else if (top.kind == TERM_FRAME)
		set_direct(e,
			(struct dwarf_piece){
				.kind = DWARF_PIECE_FRAME_ADDRESS, .number = top.number});
	else if (top.kind == TERM_REGISTER && !top.number)
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_REGISTER,
				      .register_number = top.register_number});
	else
		e->is_bad = true;
}

static void push_address(struct expression *e, uint8_t op)
{
	struct term term = {.kind = TERM_ADDRESS};
	uint64_t index, address;

	if (op == DW_OP_addr) {
		term.number = (int64_t)cursor_u64(&e->c);
	} else {
		index = cursor_uleb(&e->c);
		if (e->c.bad || !dwarf_indexed_address(e->die, index, &address))
			e->is_bad = true;
		else
			term.number = (int64_t)address;
	}
	push(e, term);
}

static bool is_between(uint8_t op, uint8_t first, uint8_t last)
{
	return op >= first && op <= last;
}

/* Constants; false: `op` is none. */
static bool run_constant(struct expression *e, uint8_t op)
{
	struct cursor *c = &e->c;

	if (is_between(op, DW_OP_lit0, DW_OP_lit31)) {
		push_number(e, (uint64_t)(op - DW_OP_lit0));
		return true;
	}
	switch (op) {
	case DW_OP_const1u:
		push_number(e, cursor_u8(c));
		return true;
	case DW_OP_const1s:
		push_number(e, (uint64_t)(int8_t)cursor_u8(c));
		return true;
	case DW_OP_const2u:
		push_number(e, cursor_u16(c));
		return true;
	case DW_OP_const2s:
		push_number(e, (uint64_t)(int16_t)cursor_u16(c));
		return true;
	case DW_OP_const4u:
		push_number(e, cursor_u32(c));
		return true;
	case DW_OP_const4s:
		push_number(e, (uint64_t)(int32_t)cursor_u32(c));
		return true;
	case DW_OP_const8u:
	case DW_OP_const8s:
		push_number(e, cursor_u64(c));
		return true;
	case DW_OP_constu:
		push_number(e, cursor_uleb(c));
		return true;
	case DW_OP_consts:
		push_number(e, (uint64_t)read_sleb(c));
		return true;
	default:
		return false;
	}
}

/* Registers and the frame; false: `op` is none of them. */
static bool run_register(struct expression *e, uint8_t op)
{
	struct term term = {.kind = TERM_REGISTER};

	if (is_between(op, DW_OP_reg0, DW_OP_reg31) || op == DW_OP_regx) {
		uint64_t number = op == DW_OP_regx ? cursor_uleb(&e->c)
						   : (uint64_t)(op - DW_OP_reg0);

		e->is_bad |= number > UINT32_MAX;
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_REGISTER,
				      .register_number = (uint32_t)number});
		return true;
	}
	if (is_between(op, DW_OP_breg0, DW_OP_breg31)) {
		term.register_number = (uint32_t)(op - DW_OP_breg0);
		term.number = read_sleb(&e->c);
	} else if (op == DW_OP_fbreg) {
		term = (struct term){.kind = TERM_FRAME, .number = read_sleb(&e->c)};
	} else if (op == DW_OP_call_frame_cfa) {
		term = (struct term){.kind = TERM_FRAME};
	} else {
		return false;
	}
	push(e, term);
	return true;
}

static void run_rest(struct expression *e, uint8_t op)
{
	uint64_t size;

	switch (op) {
	case DW_OP_addr:
	case DW_OP_addrx:
		push_address(e, op);
		break;
	case DW_OP_plus:
		add(e, 1);
		break;
	case DW_OP_minus:
		add(e, -1);
		break;
	case DW_OP_plus_uconst:
		push_number(e, cursor_uleb(&e->c));
		add(e, 1);
		break;
	case DW_OP_stack_value:
		take_stack_value(e);
		break;
	case DW_OP_implicit_value:
		size = cursor_uleb(&e->c);
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_BYTES,
				      .size = (uint32_t)size,
				      .bytes = cursor_take(&e->c, size)});
		break;
	default: // DW_OP_entry_value too: nothing tells what a register held at the entry
		e->is_bad = true;
	}
}

/* Where the part lies that the operations so far described. */
static struct dwarf_piece take_piece(struct expression *e, uint32_t size)
{
	static const enum dwarf_piece_kind kinds[] = {[TERM_NUMBER] = DWARF_PIECE_ADDRESS,
		[TERM_FRAME] = DWARF_PIECE_FRAME,
		[TERM_REGISTER] = DWARF_PIECE_REGISTER_MEMORY,
		[TERM_ADDRESS] = DWARF_PIECE_ADDRESS};
	struct dwarf_piece piece = {.kind = DWARF_PIECE_NONE};

	e->is_bad |= e->depth > 1 || (e->depth && e->has_direct);
	if (e->has_direct) {
		piece = e->direct;
		// Bytes that are fewer than the part would leave some of it unsaid.
		e->is_bad |= piece.kind == DWARF_PIECE_BYTES && size > piece.size;
	} else if (e->depth) {
		const struct term *top = &e->stack[0];

		piece.kind = kinds[top->kind];
		piece.number = top->number;
		piece.register_number = top->register_number;
	}
	if (size || piece.kind != DWARF_PIECE_BYTES)
		piece.size = size;
	e->depth = 0;
	e->has_direct = false;
	return piece;
}

static void evaluate(
	const uint8_t *bytes, size_t size, Dwarf_Die *die, struct dwarf_location *ret)
{
	struct expression e = {.c = cursor_over(bytes, size), .die = die};
	bool has_pieces = false;

	while (!e.is_bad && cursor_left(&e.c)) {
		uint8_t op = cursor_u8(&e.c);

		if (op == DW_OP_piece) {
			uint64_t part = cursor_uleb(&e.c);

			has_pieces = true;
			e.is_bad |= !part || part > UINT32_MAX || ret->count == MAX_DWARF_PIECES;
			if (!e.is_bad)
				ret->pieces[ret->count++] = take_piece(&e, (uint32_t)part);
		} else if (op != DW_OP_nop && !run_constant(&e, op) && !run_register(&e, op)) {
			run_rest(&e, op);
		}
	}
	if (!has_pieces && (e.depth || e.has_direct))
		ret->pieces[ret->count++] = take_piece(&e, 0);
	ret->is_unread = e.is_bad || e.c.bad || (has_pieces && (e.depth || e.has_direct));
	if (ret->is_unread)
		ret->count = 0;
}

/* .debug_loc (DWARF 4): pairs of offsets from a base, all ones to set it, zeros at the end. */
static struct cursor find_row_4(
	const struct dwarf_bytes *section, uint64_t offset, uint64_t base, uint64_t pc)
{
	struct cursor c = cursor_over(section->bytes, section->size);

	cursor_seek(&c, offset);
	for (size_t i = 0; i < MAX_LOCATION_ROWS && !c.bad; i++) {
		uint64_t low = cursor_u64(&c), high = cursor_u64(&c);
		const uint8_t *bytes;
		uint16_t size;

		if (!low && !high)
			break;
		if (low == UINT64_MAX) {
			base = high;
			continue;
		}
		size = cursor_u16(&c);
		bytes = cursor_take(&c, size);
		if (bytes && pc >= base + low && pc < base + high)
			return cursor_over(bytes, size);
	}
	return cursor_over(NULL, 0);
}

struct row_5 {
	uint64_t low, high;
	bool has_range, is_end, is_default;
};

static uint64_t read_index(struct cursor *c, Dwarf_Die *die)
{
	uint64_t index = cursor_uleb(c), address = 0;

	if (!c->bad && !dwarf_indexed_address(die, index, &address))
		c->bad = true;
	return address;
}

static struct row_5 read_row_5(struct cursor *c, Dwarf_Die *die, uint64_t *base)
{
	struct row_5 row = {.has_range = true};

	switch (cursor_u8(c)) {
	case DW_LLE_end_of_list:
		return (struct row_5){.is_end = true};
	case DW_LLE_base_addressx:
		*base = read_index(c, die);
		return (struct row_5){0};
	case DW_LLE_base_address:
		*base = cursor_u64(c);
		return (struct row_5){0};
	case DW_LLE_default_location:
		return (struct row_5){.has_range = true, .is_default = true};
	case DW_LLE_startx_endx:
		row.low = read_index(c, die);
		row.high = read_index(c, die);
		return row;
	case DW_LLE_startx_length:
		row.low = read_index(c, die);
		row.high = row.low + cursor_uleb(c);
		return row;
	case DW_LLE_offset_pair:
		row.low = *base + cursor_uleb(c);
		row.high = *base + cursor_uleb(c);
		return row;
	case DW_LLE_start_end:
		row.low = cursor_u64(c);
		row.high = cursor_u64(c);
		return row;
	case DW_LLE_start_length:
		row.low = cursor_u64(c);
		row.high = row.low + cursor_uleb(c);
		return row;
	default:
		c->bad = true;
		return (struct row_5){.is_end = true};
	}
}

/* .debug_loclists (DWARF 5). */
static struct cursor find_row_5(const struct dwarf_bytes *section, uint64_t offset, uint64_t base,
	uint64_t pc, Dwarf_Die *die)
{
	struct cursor c = cursor_over(section->bytes, section->size);
	struct cursor found = cursor_over(NULL, 0);

	cursor_seek(&c, offset);
	for (size_t i = 0; i < MAX_LOCATION_ROWS && !c.bad; i++) {
		struct row_5 row = read_row_5(&c, die, &base);
		const uint8_t *bytes;
		uint64_t size;

		if (row.is_end)
			break;
		if (!row.has_range)
			continue;
		size = cursor_uleb(&c);
		bytes = cursor_take(&c, size);
		if (bytes && row.is_default)
			found = cursor_over(bytes, size);
		else if (bytes && pc >= row.low && pc < row.high)
			return cursor_over(bytes, size);
	}
	return found;
}

void dwarf_location_at(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	uint64_t pc, struct dwarf_location *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;
	uint64_t offset;
	struct cursor row;
	Dwarf_Half version = 4;

	ret->count = 0;
	ret->is_listed = ret->is_unread = false;
	if (!dwarf_attr(die, DW_AT_location, &attribute))
		return;
	if (!dwarf_formblock(&attribute, &block)) {
		evaluate(block.data, block.length, die, ret);
		return;
	}
	// Go writes DW_FORM_sec_offset; an index into .debug_loclists (loclistx) it never uses.
	if (!dwarf_list_offset(dwarf, die, &offset)) {
		ret->is_unread = true;
		return;
	}
	dwarf_load_locations(dwarf);
	dwarf_cu_info(die->cu, &version, NULL, NULL, NULL, NULL, NULL, NULL);
	ret->is_listed = true;
	row = version >= 5 ? find_row_5(&dwarf->location_lists, offset, unit->base, pc, die)
			   : find_row_4(&dwarf->locations, offset, unit->base, pc);
	evaluate(row.bytes, row.size, die, ret);
}

bool dwarf_location_base_is_cfa(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;

	return dwarf_attr(function, DW_AT_frame_base, &attribute) &&
	       !dwarf_formblock(&attribute, &block) && block.length == 1 &&
	       block.data[0] == DW_OP_call_frame_cfa;
}
