/* SPDX-License-Identifier: ISC */
#include "libmail/reply.h"
#include "test.h"

/* feed - give the lines to a fresh reply; the last result */
static int
feed(struct reply *r, const char *lines)
{
	struct slice rest = slice_of(lines);
	int result;

	reply_reset(r);
	do
		result = reply_add_line(r, slice_split(&rest, '\n'));
	while (result == 0 && rest.len > 0);
	return result;
}

TEST(reply_add_line)
{
	static const struct { const char *in; int want; const char *status; } cases[] = {
		{ "250 Ok", 1, "250 2.0.0 Ok" },
		{ "250 2.1.5 Ok", 1, "250 2.1.5 Ok" },
		{ "250", 1, "250 2.0.0" },
		{ "250-first\n250-second\n250 third", 1,
		    "250 2.0.0 first second third" },
		{ "550-5.1.1 No such user here,\n550 5.1.1 look again", 1,
		    "550 5.1.1 No such user here, look again" },
		{ "550-5.1.1 The code stands\n550 on one line", 1,
		    "550 5.1.1 The code stands on one line" },
		{ "450 5.1.1 of another class", 1,
		    "450 4.0.0 of another class" },
		{ "250-first\n250-second", 0, NULL },
		{ "250-first\n550 second", -EBADMSG, NULL },
		{ "250+first", -EBADMSG, NULL },
		{ "25", -EBADMSG, NULL },
		{ "", -EBADMSG, NULL },
		{ "2x0 foo", -EBADMSG, NULL },
		{ "150 foo", -EBADMSG, NULL },
		{ "650 foo", -EBADMSG, NULL },
		{ "HTTP/1.1 400 Bad Request", -EBADMSG, NULL },
	};
	struct reply r = REPLY_INIT;
	struct buf b = BUF_INIT;
	struct status s;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (CHECK_INT(feed(&r, cases[i].in), cases[i].want, i) != 1)
			continue;
		CHECK_INT(reply_status(&r, &s), 0, i);
		buf_reset(&b);
		status_format(&b, &s);
		CHECK_TEXT(buf_slice(&b), cases[i].status, i);
	}

	CHECK_INT(feed(&r, "354 Go ahead"), 1, 0);
	CHECK_INT(r.code, 354, 0);
	CHECK_INT(reply_status(&r, &s), -EBADMSG, 0);
	buf_free(&b);
	reply_done(&r);
}

TEST(reply_limits)
{
	struct reply r = REPLY_INIT;
	char line[REPLY_LINE_MAX + 1];
	int result = 0;
	size_t n;

	memset(line, 'x', sizeof(line));
	line[0] = '2';
	line[1] = line[2] = '0';
	line[3] = '-';
	CHECK_INT(reply_add_line(&r, slice_over(line, sizeof(line))), -EMSGSIZE,
	    0);
	for (n = 0; n < 1000 && result == 0; n++)
		result = reply_add_line(&r, slice_over(line, 5));
	CHECK_INT(result, -EMSGSIZE, 1);
	CHECK_INT(n, REPLY_LINES_MAX + 1, 1);
	reply_reset(&r);
	for (n = 0, result = 0; n < 1000 && result == 0; n++)
		result = reply_add_line(&r, slice_over(line, REPLY_LINE_MAX));
	CHECK_INT(result, -EMSGSIZE, 2);
	CHECK(n < 12, 2);
	reply_done(&r);
}

TEST(reply_ehlo)
{
	struct reply r = REPLY_INIT;
	struct reply_ehlo e;

	CHECK_INT(feed(&r, "250-mail.example.org at your service\n"
	    "250-PIPELINING\n250-SIZE 10240000\n250-ETRN\n250-starttls\n"
	    "250-AUTH PLAIN login  SCRAM-SHA-256\n250-AUTH=PLAIN LOGIN\n"
	    "250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-DSN\n250-\n"
	    "250-SMTPUTF8\n250-CHUNKING\n250 PRDR"), 1, 0);
	reply_ehlo_parse(&r, &e);
	CHECK_TEXT(slice_of(e.host), "mail.example.org", 0);
	CHECK_TEXT(slice_of(e.auth), " PLAIN LOGIN SCRAM-SHA-256 ", 0);
	CHECK(e.size == 10240000, 0);
	for (int k = 0; k < REPLY_KEYWORD_COUNT; k++)
		CHECK(reply_ehlo_has(&e, k) == (k != REPLY_KEYWORD_XCLIENT &&
		    k != REPLY_KEYWORD_XFORWARD && k != REPLY_KEYWORD_BINARYMIME &&
		    k != REPLY_KEYWORD_REQUIRETLS), k);
	CHECK(reply_ehlo_has_auth(&e, S("scram-sha-256")), 1);
	CHECK(!reply_ehlo_has_auth(&e, S("SCRAM")), 2);
	reply_ehlo_discard(&e, S("chunking, Dsn silent-discard"));
	CHECK(!reply_ehlo_has(&e, REPLY_KEYWORD_CHUNKING), 3);
	CHECK(!reply_ehlo_has(&e, REPLY_KEYWORD_DSN), 3);
	CHECK(reply_ehlo_has(&e, REPLY_KEYWORD_SIZE), 3);

	/* keywords on the first line, odd sizes, SIZE as a word's part */
	CHECK_INT(feed(&r, "250-STARTTLS\n250-SIZE many\n250 SIZED 5"), 1, 1);
	reply_ehlo_parse(&r, &e);
	CHECK(!reply_ehlo_has(&e, REPLY_KEYWORD_STARTTLS), 4);
	CHECK(reply_ehlo_has(&e, REPLY_KEYWORD_SIZE) && e.size == 0, 4);
	CHECK_TEXT(slice_of(e.auth), "", 4);
	reply_done(&r);
}

TEST(reply_ehlo_many_mechanisms)
{
	struct reply r = REPLY_INIT;
	struct reply_ehlo e;
	struct buf line = BUF_INIT;

	CHECK_INT(reply_add_line(&r, S("250-host")), 0, 0);
	buf_add_text(&line, "250 AUTH");
	for (unsigned i = 0; i < 100; i++)
		buf_addf(&line, " MECH-%u", i);
	CHECK_INT(reply_add_line(&r, buf_slice(&line)), 1, 0);
	reply_ehlo_parse(&r, &e);
	CHECK(strlen(e.auth) <= REPLY_AUTH_MAX, 0);
	CHECK(reply_ehlo_has_auth(&e, S("MECH-29")), 0);
	CHECK(e.auth[strlen(e.auth) - 1] == ' ', 0);
	buf_free(&line);
	reply_done(&r);
}
