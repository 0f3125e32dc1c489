/* SPDX-License-Identifier: ISC */
/* The tables that authd keeps in memory: bounded, and true to their times. */
#include "test.h"

#include "authd/failures.h"
#include "authd/tickets.h"
#include "authd/verified.h"

static const struct failures_rules rules = { 3, 1000, 15000, 60000 };

TEST(failures_delay)
{
	static const int64_t want[] = { 0, 0, 0, 1000, 2000, 4000, 8000, 15000,
	    15000, 15000 };
	struct failures	f;

	failures_init(&f);
	for (size_t i = 0; i < COUNT(want); i++) {
		CHECK_INT(failures_delay(&f, &rules, S("192.0.2.1"), S("a"),
		    5000), want[i], i);
		failures_add(&f, &rules, S("192.0.2.1"), S("b"), 5000);
	}
	/* by address, by name, or not at all */
	CHECK_INT(failures_delay(&f, &rules, S("192.0.2.2"), S("a"), 5000), 0, 0);
	CHECK_INT(failures_delay(&f, &rules, S("192.0.2.2"), S("b"), 5000),
	    15000, 0);
	failures_forget_login(&f, S("b"));
	CHECK_INT(failures_delay(&f, &rules, S("192.0.2.2"), S("b"), 5000), 0, 0);
	CHECK_INT(failures_delay(&f, &rules, S("192.0.2.1"), S("b"), 5000),
	    15000, 0);
	/* they are forgotten in time, and then begin anew */
	CHECK_INT(failures_delay(&f, &rules, S("192.0.2.1"), S("b"), 65000), 0,
	    0);
	failures_add(&f, &rules, S("192.0.2.1"), S("b"), 65000);
	CHECK_INT(failures_delay(&f, &rules, S("192.0.2.1"), S("b"), 65000), 0,
	    0);
	failures_free(&f);
}

TEST(failures_networks)
{
	struct failures	f;

	failures_init(&f);
	for (int i = 0; i < 5; i++)
		failures_add(&f, &rules, S("2001:db8:1:2::5"), S("x"), 0);
	CHECK(failures_delay(&f, &rules, S("2001:db8:1:2:ffff::9"), S("y"), 0) >
	    0, 0);
	CHECK_INT(failures_delay(&f, &rules, S("2001:db8:1:3::5"), S("y"), 0), 0,
	    0);
	CHECK_INT(failures_delay(&f, &rules, S(""), S("y"), 0), 0, 0);
	failures_free(&f);
}

TEST(failures_bounds)
{
	struct failures	f;
	char		name[32];

	failures_init(&f);
	for (int i = 0; i < FAILURES_MAX * 2; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		failures_add(&f, &rules, S(""), slice_of(name), i);
	}
	CHECK_INT(f.count, FAILURES_MAX, 0);
	failures_add(&f, &rules, S("192.0.2.9"), S("x"), 0);
	for (int i = 0; i < FAILURES_WAITING_MAX; i++)
		CHECK(failures_wait_begin(&f, &rules, S("192.0.2.9"), 0), i);
	CHECK(!failures_wait_begin(&f, &rules, S("192.0.2.9"), 0), 0);
	CHECK(failures_wait_begin(&f, &rules, S("192.0.2.8"), 0), 0);
	failures_wait_end(&f, S("192.0.2.9"));
	CHECK(failures_wait_begin(&f, &rules, S("192.0.2.9"), 0), 0);
	failures_free(&f);
	CHECK_INT(f.count, 0, 0);

	/* many who never failed may come at once, but not all there are */
	failures_init(&f);
	for (int i = 0; i < FAILURES_WAITING_CLEAN; i++)
		CHECK(failures_wait_begin(&f, &rules, S("192.0.2.9"), 0), i);
	CHECK(!failures_wait_begin(&f, &rules, S("192.0.2.9"), 0), 0);
	failures_add(&f, &rules, S("192.0.2.7"), S("x"), 0);
	for (int i = 0; i <= FAILURES_WAITING_MAX; i++)
		CHECK(failures_wait_begin(&f, &rules, S("192.0.2.7"),
		    rules.ttl), i);
	failures_free(&f);

	/* who waited and did not fail leaves nothing behind */
	failures_init(&f);
	CHECK(failures_wait_begin(&f, &rules, S("192.0.2.9"), 0), 0);
	failures_wait_end(&f, S("192.0.2.9"));
	failures_wait_end(&f, S("192.0.2.9"));
	CHECK_INT(f.count, 0, 0);
	failures_free(&f);
}

