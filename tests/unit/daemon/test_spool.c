#include "daemon/fd.h"
#include "daemon/ledger.h"
#include "daemon/queue.h"
#include "daemon/record.h"
#include "daemon/spool.h"
#include "tests/unit/daemon/scratch.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct spool spool;

static void setup(void)
{
	scratch_create();
	ck_assert_int_eq(spool_open(scratch_path("spool"), &spool), CS_OK);
	spool.max_size = 1 << 20;
	spool.keep_free = 0;
}

static void teardown(void)
{
	spool_close(&spool);
	scratch_remove();
}

static bool exists(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

static void enqueue(const char *key, const char *id, size_t size)
{
	char bytes[4096] = {1};
	CLOSE_FD int fd = spool_create(&spool, key);

	ck_assert_int_ge(fd, 0);
	for (size_t at = 0; at < size; at += sizeof(bytes))
		ck_assert_int_eq(record_write_all(fd, bytes, sizeof(bytes)), CS_OK);
	ck_assert_int_eq(spool_enqueue(&spool, key, fd, id), CS_OK);
}

START_TEST(everything_is_private)
{
	static const char *const names[] = {
		"spool", "spool/tmp", "spool/queue", "spool/failed", "spool/seen", "spool/waiting"};
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(stat(scratch_path(names[i]), &st), 0);
		ck_assert_int_eq(st.st_mode & 07777, 0700);
	}
	enqueue("key", ID_A, 1);
	ck_assert_int_eq(stat(scratch_path("spool/queue/" ID_A ".json.zst"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(one_daemon_per_spool)
{
	struct spool second;

	ck_assert_int_eq(spool_open(scratch_path("spool"), &second), CS_REFUSED);
	spool_close(&spool);
	ck_assert_int_eq(spool_open(scratch_path("spool"), &spool), CS_OK);
}
END_TEST

START_TEST(loose_modes_are_tightened_and_links_refused)
{
	struct spool other;
	struct stat st;

	ck_assert_int_eq(mkdir(scratch_path("loose"), 0700), 0);
	ck_assert_int_eq(chmod(scratch_path("loose"), 0777), 0);
	ck_assert_int_eq(spool_open(scratch_path("loose"), &other), CS_OK);
	ck_assert_int_eq(fstat(other.dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	spool_close(&other);
	ck_assert_int_eq(mkdir(scratch_path("linked"), 0700), 0);
	ck_assert_int_eq(symlink("/tmp", scratch_path("linked/queue")), 0);
	ck_assert_int_eq(spool_open(scratch_path("linked"), &other), CS_IO);
}
END_TEST

START_TEST(equal_crashes_are_one_entry)
{
	enqueue("one", ID_A, 1);
	enqueue("two", ID_A, 1);
	ck_assert(exists("spool/queue/" ID_A ".json.zst"));
	ck_assert(!exists("spool/tmp/one") && !exists("spool/tmp/two"));
	ck_assert_int_eq(rename(scratch_path("spool/queue/" ID_A ".json.zst"),
				 scratch_path("spool/failed/" ID_A ".json.zst")),
		0);
	enqueue("three", ID_A, 1);
	ck_assert(!exists("spool/queue/" ID_A ".json.zst"));
}
END_TEST

START_TEST(recovery_drops_what_is_half_done)
{
	static const char *const rubbish[] = {"spool/tmp/x", "spool/queue/" ID_B ".try.json",
		"spool/queue/.x.tmp", "spool/failed/" ID_B ".reason.json", "spool/seen/.k.json.tmp",
		"spool/waiting/.k.json.tmp"};
	static const char *const kept[] = {"spool/queue/" ID_A ".json.zst",
		"spool/queue/" ID_A ".try.json", "spool/failed/core-1-2-3-4.reason.json",
		"spool/seen/k.json"};

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++)
		scratch_write(rubbish[i], "{}");
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		scratch_write(kept[i], "{}");
	ck_assert_int_eq(spool_recover(&spool), CS_OK);
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++)
		ck_assert_msg(!exists(rubbish[i]), "%s", rubbish[i]);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		ck_assert_msg(exists(kept[i]), "%s", kept[i]);
}
END_TEST

START_TEST(room_is_made_of_parked_snapshots_only)
{
	uint32_t evicted;

	enqueue("one", ID_A, 512 << 10);
	ck_assert_uint_gt(spool_room(&spool, 1, &evicted), 400 << 10);
	ck_assert_uint_eq(spool_room(&spool, 900 << 10, &evicted), 0);
	ck_assert_uint_eq(evicted, 0);
	enqueue("two", ID_B, 512 << 10);
	ck_assert_uint_eq(spool_room(&spool, 1, &evicted), 0);
	ck_assert_int_eq(rename(scratch_path("spool/queue/" ID_B ".json.zst"),
				 scratch_path("spool/failed/" ID_B ".json.zst")),
		0);
	scratch_write("spool/failed/" ID_B ".reason.json", "{}");
	ck_assert_uint_gt(spool_room(&spool, 300 << 10, &evicted), 300 << 10);
	ck_assert_uint_eq(evicted, 1);
	ck_assert(!exists("spool/failed/" ID_B ".reason.json"));
	ck_assert(exists("spool/queue/" ID_A ".json.zst"));
	spool.keep_free = UINT64_MAX;
	ck_assert_uint_eq(spool_room(&spool, 1, &evicted), 0);
}
END_TEST

START_TEST(failures_count_for_one_analyzer)
{
	ck_assert_int_eq(ledger_find(&spool, "k", "v1"), LEDGER_UNSEEN);
	ck_assert_int_eq(
		ledger_settle(&spool, "k", LEDGER_FAILED, json_pack("{s:s}", "analyzer", "v1")),
		CS_OK);
	ck_assert_int_eq(ledger_find(&spool, "k", "v1"), LEDGER_FAILED);
	ck_assert_int_eq(ledger_find(&spool, "k", "v2"), LEDGER_UNSEEN);
	ck_assert_int_eq(
		ledger_settle(&spool, "k", LEDGER_QUEUED, json_pack("{s:s}", "analyzer", "v1")),
		CS_OK);
	ck_assert_int_eq(ledger_find(&spool, "k", "v2"), LEDGER_QUEUED);
	scratch_write("spool/seen/broken.json", "{\"outcome\": 7");
	ck_assert_int_eq(ledger_find(&spool, "broken", "v1"), LEDGER_UNSEEN);
}
END_TEST

static bool is_k(void *context, const char *stamp)
{
	(void)context;
	return !strcmp(stamp, "k");
}

START_TEST(waits_go_on_and_end)
{
	uint64_t since = ledger_wait(&spool, "k", json_object());

	ck_assert_uint_eq(ledger_wait(&spool, "k", json_object()), since);
	scratch_write("spool/waiting/gone.json", "{}");
	scratch_write("spool/seen/gone.json", "{}");
	scratch_write("spool/failed/core-gone.reason.json", "{}");
	scratch_write("spool/failed/" ID_A ".reason.json", "{}");
	ledger_forget(&spool, is_k, NULL);
	ck_assert(exists("spool/waiting/k.json"));
	ck_assert(!exists("spool/waiting/gone.json") && !exists("spool/seen/gone.json"));
	ck_assert(!exists("spool/failed/core-gone.reason.json"));
	ck_assert(exists("spool/failed/" ID_A ".reason.json"));
	ck_assert_int_eq(ledger_settle(&spool, "k", LEDGER_QUEUED, json_object()), CS_OK);
	ck_assert(!exists("spool/waiting/k.json"));
}
END_TEST

START_TEST(queue_is_tried_in_order_and_remembers)
{
	struct queue queue = {.queue = spool.queue, .failed = spool.failed}, later = queue;
	struct queue_entry *entry;
	uint64_t due, size;
	int fd = -1;

	enqueue("one", ID_A, 1);
	enqueue("two", ID_B, 1);
	scratch_write("spool/queue/UPPER0000000000000000000000000000.json.zst", "");
	ck_assert_int_eq(queue_refresh(&queue), CS_OK);
	ck_assert_uint_eq(queue.count, 2);
	entry = queue_next(&queue, 0, &due);
	ck_assert_str_eq(entry->id, ID_A);
	ck_assert_int_eq(queue_open(&queue, entry, &size, &fd), CS_OK);
	ck_assert_uint_eq(size, 4096);
	close(fd);
	ck_assert_int_eq(queue_retry(&queue, entry, 3600000000000, "a \"reason\" \xff"), CS_OK);
	entry = queue_next(&queue, 0, &due);
	ck_assert_str_eq(entry->id, ID_B);
	ck_assert_int_eq(queue_confirm(&queue, entry), CS_OK);
	ck_assert(!exists("spool/queue/" ID_B ".json.zst"));
	ck_assert_ptr_null(queue_next(&queue, 0, &due));
	// Another process: the wait and the count are those of before.
	ck_assert_int_eq(queue_refresh(&later), CS_OK);
	ck_assert_uint_eq(later.count, 1);
	ck_assert_uint_eq(later.entries[0].attempts, 1);
	ck_assert_uint_lt(later.entries[0].due_ns - due, 1000000000);
	ck_assert_int_eq(queue_park(&later, &later.entries[0], 403, "no"), CS_OK);
	ck_assert(exists("spool/failed/" ID_A ".json.zst"));
	ck_assert(exists("spool/failed/" ID_A ".reason.json"));
	ck_assert(!exists("spool/queue/" ID_A ".try.json"));
	ck_assert_int_eq(queue_refresh(&queue), CS_OK);
	ck_assert_uint_eq(queue.count, 0);
	queue_deinit(&queue);
	queue_deinit(&later);
}
END_TEST

START_TEST(records_take_any_text)
{
	json_t *record;

	ck_assert_int_eq(record_write(spool.dir, "r",
				 json_pack("{s:o, s:o}", "path", record_text("/tmp/\xff\xfe"),
					 "none", record_text(NULL))),
		CS_OK);
	record = record_read(spool.dir, "r");
	ck_assert_str_eq(record_string(record, "path"), "/tmp/?"
							"?");
	ck_assert_ptr_null(record_string(record, "none"));
	json_decref(record);
	ck_assert_int_eq(record_write(spool.dir, "r", NULL), CS_NO_MEMORY);
	ck_assert_ptr_null(record_read(spool.dir, "absent"));
}
END_TEST

Suite *suite_daemon_spool(void);

Suite *suite_daemon_spool(void)
{
	Suite *suite = suite_create("daemon_spool");
	TCase *tc = tcase_create("daemon_spool");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, everything_is_private);
	tcase_add_test(tc, one_daemon_per_spool);
	tcase_add_test(tc, loose_modes_are_tightened_and_links_refused);
	tcase_add_test(tc, equal_crashes_are_one_entry);
	tcase_add_test(tc, recovery_drops_what_is_half_done);
	tcase_add_test(tc, room_is_made_of_parked_snapshots_only);
	tcase_add_test(tc, failures_count_for_one_analyzer);
	tcase_add_test(tc, waits_go_on_and_end);
	tcase_add_test(tc, queue_is_tried_in_order_and_remembers);
	tcase_add_test(tc, records_take_any_text);
	suite_add_tcase(suite, tc);
	return suite;
}
