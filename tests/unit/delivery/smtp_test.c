/* SPDX-License-Identifier: ISC */
/* smtp against scripted servers: every reply at every step, and worse. */
#include "smtp_world.h"

#include "libtask/tls.h"
#include "unit/libtask/identity.h"

#define HELLO	"S 220 mx1.example ESMTP\nC EHLO client.example\n"
#define PLAIN	HELLO "S 250 mx1.example\n"
#define PIPED	HELLO "S 250-mx1.example\nS 250-PIPELINING\n" \
		"S 250-SIZE 10000\nS 250-8BITMIME\nS 250 DSN\n"
#define ONE	"a@one.example"
#define WHO	"one.example[10.0.0.1]"

struct try {
	const char	*script;
	const char	*want;
};

/* attempt - one recipient, one server; the result begins like that */
static void
attempt(const char *script, const char *want, size_t row)
{
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct world w = { .nexthop = "one.example", .rcpts = { ONE },
			.server[0].scripts = { script } };

		CHECK_INT(world_run(&w, seed, 0), 0, row);
		if (!CHECK(slice_has_prefix(buf_slice(&w.results),
		    slice_of(want)), row))
			printf("# got  %.*s# want %s\n",
			    SLICE_ARG(buf_slice(&w.results)), want);
		world_done(&w);
	}
}

