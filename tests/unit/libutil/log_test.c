/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/arena.h"
#include "libutil/diag.h"
#include "libutil/log.h"
#include "libutil/log_format.h"
#include "libutil/log_wire.h"

#define EVENTS_OWNER test
#define EVENTS_DEF "unit/libutil/log_test_events.def"
#include "libutil/events_declare.h"
#define EVENTS_OWNER test
#define EVENTS_DEF "unit/libutil/log_test_events.def"
#include "libutil/events_define.h"

/* what the sink saw last, in all three forms, also after a trip by wire */
static struct buf	classic, logfmt, json;
static size_t		seen;

static int64_t
test_now(void)
{
	return 1770091506007000;	/* 2026-02-03T04:05:06.007Z */
}

static void
format_all(const struct log_record *r)
{
	buf_reset(&classic);
	buf_reset(&logfmt);
	buf_reset(&json);
	log_format_classic(&classic, r);
	log_format_logfmt(&logfmt, r);
	log_format_json(&json, r);
}

static void
sink(void *arg, const struct log_record *r)
{
	struct buf		wire = BUF_INIT, before = BUF_INIT;
	struct arena		a = ARENA_INIT;
	struct log_record	again;

	(void)arg;
	seen++;
	format_all(r);
	buf_add(&before, buf_slice(&classic));
	buf_add(&before, buf_slice(&logfmt));
	buf_add(&before, buf_slice(&json));

	log_record_encode(&wire, r);
	if (CHECK_INT(log_record_decode(&a, buf_slice(&wire), &again), 0, 0) == 0)
		format_all(&again);
	buf_reset(&wire);
	buf_add(&wire, buf_slice(&classic));
	buf_add(&wire, buf_slice(&logfmt));
	buf_add(&wire, buf_slice(&json));
	CHECK_SLICE(buf_slice(&wire), buf_slice(&before), 0);
	arena_free(&a);
	buf_free(&wire);
	buf_free(&before);
}

static void
start(void)
{
	log_start(&(struct log_setup){ .program = "postfix/smtpd", .pid = 17,
	    .sink = sink, .now_us = test_now });
	seen = 0;
}

static void
stop(void)
{
	buf_free(&classic);
	buf_free(&logfmt);
	buf_free(&json);
}

TEST(log_wording)
{
	struct log session, txn;

	start();
	log_init(&session, NULL);
	log_set(&session, KV_TEXT("session", "s1"));

	log_event(&session, EV_TEST_CONNECT, KV_TEXT("name", "a.example"),
	    KV_TEXT("address", "192.0.2.1"));
	CHECK_TEXT(buf_slice(&classic), "connect from a.example[192.0.2.1]", 0);
	CHECK_TEXT(buf_slice(&logfmt), "time=2026-02-03T04:05:06.007000Z "
	    "level=info event=test_connect program=postfix/smtpd pid=17 "
	    "session=s1 name=a.example address=192.0.2.1", 0);
	CHECK_TEXT(buf_slice(&json), "{\"time\":\"2026-02-03T04:05:06.007000Z\","
	    "\"level\":\"info\",\"event\":\"test_connect\","
	    "\"program\":\"postfix/smtpd\",\"pid\":17,\"session\":\"s1\","
	    "\"name\":\"a.example\",\"address\":\"192.0.2.1\","
	    "\"text\":\"connect from a.example[192.0.2.1]\"}", 0);

	log_event(&session, EV_TEST_REJECT, KV_TEXT("command", "RCPT"),
	    KV_TEXT("reply", "554 5.7.1 no"), KV_TEXT("name", NULL));
	CHECK_TEXT(buf_slice(&classic),
	    "NOQUEUE: reject: RCPT from unknown: 554 5.7.1 no", 1);

	log_init(&txn, &session);
	log_set(&txn, KV_TEXT(LOG_QUEUE_ID, "4X1"));
	log_event(&txn, EV_TEST_REJECT, KV_TEXT("command", "RCPT"),
	    KV_TEXT("reply", "no"));
	CHECK_TEXT(buf_slice(&classic), "4X1: reject: RCPT from unknown: no", 2);
	log_event(&txn, EV_TEST_CLIENT, KV_TEXT("name", "a"),
	    KV_TEXT("address", "b"), KV_TEXT("user", "eve"));
	CHECK_TEXT(buf_slice(&classic), "4X1: client=a[b], sasl_username=eve", 3);
	log_event(&txn, EV_TEST_LOST, KV_ERR("why", -ECONNRESET));
	CHECK_TEXT(buf_slice(&classic), "warning: 4X1: lost connection: "
	    "Connection reset by peer", 4);
	CHECK(slice_find_slice(buf_slice(&json),
	    S("\"why\":\"ECONNRESET\"")) != SLICE_NONE, 4);
	log_event(&txn, EV_TEST_LOST, KV_ERR("why", 0), KV_TEXT("command", "A"));
	CHECK_TEXT(buf_slice(&classic), "warning: 4X1: lost connection after A", 5);
	log_unset(&txn, LOG_QUEUE_ID);
	log_unset(&txn, "never set");
	log_event(&txn, EV_TEST_LOST);
	CHECK_TEXT(buf_slice(&classic), "warning: lost connection", 6);
	log_event(NULL, EV_TEST_BRACES, KV_INT("n", -1));
	CHECK_TEXT(buf_slice(&classic), "fatal: {not a key} -1", 7);
	log_event(NULL, EV_TEST_TYPES, KV_INT("i", INT64_MIN),
	    KV_UINT("u", UINT64_MAX), KV_BOOL("b", 5), KV_ERR("e", -ENOENT),
	    KV_TIME("t", 0), KV_SPAN("s", -1));
	CHECK_TEXT(buf_slice(&classic), "error: -9223372036854775808 "
	    "18446744073709551615 yes No such file or directory "
	    "1970-01-01T00:00:00.000Z", 8);
	CHECK(slice_find_slice(buf_slice(&json), S("\"b\":true,\"e\":\"ENOENT\","
	    "\"t\":\"1970-01-01T00:00:00.000Z\",\"s\":-0.001,")) != SLICE_NONE, 8);
	stop();
}

