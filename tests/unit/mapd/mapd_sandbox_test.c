/* SPDX-License-Identifier: ISC */
/*
 * Lookups inside mapd's sandbox: tables of each kind answer, and are opened
 * again when their files changed outside, without a refused system call.
 */
#include <nss.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_make.h"
#include "libglobal/sandbox_rows.h"
#include "libtask/sandbox.h"
#include "libutil/diag.h"
#include "test.h"

#define NOBODY	54321

#define MUST(cond)	do { if (!(cond)) { \
	fprintf(stderr, "# line %d: %s (%s)\n", __LINE__, #cond, \
	    strerror(errno)); return 1; } } while (0)

static const char *const types[] = { "texthash", "pcre", "hash", "btree",
	"lmdb" };

/* write_table - the text of a table, and what is built from it */
static void
write_table(const char *type, const char *text)
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	char spec[4200];
	FILE *f;

	snprintf(spec, sizeof(spec), "%s/%s", test_tmpdir(), type);
	f = fopen(spec, "w");
	CHECK(f != NULL, 0);
	fputs(text, f);
	fclose(f);
	if ((map_type_find(slice_of(type))->flags & MAP_TYPE_BUILT) == 0)
		return;
	snprintf(spec, sizeof(spec), "%s:%s/%s", type, test_tmpdir(), type);
	CHECK_INT(map_make(slice_of(spec), &o, NULL, NULL), 0, 0);
}

/* write_tables - all of them, with that text for the key */
static void
write_tables(const char *value)
{
	char text[100];

	for (size_t i = 0; i < COUNT(types); i++) {
		bool pattern = strcmp(types[i], "pcre") == 0;

		snprintf(text, sizeof(text), pattern ? "/^key$/ %s\n" :
		    "key %s\n", value);
		write_table(types[i], text);
	}
}

/* has - does the table have that text for the key? */
static bool
has(struct map *m, const char *want)
{
	struct buf value = BUF_INIT;
	bool is = map_get(m, S("key"), &value) == 0 &&
	    slice_equal(buf_slice(&value), slice_of(want)) &&
	    map_get(m, S("other"), NULL) == -ENOENT;

	buf_free(&value);
	return is;
}

/* live - what mapd does; reads a byte when the tables were changed */
static int
live(struct map **maps, struct map *users, int changed, int ready)
{
	struct diag d = DIAG_INIT;
	char byte;

	for (size_t i = 0; i < COUNT(types); i++)
		MUST(has(maps[i], "one"));
	/* more often than the C library goes on without asking nscd */
	for (int i = 0; i < 250; i++)
		MUST(map_get(users, S("root"), NULL) == 0);
	MUST(map_get(users, S("no such user"), NULL) == -ENOENT);
	MUST(write(ready, "x", 1) == 1);
	MUST(read(changed, &byte, 1) == 1);
	for (size_t i = 0; i < COUNT(types); i++) {
		if (map_refresh(maps[i], &d) != 1) {
			fprintf(stderr, "# %s: %s\n", types[i], d.text);
			return 1;
		}
		MUST(has(maps[i], "two"));
	}
	return 0;
}

/* child - open, enter the sandbox, live */
static int
child(bool as_user, int changed, int ready)
{
	const struct sandbox_path folder = { test_tmpdir(), SANDBOX_READ };
	struct sandbox_request req = { .row = sandbox_row_find(S("mapd")),
		.uid = NOBODY, .gid = NOBODY, .root_fd = -1,
		.extra_paths = &folder, .extra_count = 1 };
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct map *maps[COUNT(types)], *users;
	struct sandbox_refusal refused;
	struct diag d = DIAG_INIT;
	char spec[4200];
	int r;

	if (as_user && geteuid() == 0 &&
	    (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return 90;
	MUST(__nss_configure_lookup("passwd", "files") == 0);
	MUST(getpwnam("root") != NULL);
	for (size_t i = 0; i < COUNT(types); i++) {
		snprintf(spec, sizeof(spec), "%s:%s/%s", types[i],
		    test_tmpdir(), types[i]);
		MUST(map_open(slice_of(spec), 0, &d, &maps[i]) == 0);
	}
	MUST(map_open(S("unix:passwd.byname"), 0, &d, &users) == 0);
	if (sandbox_enter(&req, &s, &d) < 0) {
		fprintf(stderr, "# %s\n", d.text);
		return 91;
	}
	r = live(maps, users, changed, ready);
	while (sandbox_next_refusal(s.refusals, &refused) == 0) {
		fprintf(stderr, "# %s was refused\n", refused.name);
		r = 92;
	}
	for (size_t i = 0; i < COUNT(types); i++)
		map_close(&maps[i]);
	map_close(&users);
	return r;
}

/* run - a child, whose tables change meanwhile */
static void
run(bool as_user)
{
	int changed[2], ready[2], status = -1;
	char byte;
	pid_t pid;

	(void)chmod(test_tmpdir(), 0755);
	write_tables("one");
	CHECK(pipe(changed) == 0 && pipe(ready) == 0, 0);
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(child(as_user, changed[0], ready[1]));
	close(ready[1]);
	if (CHECK(read(ready[0], &byte, 1) == 1, 0)) {
		write_tables("two");
		CHECK(write(changed[1], "x", 1) == 1, 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid, 0);
	CHECK_INT(status, 0, 0);
	close(ready[0]);
	close(changed[0]);
	close(changed[1]);
}

TEST(mapd_sandbox_as_root)
{
	if (geteuid() == 0)
		run(false);
}

TEST(mapd_sandbox_as_user)
{
	run(true);
}