TEST(every_reply_at_every_step)
{
	static const struct try tries[] = {
		{ PLAIN "C MAIL FROM:<s@client.example>\nS 250 ok\nC RCPT TO:<a@one.example>\nS 250 ok\nC DATA\nS 354 go\nD\nS 250 2.0.0 Ok: kept\n",
		    "250 2.0.0 250 2.0.0 Ok: kept\n" },
		{ "S 554 no\n", "454 4.0.0 host " WHO " refused to talk to me: 554 5.0.0 no\n" },
		{ "S 421 busy\n", "421 4.0.0 host " WHO " refused to talk to me: 421 4.0.0 busy\n" },
		{ "S hello\n", "450 4.5.0 " WHO " gave an answer that is none while receiving the initial server greeting\n" },
		{ "X\n", "450 4.4.2 lost connection with " WHO " while receiving the initial server greeting\n" },
		{ "W 400000\n", "450 4.4.2 conversation with " WHO " timed out while receiving the initial server greeting\n" },
		{ HELLO "S 500 what\nC HELO client.example\nS 250 hi\nC MAIL FROM:<s@client.example>\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nS 250 kept\n",
		    "250 2.0.0 250 2.0.0 kept\n" },
		{ HELLO "S 550 no\nC HELO\nS 550 not at all\n", "450 4.0.0 host " WHO " refused to talk to me: 550 5.0.0 not at all (in reply to HELO)\n" },
		{ HELLO "S 421 away\n", "421 4.0.0 host " WHO " refused to talk to me: 421 4.0.0 away (in reply to EHLO)\n" },
		{ "S 220 client.example ESMTP\n", "550 5.4.6 mail for one.example loops back to myself\n" },
		{ PLAIN "C MAIL\nS 451 4.7.1 later\n", "451 4.7.1 host " WHO " said: 451 4.7.1 later (in reply to MAIL FROM command)\n" },
		{ PLAIN "C MAIL\nS 550 5.7.1 never\n", "550 5.7.1 host " WHO " said: 550 5.7.1 never (in reply to MAIL FROM command)\n" },
		{ PLAIN "C MAIL\nX\n", "450 4.4.2 lost connection with " WHO " while sending MAIL FROM\n" },
		{ PLAIN "C MAIL\nS 421 4.3.2 shutting down\nW 400000\n", "421 4.3.2 host " WHO " said: 421 4.3.2 shutting down (in reply to MAIL FROM command)\n" },
		{ PLAIN "C MAIL\nS 354 what\n", "450 4.5.0 host " WHO " said: 450 4.5.0 354 is no answer to this (in reply to MAIL FROM command)\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 450 4.2.0 greylisted\n", "450 4.2.0 host " WHO " said: 450 4.2.0 greylisted (in reply to RCPT TO command)\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 550-5.1.1 no\nS 550 5.1.1 such user\n", "550 5.1.1 host " WHO " said: 550 5.1.1 no such user (in reply to RCPT TO command)\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 552 too many\n", "452 4.0.0 host" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nH\n", "450 4.4.2 lost connection with " WHO " while sending RCPT TO\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 451 4.3.0 no room\n", "451 4.3.0 host " WHO " said: 451 4.3.0 no room (in reply to DATA command)\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 554 5.5.1 no\n", "554 5.5.1 host" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 250 hm\n", "450 4.5.0 host" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nW 130000\n", "450 4.4.2 conversation with " WHO " timed out while sending DATA command\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nS 554 5.7.1 spam\n", "554 5.7.1 host " WHO " said: 554 5.7.1 spam (in reply to end of DATA command)\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nS 452 full\n", "452 4.0.0 host" },
		/* nobody knows whether it was taken: it is sent again */
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nX\n", "450 4.4.2 lost connection with " WHO " while sending end of data -- message may be sent more than once\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nW 700000\n", "450 4.4.2 conversation with " WHO " timed out while sending end of data -- message may be sent more than once\n" },
		{ PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nR 250 o\nW 10\nR k~\n", "250 2.0.0 250 2.0.0 ok\n" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		attempt(tries[i].script, tries[i].want, i);
}

TEST(replies_without_end)
{
	struct buf	script = BUF_INIT;

	buf_add_text(&script, "R 220 ");
	for (int i = 0; i < 3000; i++)
		buf_add_byte(&script, 'x');
	buf_add_text(&script, "~\n");
	attempt(buf_cstr(&script), "450 4.5.0 ", 0);
	buf_reset(&script);
	for (int i = 0; i < 200; i++)
		buf_add_text(&script, "S 220-more\n");
	attempt(buf_cstr(&script), "450 4.5.0 ", 1);
	buf_free(&script);
}

/* with PIPELINING: replies come at once, cut anywhere */
TEST(pipelined)
{
	static const struct {
		const char	*script;
		const char	*want;
	} tries[] = {
		{ PIPED "C MAIL FROM:<s@client.example> SIZE=41\nC RCPT TO:<a@one.example> NOTIFY=FAILURE\nC RCPT TO:<b@one.example>\nC RCPT TO:<c@one.example>\nC DATA\n"
		    "R 250 ok~250 ok~55\nW 5\nR 0 5.1.1 who~250-o~2\nW 5\nR 50 k~354 go~\nD\nS 250 2.0.0 kept\n",
		    "250 2.0.0 250 2.0.0 kept\n550 5.1.1 host " WHO " said: 550 5.1.1 who (in reply to RCPT TO command)\n250 2.0.0 250 2.0.0 kept\n" },
		/* MAIL is refused: what was said behind it means nothing */
		{ PIPED "C MAIL\nC RCPT\nC RCPT\nC RCPT\nC DATA\nS 550 5.7.1 no\nS 503 no MAIL\nS 503 no MAIL\nS 503 no MAIL\nS 503 no MAIL\n",
		    "550 5.7.1 host " WHO " said: 550 5.7.1 no (in reply to MAIL FROM command)\n550 5.7.1 " },
		/* all are refused, DATA is taken: an empty message follows */
		{ PIPED "C MAIL\nC RCPT\nC RCPT\nC RCPT\nC DATA\nS 250 ok\nS 550 a\nS 450 b\nS 550 c\nS 354 go\nC .\nS 554 nobody\n",
		    "550 5.0.0 host " WHO " said: 550 5.0.0 a (in reply to RCPT TO command)\n450 4.0.0 host " WHO " said: 450 4.0.0 b (in reply to RCPT TO command)\n550 5.0.0 " },
		/* too many: the rest goes in a second transaction */
		{ PIPED "C MAIL\nC RCPT\nC RCPT\nC RCPT\nC DATA\nS 250 ok\nS 250 ok\nS 452 4.5.3 many\nS 452 4.5.3 many\nS 354 go\nD\nS 250 kept\n"
		    "C MAIL\nC RCPT TO:<b@one.example>\nC RCPT\nC DATA\nS 250 ok\nS 250 ok\nS 250 ok\nS 354 go\nD\nS 250 again\n",
		    "250 2.0.0 250 2.0.0 kept\n250 2.0.0 250 2.0.0 again\n250 2.0.0 250 2.0.0 again\n" },
		/* the server goes in the middle of the answers */
		{ PIPED "C MAIL\nC RCPT\nC RCPT\nC RCPT\nC DATA\nS 250 ok\nS 550 5.1.1 a\nX\n",
		    "550 5.1.1 host " WHO " said: 550 5.1.1 a (in reply to RCPT TO command)\n450 4.4.2 lost connection with " WHO " while sending RCPT TO\n450 4.4.2 lost" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		for (uint64_t seed = 1; seed < 20; seed++) {
			struct world w = { .nexthop = "one.example",
				.rcpts = { ONE, "b@one.example", "c@one.example" },
				.server[0].scripts = { tries[i].script } };

			CHECK_INT(world_run(&w, seed, 0), 0, i);
			if (!CHECK(slice_has_prefix(buf_slice(&w.results),
			    slice_of(tries[i].want)), i))
				printf("# got %.*s", SLICE_ARG(
				    buf_slice(&w.results)));
			CHECK_INT(w.dsn_relayed, i == 0 || i == 3, i);
			world_done(&w);
		}
}

#define TAKE	"C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nS 250 kept\n"

/* hosts - which of them is asked, and what counts in the end */
TEST(hosts)
{
	static const struct {
		const char	*nexthop;
		const char	*first[2];
		const char	*second[2];
		const char	*want;
		bool		 site_failure;
	} tries[] = {
		{ "two.example", { PLAIN TAKE }, { "X\n" }, "250 2.0.0 ", false },
		{ "two.example", { "X\n" }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "two.example", { NULL }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "two.example", { "S 554 go away\n" }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "two.example", { PLAIN "C MAIL\nS 451 later\n" }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "two.example", { PLAIN "C MAIL\nS 250 ok\nC RCPT\nX\n" }, { PLAIN TAKE }, "250 2.0.0 ", false },
		/* a refusal for good is not shopped around */
		{ "two.example", { PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 550 no\n" }, { PLAIN TAKE }, "550 5.0.0 host mx1.example[10.0.0.1] said: 550", false },
		{ "two.example", { PLAIN "C MAIL\nS 250 ok\nC RCPT\nS 450 grey\n" }, { "X\n" }, "450 4.0.0 host mx1.example[10.0.0.1] said: 450", false },
		{ "two.example", { NULL }, { NULL }, "450 4.4.1 connect to mx2.example[10.0.0.2]:25: Connection refused\n", true },
		{ "[mx2.example]", { NULL }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "[mx2.example]:25", { NULL }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "[10.0.0.2]", { NULL }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "mx2.example:smtp", { NULL }, { PLAIN TAKE }, "250 2.0.0 ", false },
		{ "[10.0.0.2]:2525", { NULL }, { PLAIN TAKE }, "450 4.4.1 connect to 10.0.0.2[10.0.0.2]:2525: Connection refused\n", true },
		{ "null.example", { NULL }, { NULL }, "556 5.1.10 Domain null.example does not accept mail (nullMX)\n", false },
		{ "gone.example", { NULL }, { NULL }, "550 5.4.4 Host or domain name not found. Name service error for name=gone.example type=MX: Host not found\n", false },
		{ "fail.example", { NULL }, { NULL }, "450 4.4.3 Host or domain name not found. Name service error for name=fail.example type=MX: ", false },
		{ "none.example", { NULL }, { NULL }, "550 5.4.4 Host or domain name not found. Name service error for name=none.example type=A: Host found but no data record of requested type\n", false },
		{ "us.example", { NULL }, { NULL }, "550 5.4.6 mail for us.example loops back to myself\n", false },
		{ "[mx2.example", { NULL }, { NULL }, "450 4.3.5 mail transport configuration error: \"[mx2.example\" is no next hop\n", false },
		{ "[mx2.example]:0", { NULL }, { NULL }, "450 4.3.5 ", false },
		{ "mx2.example:nonsense", { NULL }, { NULL }, "450 4.3.5 ", false },
		{ "a b.example", { NULL }, { NULL }, "550 5.1.2 a b.example is no host name\n", false },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct world w = { .nexthop = tries[i].nexthop, .rcpts = { ONE },
			.server[0].scripts = { tries[i].first[0] },
			.server[1].scripts = { tries[i].second[0] } };

		CHECK_INT(world_run(&w, 3, 0), 0, i);
		if (!CHECK(slice_has_prefix(buf_slice(&w.results),
		    slice_of(tries[i].want)), i))
			printf("# got %.*s", SLICE_ARG(buf_slice(&w.results)));
		CHECK_INT(w.site_failure, tries[i].site_failure, i);
		world_done(&w);
	}
}

TEST(loopback_only)
{
	struct world w = { .nexthop = "one.example", .rcpts = { ONE },
		.more = "smtp_loopback_only = yes\n",
		.server[0].scripts = { PLAIN TAKE } };

	CHECK_INT(world_run(&w, 3, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.results), "450 4.4.1 connect to "
	    "one.example[10.0.0.1]:25: not done, smtp_loopback_only = yes\n", 0);
	CHECK_INT(w.server[0].connections, 0, 0);
	world_done(&w);
}

/* content that is cut off: nobody is asked, and everybody has a result */
TEST(content_is_missing)
{
	struct world w = { .nexthop = "one.example", .rcpts = { ONE, "b@one.example" },
		.missing = 1, .server[0].scripts = { PLAIN TAKE } };

	CHECK_INT(world_run(&w, 3, 0), 0, 0);
	CHECK(slice_has_prefix(buf_slice(&w.results), S("4")), 0);
	CHECK(slice_find_slice(buf_slice(&w.results), S("\n4")) != SLICE_NONE,
	    0);
	CHECK_INT(w.server[0].connections, 0, 0);
	world_done(&w);
}

TEST(loopback_addresses)
{
	static const struct { uint32_t addr; bool is; } tries[] = {
		{ 0x7f000001, true }, { 0x7fffffff, true }, { 0x80000000, false },
		{ 0x7effffff, false }, { 0x0a000001, false },
	};
	struct sockaddr_storage	ss;
	struct sockaddr_in	*in = (void *)&ss;
	struct sockaddr_in6	*in6 = (void *)&ss;

	for (size_t i = 0; i < COUNT(tries); i++) {
		memset(&ss, 0, sizeof(ss));
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(tries[i].addr);
		CHECK_INT(smtp_is_loopback(&ss), tries[i].is, i);
		memset(&ss, 0, sizeof(ss));
		in6->sin6_family = AF_INET6;
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		for (int b = 0; b < 4; b++)
			in6->sin6_addr.s6_addr[12 + b] =
			    (uint8_t)(tries[i].addr >> (24 - 8 * b));
		CHECK_INT(smtp_is_loopback(&ss), tries[i].is, i);
	}
	memset(&ss, 0, sizeof(ss));
	in6->sin6_family = AF_INET6;
	CHECK(!smtp_is_loopback(&ss), 0);
	in6->sin6_addr.s6_addr[15] = 1;
	CHECK(smtp_is_loopback(&ss), 0);
}

TEST(a_session_is_used_again)
{
	struct world w = { .nexthop = "one.example", .rcpts = { ONE },
		.times = 2, .server[0].scripts = { PLAIN TAKE
		"C RSET\nS 250 ok\n" TAKE "C QUIT\nS 221 bye\n" } };

	CHECK_INT(world_run(&w, 3, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.results), "250 2.0.0 250 2.0.0 kept\n"
	    "250 2.0.0 250 2.0.0 kept\n", 0);
	CHECK_INT(w.server[0].connections, 1, 0);
	world_done(&w);
}

TEST(a_kept_session_that_died)
{
	static const char *first[] = {
		PLAIN TAKE "X\n",
		PLAIN TAKE "S 421 timeout\nX\n",
		PLAIN TAKE "C RSET\nS 421 no\nX\n",
		PLAIN TAKE "C RSET\nX\n",
	};

	for (size_t i = 0; i < COUNT(first); i++) {
		struct world w = { .nexthop = "one.example", .rcpts = { ONE },
			.times = 2,
			.server[0].scripts = { first[i], PLAIN TAKE } };

		CHECK_INT(world_run(&w, 3, 0), 0, i);
		CHECK_TEXT(buf_slice(&w.results), "250 2.0.0 250 2.0.0 kept\n"
		    "250 2.0.0 250 2.0.0 kept\n", i);
		CHECK_INT(w.server[0].connections, 2, i);
		world_done(&w);
	}
}

/* what a host says over a kept session is its answer; another may be asked */
TEST(a_kept_session_answers)
{
	static const struct {
		const char	*nexthop;
		const char	*again;		/* over the kept session */
		const char	*second;	/* the other host */
		const char	*want;		/* of the second attempt */
		size_t		 connections;	/* to the first host */
	} tries[] = {
		{ "one.example", "C MAIL\nS 250 ok\nC RCPT\nS 450 grey\n", NULL, "450 4.0.0 host one.example[10.0.0.1] said: 450 4.0.0 grey (in reply to RCPT TO command)\n", 1 },
		{ "one.example", "C MAIL\nS 451 later\n", NULL, "451 4.0.0 host one.example[10.0.0.1] said: 451 4.0.0 later (in reply to MAIL FROM command)\n", 1 },
		{ "one.example", "C MAIL\nS 250 ok\nC RCPT\nS 250 ok\nC DATA\nS 354 go\nD\nS 451 later\n", NULL, "451 4.0.0 host one.example[10.0.0.1] said: 451 4.0.0 later (in reply to end of DATA command)\n", 1 },
		{ "two.example", "C MAIL\nS 250 ok\nC RCPT\nS 450 grey\n", PLAIN TAKE, "250 2.0.0 250 2.0.0 kept\n", 1 },
		/* no answer */
		{ "one.example", "C MAIL\nX\n", NULL, "250 2.0.0 250 2.0.0 kept\n", 2 },
	};
	char first[1000];

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct world w = { .nexthop = tries[i].nexthop,
			.rcpts = { ONE }, .times = 2,
			.server[0].scripts = { first, PLAIN TAKE },
			.server[1].scripts = { tries[i].second } };
		struct slice got;

		(void)snprintf(first, sizeof(first), "%s%s%s", PLAIN TAKE
		    "C RSET\nS 250 ok\n", tries[i].again, "C QUIT\nX\n");
		CHECK_INT(world_run(&w, 3, 0), 0, i);
		got = buf_slice(&w.results);
		CHECK_TEXT(slice_split(&got, '\n'), "250 2.0.0 250 2.0.0 kept",
		    i);
		CHECK_TEXT(got, tries[i].want, i);
		CHECK_INT(w.server[0].connections, tries[i].connections, i);
		world_done(&w);
	}
}

TEST(lmtp_answers_for_each)
{
	struct world w = { .nexthop = "inet:[10.0.0.1]:25",
		.rcpts = { ONE, "b@one.example", "c@one.example" },
		.server[0].scripts = { "S 220 l LMTP\nC LHLO client.example\n"
		"S 250-l\nS 250 PIPELINING\nC MAIL\nC RCPT\nC RCPT\nC RCPT\n"
		"C DATA\nS 250 ok\nS 250 ok\nS 550 no\nS 250 ok\nS 354 go\nD\n"
		"S 250 2.1.5 one\nS 452 4.2.2 full\n" } };

	CHECK_INT(world_run(&w, 3, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.results), "250 2.1.5 250 2.1.5 one\n"
	    "550 5.0.0 host 10.0.0.1[10.0.0.1] said: 550 5.0.0 no (in reply to "
	    "RCPT TO command)\n"
	    "452 4.2.2 host 10.0.0.1[10.0.0.1] said: 452 4.2.2 full (in reply "
	    "to end of DATA command)\n", 0);
	world_done(&w);
}

/* what the servers get */
TEST(content)
{
	static const struct {
		const char	*content;
		const char	*ehlo;
		const char	*more;
		const char	*want;
	} tries[] = {
		{ "A: b\r\n\r\n.one\r\n..\r\ntwo\r\n", "S 250 mx\n", "", "X-Added: 1\nA: b\n\n..one\n...\ntwo\n" },
		/* a message without a last line end gets one */
		{ "A: b\r\n\r\nend", "S 250 mx\n", "", "X-Added: 1\nA: b\n\nend\n" },
		/* no bare CR or LF leaves us, whatever is stored */
		{ "A: b\r\n\r\none\n.\ntwo\rthree\r\n", "S 250 mx\n", "", "X-Added: 1\nA: b\n\none\n..\ntwo three\n" },
		{ "A: b\r\n\r\n0123456789abcdef\r\nx\r\n", "S 250 mx\n", "smtp_line_length_limit = 12\n", "X-Added: 1\nA: b\n\n0123456789ab\n cdef\nx\n" },
		{ "A: b\r\n\r\n0123456789ab\r\n\r\n", "S 250 mx\n", "smtp_line_length_limit = 12\n", "X-Added: 1\nA: b\n\n0123456789ab\n\n" },
		/* 8-bit content */
		{ "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\303\251 = \r\n", "S 250-mx\nS 250 8BITMIME\n", "", "X-Added: 1\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\ncaf\303\251 = \n" },
		{ "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\303\251 = \r\n", "S 250 mx\n", "", "X-Added: 1\nMIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\ncaf=C3=A9 =3D=20\n" },
		{ "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\303\251\r\n", "S 250 mx\n", "disable_mime_output_conversion = yes\n", "X-Added: 1\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\ncaf\303\251\n" },
		{ "A: b\r\n\r\n\303\251\r\n", "S 250 mx\n", "", "X-Added: 1\nMIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: quoted-printable\nA: b\n\n=C3=A9\n" },
		{ "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--x\r\n\r\n\303\251\r\n--x\r\nA: b\r\n\r\nplain=\r\n--x--\r\n", "S 250 mx\n", "",
		    "X-Added: 1\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: 7bit\n\n--x\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9\n--x\nA: b\n\nplain=\n--x--\n" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		for (uint64_t seed = 1; seed < 6; seed++) {
			struct buf script = BUF_INIT;
			struct world w = { .nexthop = "one.example",
				.rcpts = { ONE }, .content = tries[i].content,
				.more = tries[i].more };

			buf_addf(&script, HELLO "%s" TAKE, tries[i].ehlo);
			w.server[0].scripts[0] = buf_cstr(&script);
			CHECK_INT(world_run(&w, seed, 0), 0, i);
			CHECK_TEXT(buf_slice(&w.results),
			    "250 2.0.0 250 2.0.0 kept\n", i);
			CHECK_TEXT(buf_slice(&w.data), tries[i].want, i);
			world_done(&w);
			buf_free(&script);
		}
}

TEST(what_the_server_cannot)
{
	static const struct {
		const char	*ehlo;
		const char	*rcpt;
		const char	*mail;
		const char	*want;
	} tries[] = {
		{ "S 250-mx\nS 250 SIZE 20\n", ONE, NULL, "552 5.3.4 message size 41 exceeds size limit 20 of server one.example[10.0.0.1]\n" },
		{ "S 250-mx\nS 250 SIZE 0\n", ONE, "MAIL FROM:<s@client.example> SIZE=41", "250 " },
		{ "S 250 mx\n", "\303\251@one.example", NULL, "553 5.6.7 SMTPUTF8 is required, but was not offered by host one.example[10.0.0.1]\n" },
		{ "S 250-mx\nS 250 SMTPUTF8\n", "\303\251@one.example", "MAIL FROM:<s@client.example> SMTPUTF8", "250 " },
		{ "S 250-mx\nS 250 SMTPUTF8\n", ONE, "MAIL FROM:<s@client.example>", "250 " },
		{ "S 250 mx\n", "a@\303\251.one.example", "MAIL FROM:<s@client.example>", "250 " },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct buf script = BUF_INIT;
		struct world w = { .nexthop = "one.example", .smtputf8 = true,
			.rcpts = { tries[i].rcpt } };

		buf_addf(&script, HELLO "%s%s", tries[i].ehlo,
		    tries[i].mail == NULL ? "" : TAKE);
		w.server[0].scripts[0] = buf_cstr(&script);
		CHECK_INT(world_run(&w, 3, 0), 0, i);
		if (!CHECK(slice_has_prefix(buf_slice(&w.results),
		    slice_of(tries[i].want)), i))
			printf("# got %.*s", SLICE_ARG(buf_slice(&w.results)));
		if (tries[i].mail != NULL) {
			struct slice seen = buf_slice(&w.seen);

			(void)slice_split(&seen, '\n');	/* EHLO */
			CHECK_TEXT(slice_split(&seen, '\n'), tries[i].mail, i);
		}
		world_done(&w);
		buf_free(&script);
	}
}

TEST(quoted_printable)
{
	static const struct { const char *in, *want; } tries[] = {
		{ "", "" }, { "a b", "a b" }, { "a ", "a=20" },
		{ "a \r\nb\t\r\n", "a=20\r\nb=09\r\n" }, { "\r\n\r\n", "\r\n\r\n" },
		{ "a\rb\nc", "a=0Db=0Ac" }, { "=\303", "=3D=C3" },
		{ "a\r", "a=0D" }, { "a\r\r\n", "a=0D\r\n" },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789012345\r\n",
		    "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5\r\n" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		for (size_t cut = 0; cut <= strlen(tries[i].in); cut++) {
			struct smtp_qp	q = SMTP_QP_INIT;
			struct buf	out = BUF_INIT;
			struct slice	in = slice_of(tries[i].in);

			smtp_qp_add(&q, slice_sub(in, 0, cut), &out);
			smtp_qp_add(&q, slice_from(in, cut), &out);
			smtp_qp_finish(&q, &out);
			CHECK_TEXT(buf_slice(&out), tries[i].want, i);
			buf_free(&out);
		}
}

TEST(cancelled_at_every_wait)
{
	for (uint64_t n = 1; n < 5000; n++) {
		struct world w = { .nexthop = "two.example",
			.rcpts = { ONE, "b@one.example" }, .times = 2,
			.server[0].scripts = { "X\n", "X\n" },
			.server[1].scripts = { PIPED "C MAIL\nC RCPT\nC RCPT\n"
			"C DATA\nS 250 ok\nS 250 ok\nS 250 ok\nS 354 go\nD\n"
			"S 250 kept\nC RSET\nS 250 ok\n" } };
		int r = world_run(&w, 5, n);

		world_done(&w);
		if (r == 0)
			break;
		if (CHECK_INT(r, -ECANCELED, n) != -ECANCELED)
			break;
	}
}

#define TLS_HELLO	HELLO "S 250-mx\nS 250-8BITMIME\nS 250 STARTTLS\nC STARTTLS\n"

/* STARTTLS - what becomes of it at each level */
TEST(starttls)
{
	static const struct {
		const char	*level;
		const char	*scripts[2];
		const char	*want;
	} tries[] = {
		/* what was offered before TLS is forgotten: EHLO again */
		{ "may", { TLS_HELLO "S 220 go\nT\nC EHLO\nS 250 mx\n" TAKE }, "250 2.0.0 " },
		{ "encrypt", { TLS_HELLO "S 220 go\nT\nC EHLO\nS 250 mx\n" TAKE }, "250 2.0.0 " },
		{ "verify", { TLS_HELLO "S 220 go\nT\nC EHLO\nS 250 mx\n" TAKE }, "250 2.0.0 " },
		{ "secure", { TLS_HELLO "S 220 go\nT\nC EHLO\nS 250 mx\n" TAKE }, "250 2.0.0 " },
		{ "secure", { TLS_HELLO "S 220 go\nT\n" }, "450 4.7.5 Cannot start TLS with 10.0.0.1[10.0.0.1]: Server certificate not trusted or not of that name\n" },
		{ "none", { PLAIN TAKE }, "250 2.0.0 " },
		{ "may", { PLAIN TAKE }, "250 2.0.0 " },
		{ "encrypt", { PLAIN }, "450 4.7.4 TLS is required, but was not offered by host mx1.example[10.0.0.1]\n" },
		/* refused: go on in the clear, or not */
		{ "may", { TLS_HELLO "S 454 not now\n" TAKE }, "250 2.0.0 " },
		{ "encrypt", { TLS_HELLO "S 454 not now\n" }, "450 4.7.4 TLS is required, but host mx1.example[10.0.0.1] refused to start TLS\n" },
		/* the handshake fails: a new connection, or none */
		{ "may", { TLS_HELLO "S 220 go\nR garbage~\n", PLAIN TAKE }, "250 2.0.0 " },
		{ "may", { TLS_HELLO "S 220 go\nX\n", PLAIN TAKE }, "250 2.0.0 " },
		{ "may", { TLS_HELLO "X\n", PLAIN TAKE }, "250 2.0.0 " },
		{ "encrypt", { TLS_HELLO "S 220 go\nX\n", PLAIN TAKE }, "450 4.7.5 Cannot start TLS with mx1.example[10.0.0.1]: " },
		/* words before the handshake are not taken for words of TLS */
		{ "encrypt", { TLS_HELLO "R 220 go~250 injected~\nW 10\nT\n" }, "450 4.7.5 Cannot start TLS with mx1.example[10.0.0.1]: " },
	};
	struct tls_params	sp = { .role = TLS_SERVER };
	struct tls_params	cp = { .role = TLS_CLIENT };
	struct tls_context	*server = NULL, *client = NULL;
	struct identity		id;

	identity_init(&id, "P-256", "DNS:mx1.example");
	cp.ca_pem = buf_slice(&id.ca);
	CHECK_INT(tls_context_new(&sp, &server, NULL), 0, 0);
	CHECK_INT(tls_context_new(&cp, &client, NULL), 0, 0);
	CHECK_INT(tls_context_add_identity(server, NULL, buf_slice(&id.chain),
	    buf_slice(&id.key_pem), NULL), 0, 0);
	for (size_t i = 0; i < COUNT(tries); i++) {
		struct buf	more = BUF_INIT;
		struct world	w = { .nexthop = i == 4 ? "[10.0.0.1]" :
		    "[mx1.example]", .rcpts = { ONE }, .server_tls = server,
		    .smtp.tls = client };

		buf_addf(&more, "smtp_tls_security_level = %s\n",
		    tries[i].level);
		w.more = buf_cstr(&more);
		memcpy(w.server[0].scripts, tries[i].scripts,
		    sizeof(tries[i].scripts));
		CHECK_INT(world_run(&w, 3, 0), 0, i);
		if (!CHECK(slice_has_prefix(buf_slice(&w.results),
		    slice_of(tries[i].want)), i))
			printf("# got %.*s", SLICE_ARG(buf_slice(&w.results)));
		world_done(&w);
		buf_free(&more);
	}
	tls_context_free(&server);
	tls_context_free(&client);
	identity_done(&id);
}

TEST(next_hops)
{
	static const struct {
		const char	*text;
		const char	*want;	/* NULL: it is none */
	} tries[] = {
		{ "x.example", "x.example 25 mx loop" },
		{ "x.example:587", "x.example 587 mx" },
		{ "x.example:submission", "x.example 587 mx" },
		{ "[x.example]", "x.example 25 loop" },
		{ "[x.example]:26", "x.example 26" },
		{ "[192.0.2.1]", "192.0.2.1 25 loop" },
		{ "[IPv6:2001:db8::1]:2525", "2001:db8::1 2525" },
		{ "[2001:db8::1]", "2001:db8::1 25 loop" },
		{ "inet:x.example", "x.example 24 lmtp" },
		{ "inet:[x.example]:2003", "x.example 2003 lmtp" },
		{ "unix:/run/lmtp", "/run/lmtp 0 lmtp unix" },
		{ "", NULL }, { "[]", NULL }, { "[", NULL }, { ":25", NULL },
		{ "x:", NULL }, { "x:65536", NULL }, { "[x]25", NULL },
		{ "[x]:", NULL }, { "unix:", NULL }, { "inet:", NULL },
	};
	const struct smtp_params p = { .smtp_tcp_port = S("smtp"),
		.lmtp_tcp_port = S("24") };

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct buf	got = BUF_INIT;
		struct smtp_hop	h;
		int		r;

		r = smtp_hop_parse(slice_of(tries[i].text), false, &p, &h);
		CHECK_INT(r == 0, tries[i].want != NULL, i);
		if (r == 0 && tries[i].want != NULL) {
			buf_addf(&got, "%.*s %u%s%s%s%s", SLICE_ARG(h.host),
			    h.port, h.use_mx ? " mx" : "",
			    h.lmtp ? " lmtp" : "", h.is_unix ? " unix" : "",
			    h.detect_loop ? " loop" : "");
			CHECK_TEXT(buf_slice(&got), tries[i].want, i);
		}
		buf_free(&got);
	}
}