TEST(log_context)
{
	struct log outer, inner;

	start();
	log_init(&outer, NULL);
	log_init(&inner, &outer);
	log_set(&outer, KV_TEXT("a", "1"));
	log_set(&outer, KV_TEXT("b", "2"));
	log_set(&inner, KV_TEXT("a", "3"));		/* overrules */
	log_event(&inner, EV_TEST_LOST, KV_TEXT("b", "4"), KV_OPT("a", S("")),
	    KV_TEXT("time", "5"));
	CHECK(slice_has_suffix(buf_slice(&logfmt),
	    S(" pid=17 a=3 b=4 time_=5")), 0);
	log_set(&outer, KV_TEXT("c", "6"));
	log_unset(&outer, "a");
	log_event(&outer, EV_TEST_LOST);
	CHECK(slice_has_suffix(buf_slice(&logfmt), S(" pid=17 b=2 c=6")), 1);
	stop();
}

TEST(log_levels)
{
	struct log l, child;

	start();
	log_init(&l, NULL);
	log_init(&child, &l);
	log_event(&child, EV_TEST_NOISE);
	CHECK_INT(seen, 0, 0);
	l.verbose = true;			/* for the child as well */
	log_event(&child, EV_TEST_NOISE);
	CHECK_INT(seen, 1, 1);
	CHECK_TEXT(buf_slice(&classic), "noise", 1);
	CHECK(!log_is_on(NULL, EV_TEST_NOISE), 2);
	stop();
}

TEST(log_no_injection)
{
	static const struct {
		struct slice	value;
		const char	*classic, *logfmt, *json;
	} cases[] = {
		{ S_INIT("a\r\nb"), "a??b", "\"a\\x0d\\nb\"", "a\\u000d\\nb" },
		{ S_INIT("\0"), "?", "\"\\x00\"", "\\u0000" },
		{ S_INIT("\x1b[31m"), "?[31m", "\"\\x1b[31m\"", "\\u001b[31m" },
		{ S_INIT("\x7f"), "?", "\"\\x7f\"", "\\u007f" },
		{ S_INIT("\xff\xc3"), "??", "\"\\xff\\xc3\"",
		    "\xef\xbf\xbd\xef\xbf\xbd" },
		{ S_INIT("\xc2\x85"), "?", "\"\\u0085\"", "\\u0085" },
		{ S_INIT("\xe2\x80\xae"), "?", "\"\\u202e\"", "\\u202e" },
		{ S_INIT("\xe2\x80\xa8"), "?", "\"\\u2028\"", "\\u2028" },
		{ S_INIT("m\xc3\xbcll"), "m\xc3\xbcll", "m\xc3\xbcll",
		    "m\xc3\xbcll" },
		{ S_INIT("a\" b=\"c"), "a\" b=\"c", "\"a\\\" b=\\\"c\"",
		    "a\\\" b=\\\"c" },
		{ S_INIT("D\\u"), "D\\u", "\"D\\\\u\"", "D\\\\u" },
		{ S_INIT(""), "", "\"\"", "" },
	};
	struct buf want = BUF_INIT;

	start();
	for (size_t i = 0; i < COUNT(cases); i++) {
		log_event(NULL, EV_TEST_CONNECT, KV_STR("name", cases[i].value),
		    KV_TEXT("address", "x"));
		buf_reset(&want);
		buf_addf(&want, "connect from %s[x]", cases[i].classic);
		CHECK_SLICE(buf_slice(&classic), buf_slice(&want), i);
		buf_reset(&want);
		buf_addf(&want, " name=%s address=x", cases[i].logfmt);
		CHECK(slice_has_suffix(buf_slice(&logfmt), buf_slice(&want)), i);
		buf_reset(&want);
		buf_addf(&want, "\"name\":\"%s\",\"address\":\"x\"",
		    cases[i].json);
		CHECK(slice_find_slice(buf_slice(&json), buf_slice(&want)) !=
		    SLICE_NONE, i);
	}
	buf_free(&want);
	stop();
}