TEST(verified)
{
	static const unsigned char	key[VERIFIED_DIGEST_SIZE] = "key";
	struct verified			v;
	struct verified_digest		d[5], e;

	verified_init(&v);
	CHECK_INT(verified_digest(key, S("a"), S("bc"), S("h"), &d[0]), 0, 0);
	CHECK_INT(verified_digest(key, S("ab"), S("c"), S("h"), &d[1]), 0, 0);
	CHECK_INT(verified_digest(key, S("a"), S("b"), S("ch"), &d[2]), 0, 0);
	CHECK_INT(verified_digest(key, S("a"), S("bc"), S("i"), &d[3]), 0, 0);
	CHECK_INT(verified_digest(key, S(""), S(""), S(""), &d[4]), 0, 0);
	CHECK_INT(verified_digest(key, S("a"), S("bc"), S("h"), &e), 0, 0);
	CHECK(memcmp(&d[0], &e, sizeof(e)) == 0, 0);
	for (size_t i = 0; i < COUNT(d); i++)
		for (size_t j = 0; j < i; j++)
			CHECK(memcmp(&d[i], &d[j], sizeof(e)) != 0, i);

	CHECK(!verified_has(&v, &d[0], 0, 100), 0);
	verified_add(&v, &d[0], 0, 3);
	CHECK(verified_has(&v, &d[0], 99, 100), 0);
	CHECK(!verified_has(&v, &d[0], 100, 100), 0);
	CHECK_INT(v.count, 0, 0);
	for (size_t i = 0; i < COUNT(d); i++)
		verified_add(&v, &d[i], (int64_t)i, 3);
	CHECK_INT(v.count, 3, 0);
	CHECK(!verified_has(&v, &d[1], 5, 100), 0);
	CHECK(verified_has(&v, &d[2], 5, 100), 0);
	verified_add(&v, &d[2], 9, 0);
	CHECK_INT(v.count, 0, 0);
	verified_free(&v);
}

TEST(tickets)
{
	unsigned char	bytes[TICKET_SIZE] = { 0 };
	struct slice	b = slice_over(bytes, sizeof(bytes));
	struct tickets	s;
	char		account[64] = "";

	tickets_init(&s);
	CHECK_INT(tickets_take(&s, b, 1, 0, 60, account, sizeof(account)),
	    -ENOENT, 0);
	tickets_add(&s, bytes, 7, S("id"), 0);
	CHECK_INT(tickets_take(&s, S(""), 7, 0, 60, account, sizeof(account)),
	    -ENOENT, 0);
	CHECK_INT(tickets_take(&s, b, 7, 59, 60, account, sizeof(account)), 0,
	    0);
	CHECK_TEXT(S("id"), account, 0);
	/* once */
	CHECK_INT(tickets_take(&s, b, 7, 59, 60, account, sizeof(account)),
	    -ENOENT, 0);
	/* in time */
	tickets_add(&s, bytes, 7, S("id"), 0);
	CHECK_INT(tickets_take(&s, b, 7, 60, 60, account, sizeof(account)),
	    -ETIMEDOUT, 0);
	/* by whom it was given to; a try by another spends it */
	tickets_add(&s, bytes, 7, S("id"), 0);
	CHECK_INT(tickets_take(&s, b, 8, 1, 60, account, sizeof(account)),
	    -EACCES, 0);
	CHECK_INT(tickets_take(&s, b, 7, 1, 60, account, sizeof(account)),
	    -ENOENT, 0);
	/* all of an account at once */
	tickets_add(&s, bytes, 7, S("id"), 0);
	bytes[0] = 1;
	tickets_add(&s, bytes, 7, S("other"), 0);
	tickets_void(&s, S("id"));
	CHECK_INT(s.count, 1, 0);
	for (uint32_t i = 0; i < TICKETS_MAX + 10; i++) {
		memcpy(bytes, &i, sizeof(i));
		bytes[9] = 1;
		tickets_add(&s, bytes, 7, S("id"), 0);
	}
	CHECK_INT(s.count, TICKETS_MAX, 0);
	tickets_free(&s);
}
