/* SPDX-License-Identifier: ISC */
/* The runner behind test.h: collects the tests, runs them, prints TAP. */
#include "test.h"

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static struct test_case	*first, **last = &first;
static bool		 failed;
static _Atomic size_t	 checks;		/* done, by any thread */
static char		 tmpdir[PATH_MAX];

/* test_register - add a test; called before main */
void
test_register(struct test_case *c)
{
	*last = c;
	last = &c->next;
}

/* test_fail - report a failed check */
void
test_fail(const char *file, int line, size_t row, const char *format, ...)
{
	va_list	ap;

	failed = true;
	printf("# %s:%d: row %zu: ", file, line, row);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

/* test_check - a condition */
bool
test_check(bool held, const char *what, size_t row, const char *file, int line)
{
	checks++;
	if (!held)
		test_fail(file, line, row, "%s", what);
	return held;
}

/* test_check_int - a number */
long long
test_check_int(long long got, long long want, const char *what, size_t row,
    const char *file, int line)
{
	checks++;
	if (got != want)
		test_fail(file, line, row, "%s is %lld, not %lld", what, got,
		    want);
	return got;
}

/* test_check_slice - bytes */
bool
test_check_slice(struct slice got, struct slice want, const char *what,
    size_t row, const char *file, int line)
{
	checks++;
	if (slice_equal(got, want))
		return true;
	test_fail(file, line, row, "%s is \"%.*s\", not \"%.*s\"", what,
	    SLICE_ARG(got), SLICE_ARG(want));
	return false;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static void
remove_tmpdir(void)
{
	(void)nftw(tmpdir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* test_tmpdir - a folder for this run */
const char *
test_tmpdir(void)
{
	const char *base = getenv("TMPDIR");

	if (tmpdir[0] != '\0')
		return tmpdir;
	snprintf(tmpdir, sizeof(tmpdir), "%s/barid-test-XXXXXX",
	    base == NULL ? "/tmp" : base);
	if (mkdtemp(tmpdir) == NULL) {
		perror(tmpdir);
		exit(1);
	}
	atexit(remove_tmpdir);
	return tmpdir;
}

int
main(int argc, char **argv)
{
	struct test_case	*c;
	int			 n = 0, bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (c = first; c != NULL; c = c->next) {
		if (argc > 1 && strcmp(argv[1], c->name) != 0)
			continue;
		failed = false;
		checks = 0;
		c->run();
		if (checks == 0) {	/* what it would test never ran */
			printf("# %s checked nothing\n", c->name);
			failed = true;
		}
		n++;
		bad += failed;
		printf("%sok %d - %s\n", failed ? "not " : "", n, c->name);
	}
	printf("1..%d\n", n);
	return bad == 0 && n > 0 ? 0 : 1;
}
