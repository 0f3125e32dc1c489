/* SPDX-License-Identifier: ISC */
/* What the tests of libstore share: accounts on either backend. */
#ifndef TESTS_STORE_TEST_H
#define TESTS_STORE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libstore/account.h"
#include "libstore/body.h"
#include "libstore/mailbox.h"
#include "libstore/message.h"
#include "libstore/verify.h"
#include "test.h"

/* a clock that the test sets */
struct test_clock {
	int64_t	now;
};

static inline int64_t
test_now(void *arg)
{
	return ((struct test_clock *)arg)->now;
}

static inline void
test_print_finding(void *arg, const char *text)
{
	printf("# %s: %s\n", (const char *)arg, text);
}

/* the number of findings, each printed */
static inline uint64_t
test_verify(struct account *a, const char *where)
{
	struct verify_result res;
	int	r = store_verify(a, VERIFY_BODIES, test_print_finding,
	    (void *)(uintptr_t)where, &res);

	if (r < 0) {
		printf("# %s: verify failed: %s\n", where, strerror(-r));
		return 1;
	}
	return res.findings;
}

/* a fresh folder name below the test's own */
static inline const char *
test_folder(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", test_tmpdir(), name);
	return path;
}

/* a folder account with a map that valgrind can bear */
static inline int
test_open(const char *folder, struct test_clock *clock, struct account **ret)
{
	struct account_params p = { .create = true, .id = S_INIT("anna"),
		.map_size = (uint64_t)1 << 30, .now = test_now,
		.arg = clock };

	return account_open(folder, &p, ret);
}

static inline int
test_open_mem(struct mem_medium *m, struct test_clock *clock,
    struct account **ret)
{
	struct account_params p = { .create = true, .id = S_INIT("anna"),
		.now = test_now, .arg = clock };
	struct backend *b;
	int	r = backend_mem_open(m, &b);

	return r < 0 ? r : account_open_backend(&b, &p, ret);
}

/* deliver one message into one mailbox; its UID, or an error */
static inline int64_t
test_deliver(struct account *a, uint32_t mailbox, struct slice content,
    uint64_t flags)
{
	struct deliver_place place = { .mailbox = mailbox, .flags = flags };
	struct deliver_message m = { .content = content, .places = &place,
		.place_count = 1 };
	int	r = message_deliver(a, &m, 1, 0);

	if (r < 0)
		return r;
	return m.result < 0 ? m.result : (int64_t)place.uid;
}

static inline uint32_t
test_role(struct account *a, enum mailbox_role role)
{
	uint32_t id = 0;

	return mailbox_find_role(a, role, &id) < 0 ? 0 : id;
}

#endif
