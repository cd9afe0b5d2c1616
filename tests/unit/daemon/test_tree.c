#include "daemon/executables.h"
#include "daemon/fd.h"
#include "daemon/tree.h"
#include "daemon/upload.h"
#include "tests/unit/daemon/scratch.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct seen {
	int cores, appeared, executables, lost;
	char name[64];
};

static void on_core(void *context, size_t root, const char *name, bool is_finished)
{
	struct seen *seen = context;

	ck_assert_uint_eq(root, 7);
	seen->cores += is_finished;
	seen->appeared += !is_finished;
	snprintf(seen->name, sizeof(seen->name), "%s", name);
}

static void on_executables(void *context)
{
	((struct seen *)context)->executables++;
}

static void on_lost(void *context)
{
	((struct seen *)context)->lost++;
}

static struct seen read_events(struct tree *tree)
{
	struct seen seen = {0};
	const struct tree_events events = {on_core, on_executables, on_lost, &seen};

	ck_assert_int_eq(tree_read(tree, &events), CS_OK);
	return seen;
}

START_TEST(finished_cores_are_told)
{
	char link_from[64];
	struct tree tree;
	struct seen seen;

	ck_assert_int_eq(tree_open(&tree), CS_OK);
	ck_assert_int_eq(mkdir(scratch_path("cores"), 0700), 0);
	ck_assert_int_eq(tree_add(&tree, scratch_path("absent"), 7, true), CS_NOT_FOUND);
	ck_assert_int_eq(tree_add(&tree, scratch_path("cores"), 7, true), CS_OK);
	ck_assert_int_eq(tree_add(&tree, scratch_path("cores"), 7, true), CS_OK);
	ck_assert_uint_eq(tree.count, 1);
	CLOSE_FD int fd = open(scratch_path("cores/a"), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(read_events(&tree).cores, 0);
	close(fd_steal(&fd));
	seen = read_events(&tree);
	ck_assert_int_eq(seen.cores, 1);
	ck_assert_str_eq(seen.name, "a");
	scratch_write("b", "y");
	ck_assert_int_eq(rename(scratch_path("b"), scratch_path("cores/b")), 0);
	ck_assert_int_eq(mkdir(scratch_path("cores/d"), 0700), 0);
	seen = read_events(&tree);
	ck_assert_int_eq(seen.cores, 1);
	ck_assert_str_eq(seen.name, "b");
	// As systemd-coredump does it: a name for what was written without one.
	fd = open(scratch_path("cores"), O_TMPFILE | O_WRONLY, 0600);
	snprintf(link_from, sizeof(link_from), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(
		linkat(AT_FDCWD, link_from, AT_FDCWD, scratch_path("cores/c"), AT_SYMLINK_FOLLOW),
		0);
	seen = read_events(&tree);
	ck_assert_int_eq(seen.cores, 0);
	ck_assert_int_eq(seen.appeared, 1);
	ck_assert_str_eq(seen.name, "c");
	tree_close(&tree);
}
END_TEST

START_TEST(one_directory_may_be_both)
{
	struct tree tree;
	struct seen seen;

	ck_assert_int_eq(tree_open(&tree), CS_OK);
	ck_assert_int_eq(tree_add(&tree, scratch_path("."), 7, true), CS_OK);
	ck_assert_int_eq(tree_add(&tree, scratch_path("."), 0, false), CS_OK);
	scratch_write("a", "x");
	seen = read_events(&tree);
	ck_assert_int_eq(seen.cores, 1);
	ck_assert_int_ge(seen.executables, 1);
	tree_close(&tree);
}
END_TEST

START_TEST(gone_directories_are_told)
{
	struct tree tree;

	ck_assert_int_eq(tree_open(&tree), CS_OK);
	ck_assert_int_eq(mkdir(scratch_path("cores"), 0700), 0);
	ck_assert_int_eq(tree_add(&tree, scratch_path("cores"), 7, true), CS_OK);
	ck_assert(tree_has_core(&tree, 7));
	ck_assert_int_eq(rename(scratch_path("cores"), scratch_path("away")), 0);
	ck_assert_int_ge(read_events(&tree).lost, 1);
	ck_assert(!tree_has_core(&tree, 7));
	tree_close(&tree);
}
END_TEST

START_TEST(only_regular_files_are_opened)
{
	struct stat st;
	int fd = -1;

	scratch_write("file", "x");
	ck_assert_int_eq(symlink("file", scratch_path("link")), 0);
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
	ck_assert_int_eq(
		fd_open_regular(AT_FDCWD, scratch_path("link"), false, &st, &fd), CS_REFUSED);
	ck_assert_int_eq(
		fd_open_regular(AT_FDCWD, scratch_path("fifo"), true, &st, &fd), CS_REFUSED);
	ck_assert_int_eq(fd_open_regular(AT_FDCWD, "/dev/null", true, &st, &fd), CS_REFUSED);
	ck_assert_int_eq(fd_open_regular(AT_FDCWD, scratch_path("."), true, &st, &fd), CS_REFUSED);
	ck_assert_int_eq(
		fd_open_regular(AT_FDCWD, scratch_path("no"), true, &st, &fd), CS_NOT_FOUND);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fd_open_regular(AT_FDCWD, scratch_path("link"), true, &st, &fd), CS_OK);
	ck_assert_int_eq(st.st_size, 1);
	close(fd);
}
END_TEST

static void age(const char *name)
{
	struct timespec times[2] = {{1700000000, 0}, {1700000000, 0}};

	ck_assert_int_eq(utimensat(AT_FDCWD, scratch_path(name), times, 0), 0);
}

static struct executables_scan scan(struct executables *executables, struct tree *tree)
{
	const char *roots[] = {scratch_path("bin")};
	struct executables_scan result;

	ck_assert_int_eq(executables_scan(executables, tree, roots, 1, &result), CS_OK);
	ck_assert(!result.is_cut);
	return result;
}

START_TEST(executables_are_known_by_id)
{
	struct executables executables = {0};
	struct identity identity = {.kind = IDENTITY_EXECUTABLE, .go_build_id = strdup("go-a")};
	const struct identity core = {.kind = IDENTITY_CORE, .go_build_id = (char[]){"go-a"}};
	const struct executable *found;
	struct stamp stamp;
	struct tree tree;

	ck_assert_int_eq(tree_open(&tree), CS_OK);
	ck_assert_int_eq(mkdir(scratch_path("bin"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch_path("bin/deep"), 0700), 0);
	ck_assert_int_eq(symlink("..", scratch_path("bin/deep/up")), 0);
	scratch_write("bin/deep/app", "\177ELF and twelve more");
	scratch_write("bin/text", "sixteen bytes or more");
	ck_assert(scan(&executables, &tree).is_unsettled);
	ck_assert_uint_eq(executables.count, 0);
	age("bin/deep/app");
	age("bin/text");
	ck_assert(!scan(&executables, &tree).is_unsettled);
	ck_assert_uint_eq(executables.count, 2);
	ck_assert_uint_eq(executables_pending(&executables), 1);
	found = executables_next(&executables);
	ck_assert_str_eq(strrchr(found->path, '/'), "/app");
	ck_assert_ptr_null(executables_next(&executables));
	stamp = found->stamp;
	// A scan between the question and the answer changes nothing.
	scan(&executables, &tree);
	ck_assert_ptr_null(executables_next(&executables));
	executables_settle(&executables, &stamp, &identity);
	ck_assert_ptr_null(identity.go_build_id);
	ck_assert_uint_eq(executables_pending(&executables), 0);
	scan(&executables, &tree);
	ck_assert_ptr_nonnull(executables_find(&executables, &core));
	ck_assert_int_eq(unlink(scratch_path("bin/deep/app")), 0);
	scan(&executables, &tree);
	ck_assert_ptr_null(executables_find(&executables, &core));
	executables_deinit(&executables);
	tree_close(&tree);
}
END_TEST

START_TEST(build_ids_are_compared)
{
	static const struct {
		const char *core_go, *core_gnu, *file_go, *file_gnu;
		enum identity_match match;
	} rows[] = {
		{"a", "x", "a", "y", MATCH_YES},
		{"a", "x", "b", "x", MATCH_NO},
		{NULL, "x", "b", "x", MATCH_YES},
		{"a", "x", NULL, "y", MATCH_NO},
		{"a", NULL, NULL, "y", MATCH_UNKNOWN},
		{NULL, NULL, "b", "y", MATCH_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct identity core = {.go_build_id = (char *)rows[i].core_go,
			.gnu_build_id = (char *)rows[i].core_gnu};
		const struct identity file = {.go_build_id = (char *)rows[i].file_go,
			.gnu_build_id = (char *)rows[i].file_gnu};

		ck_assert_int_eq(identity_compare(&core, &file), rows[i].match);
	}
}
END_TEST

START_TEST(identities_are_read_strictly)
{
	static const char whole[] =
		"{\"file\": \"f\", \"kind\": \"core\", \"go_build_id\": \"a/b\","
		" \"gnu_build_id\": null, \"executable\": \"/bin/app\"}\n";
	static const char *const broken[] = {"", "[]", "{", "{\"kind\": 3}",
		"{\"go_build_id\": \"a\"}", "null", "{\"kind\": \"core\"} x"};
	struct identity identity;

	ck_assert_int_eq(identity_load(whole, strlen(whole), &identity), CS_OK);
	ck_assert_int_eq(identity.kind, IDENTITY_CORE);
	ck_assert_str_eq(identity.path, "/bin/app");
	ck_assert_str_eq(identity_id(&identity), "a/b");
	ck_assert_ptr_null(identity.gnu_build_id);
	identity_deinit(&identity);
	ck_assert_str_eq(identity_id(&identity), "none");
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		ck_assert_msg(identity_load(broken[i], strlen(broken[i]), &identity) == CS_CORRUPT,
			"%s", broken[i]);
}
END_TEST

START_TEST(answers_are_judged)
{
	static const struct {
		long status;
		enum upload_verdict verdict;
	} rows[] = {{200, UPLOAD_STORED}, {201, UPLOAD_STORED}, {204, UPLOAD_STORED},
		{202, UPLOAD_RETRY}, {301, UPLOAD_RETRY}, {307, UPLOAD_RETRY},
		{400, UPLOAD_REFUSED}, {401, UPLOAD_REFUSED}, {403, UPLOAD_REFUSED},
		{404, UPLOAD_REFUSED}, {408, UPLOAD_RETRY}, {412, UPLOAD_PRESENT},
		{413, UPLOAD_REFUSED}, {425, UPLOAD_RETRY}, {429, UPLOAD_RETRY},
		{500, UPLOAD_RETRY}, {503, UPLOAD_RETRY}, {599, UPLOAD_RETRY}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(
			upload_judge(rows[i].status) == rows[i].verdict, "%ld", rows[i].status);
}
END_TEST

static void setup(void)
{
	scratch_create();
}

Suite *suite_daemon_tree(void);

Suite *suite_daemon_tree(void)
{
	Suite *suite = suite_create("daemon_tree");
	TCase *tc = tcase_create("daemon_tree");

	tcase_add_checked_fixture(tc, setup, scratch_remove);
	tcase_add_test(tc, finished_cores_are_told);
	tcase_add_test(tc, one_directory_may_be_both);
	tcase_add_test(tc, gone_directories_are_told);
	tcase_add_test(tc, only_regular_files_are_opened);
	tcase_add_test(tc, executables_are_known_by_id);
	tcase_add_test(tc, build_ids_are_compared);
	tcase_add_test(tc, identities_are_read_strictly);
	tcase_add_test(tc, answers_are_judged);
	suite_add_tcase(suite, tc);
	return suite;
}