TEST(log_long_values_are_cut)
{
	struct buf value = BUF_INIT;

	start();
	for (size_t i = 0; i < 1500; i++)
		buf_add(&value, S("\xc3\xbc"));
	log_event(NULL, EV_TEST_CONNECT, KV_STR("name", buf_slice(&value)));
	CHECK(classic.len < LOG_VALUE_MAX + 32, 0);
	CHECK(slice_has_suffix(buf_slice(&classic), S("\xc3\xbc...[]")), 0);
	buf_free(&value);
	stop();
}

TEST(log_spans)
{
	static const struct { int64_t ms; const char *want; } cases[] = {
		{ 0, "0" }, { 4, "0" }, { 5, "0.01" }, { 50, "0.05" },
		{ 100, "0.1" }, { 123, "0.12" }, { 1000, "1" }, { 1234, "1.2" },
		{ 9970, "10" }, { 12345, "12" }, { 123456, "123" },
		{ -7, "0" }, { INT64_MAX, "9223372036854776" },
	};
	struct buf want = BUF_INIT;

	start();
	for (size_t i = 0; i < COUNT(cases); i++) {
		log_event(NULL, EV_TEST_SENT, KV_SPAN("delay", cases[i].ms));
		buf_reset(&want);
		buf_addf(&want, "to=<>, delay=%s, status=sent ()", cases[i].want);
		CHECK_SLICE(buf_slice(&classic), buf_slice(&want), i);
	}
	buf_free(&want);
	stop();
}

TEST(log_check_wordings)
{
	static const struct { const char *wording; int want; } cases[] = {
		{ "plain", 0 }, { "{a} {b_2|text}{?, c={c}?}", 0 },
		{ "{", -EBADMSG }, { "{}", -EBADMSG }, { "{A}", -EBADMSG },
		{ "{? {a}", -EBADMSG }, { "?}", -EBADMSG },
		{ "{?{?a?}?}", -EBADMSG }, { "{{?", -EBADMSG }, { "{{x", 0 },
		{ "{a", -EBADMSG }, { "why?", 0 },
	};

	CHECK_INT(log_check_events(&test_events, NULL), 0, 99);
	CHECK_INT(test_events.count, 8, 99);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct event e = { "X", LEVEL_INFO, cases[i].wording, "" };
		const struct event *list[] = { &e };
		struct diag d = DIAG_INIT;

		CHECK_INT(log_check_events(&(struct event_table){ "x", list, 1 },
		    &d), cases[i].want, i);
	}
}

static struct buf	wire;

static void
sink_wire(void *arg, const struct log_record *r)
{
	(void)arg;
	log_record_encode(&wire, r);
}

TEST(log_wire_damage)		/* no byte of it crashes the reader */
{
	struct arena		a = ARENA_INIT;
	struct log_record	r;
	char			*copy;

	log_start(&(struct log_setup){ .sink = sink_wire });
	log_event(NULL, EV_TEST_TYPES, KV_INT("i", 1), KV_TEXT("u", "text"));
	CHECK_INT(log_record_decode(&a, buf_slice(&wire), &r), 0, 0);
	for (size_t n = 0; n < wire.len; n++)
		CHECK(log_record_decode(&a,
		    slice_sub(buf_slice(&wire), 0, n), &r) < 0, n);
	copy = slice_dup(buf_slice(&wire));
	for (size_t n = 0; n < wire.len; n++)
		for (int bit = 0; bit < 8; bit++) {
			copy[n] = (char)(copy[n] ^ 1 << bit);
			if (log_record_decode(&a, slice_over(copy, wire.len),
			    &r) == 0) {
				format_all(&r);
				CHECK(slice_find(buf_slice(&classic), '\n') ==
				    SLICE_NONE, n);
			}
			copy[n] = (char)(copy[n] ^ 1 << bit);
		}
	buf_add_byte(&wire, 'x');
	CHECK_INT(log_record_decode(&a, buf_slice(&wire), &r), -EBADMSG, 0);
	free(copy);
	arena_free(&a);
	buf_free(&wire);
	stop();
}
