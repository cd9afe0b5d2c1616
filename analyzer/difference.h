// What is different between two snapshots of one program: rows by name, each with a value on either
// side. Snapshots are read row by row, never as a tree.
#ifndef CORESNAP_ANALYZER_DIFFERENCE_H
#define CORESNAP_ANALYZER_DIFFERENCE_H

#include "common/json/reader.h"
#include "common/u64map.h"

enum difference_side { SIDE_A, SIDE_B, SIDES };

/** A number in a snapshot; what is not there is not 0. */
struct difference_number {
	bool is_there, is_real;
	int64_t integer;
	double real;
};

/* One name: a queue's or another number, or a group of goroutines. */
struct difference_row {
	const char *name; // of a group: all that makes it one; not for people
	struct difference_number values[SIDES];
	// Of a group only:
	const char *status, *reason; // reason: NULL where it does not wait
	const char **frames;         // keys, innermost first
	size_t frame_count;
	int64_t wait_max[SIDES]; // -1: not known
	int64_t example[SIDES];  // the id of one goroutine; 0: none
};

struct difference_table {
	struct arena *arena; // borrowed
	struct difference_row *rows;
	size_t count, capacity;
	struct u64map by_name; // hash to row
	bool is_cut;           // there were more than MAX_DIFFERENCE_ROWS
};

/** Who a snapshot is of. NULL: it does not say. */
struct difference_origin {
	const char *title, *captured_at, *go_version, *fingerprint;
	const char *program; // the main package's path, or the executable's name
	const char *build_id, *host;
	int64_t pid, goroutines;
};

struct difference {
	struct difference_origin origins[SIDES];
	bool is_same_build, is_same_process;
	struct difference_table groups, queues, numbers; // after difference_find what differs only
};

/** Reads who each of the two is of. */
void difference_open(
	struct difference *d, struct arena *arena, const struct json_reader readers[SIDES]);

/** Whether both are of one program, as far as they say. */
bool difference_is_one_program(const struct difference *d);

/**
 * Fills the tables with what differs: groups by how much, the rest in the order of the snapshots.
 * CS_NO_MEMORY; CS_CORRUPT where a row is not what a snapshot has there.
 */
CS_MUST_USE enum cs_status difference_find(
	struct difference *d, struct arena *arena, const struct json_reader readers[SIDES]);

/** Whether anything differs. */
bool difference_is_any(const struct difference *d);

/** b less a; what is not there counts as 0. */
double difference_delta(const struct difference_row *row);

#endif
