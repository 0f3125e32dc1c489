/* SPDX-License-Identifier: ISC */
/*
 * Unit tests: TEST(name) { ... } registers a test; the program runs them all
 * and prints TAP for prove(1). A CHECK that fails prints where and with which
 * row of a table, and the test goes on. A test that checks nothing fails. Run
 * one test: ./x_test NAME.
 *
 * Fuzz targets: one FUZZ(name) { ... } in a file of tests/fuzz, with `input`
 * (struct slice) and `scratch` (an empty struct buf *). Built with libFuzzer,
 * or, without BARID_FUZZ, as a program that runs the files named.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/buf.h"
#include "libutil/slice.h"

struct test_case {
	const char		*name;
	void			(*run)(void);
	struct test_case	*next;
};

void	test_register(struct test_case *);
void	test_fail(const char *file, int line, size_t row, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

#define TEST(id) \
	static void test_##id(void); \
	__attribute__((constructor)) static void test_register_##id(void) \
	{ \
		static struct test_case c = { #id, test_##id, NULL }; \
		test_register(&c); \
	} \
	static void test_##id(void)

/* each returns the value got (CHECK: whether it held) */
#define CHECK(cond, row) \
	test_check((cond), #cond, (size_t)(row), __FILE__, __LINE__)
#define CHECK_INT(got, want, row) \
	test_check_int((got), (want), #got, (size_t)(row), __FILE__, __LINE__)
#define CHECK_SLICE(got, want, row) \
	test_check_slice((got), (want), #got, (size_t)(row), __FILE__, __LINE__)
#define CHECK_TEXT(got, want, row) \
	test_check_slice((got), slice_of(want), #got, (size_t)(row), __FILE__, \
	    __LINE__)

bool	test_check(bool held, const char *what, size_t row, const char *file,
	    int line);
long long	test_check_int(long long got, long long want, const char *what,
		    size_t row, const char *file, int line);
bool	test_check_slice(struct slice got, struct slice want, const char *what,
	    size_t row, const char *file, int line);

/* a fresh empty folder that is removed at exit; static storage */
const char	*test_tmpdir(void);

#define FUZZ(id) \
	static void fuzz_##id(struct slice input, struct buf *scratch); \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
	{ \
		struct buf scratch = BUF_INIT; \
		fuzz_##id(slice_over(data, size), &scratch); \
		buf_free(&scratch); \
		return 0; \
	} \
	static void fuzz_##id(struct slice input, \
	    __attribute__((unused)) struct buf *scratch)

/* in a fuzz target a broken property ends the run */
#define FUZZ_CHECK(cond) \
	do { if (!(cond)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
	    #cond); abort(); } } while (0)

#endif
