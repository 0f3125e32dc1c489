/* SPDX-License-Identifier: ISC */
/* lmtpd's clients: the same session, with an answer for each recipient. */
#include "session_world.h"

#define LMTP	"smtpd_protocol = lmtp\nsmtpd_peername_lookup = no\n"

TEST(lmtp_session)		/* an answer for each recipient (RFC 2033 4.2) */
{
	static const struct script steps[] = {
		{ START, "220 500" },
		{ "HELO x\r\n", "500" },
		{ "MAIL FROM:<a@b.example>\r\n", "503" },
		{ "LHLO c.example\r\n", "250" },
		{ MAIL "DATA\r\n", "250 503" },
		{ "RSET\r\n" MAIL RCPT "RCPT TO:<no@here.example>\r\n"
		  "RCPT TO:<two@here.example>\r\n" RCPT
		  "RCPT TO:<x@else.example>\r\nDATA\r\n",
		  "250 250 250 250 250 250 554 354" },
		{ "x\r\n.\r\n", "250 550 550 250" },
		{ MAIL RCPT "RCPT TO:<no@here.example>\r\n"
		  "BDAT 3\r\nx\r\nBDAT 3 LAST\r\ny\r\n",
		  "250 250 250 250 250 550" },
		{ MAIL RCPT RCPT "BDAT 99999999 LAST\r\n",
		  "250 250 250 552 552" },
	};
	static const struct script dsn[] = {
		{ "LHLO c.example\r\n", "220 250" },
		{ "MAIL FROM:<a@b.example> RET=FULL\r\n", "501" },
		{ MAIL "RCPT TO:<u@here.example> NOTIFY=SUCCESS\r\n",
		  "250 501" },
		{ "AUTH PLAIN\r\n", "500" },
	};
	struct run run = { .overrides = LMTP };

	CONVERSE(run, steps);
	CHECK_INT((int64_t)run.w.messages, 2, 0);
	CHECK_SLICE(buf_slice(&run.w.contents), S("x\r\n|x\r\ny\r\n|"), 0);
	buf_free(&run.w.contents);
	run = (struct run){ .overrides = LMTP };
	CONVERSE(run, dsn);
	buf_free(&run.w.contents);
}

TEST(lmtp_clients)		/* this host and mynetworks */
{
	static const struct script not[] = { { "", "554 EOF" } };
	static const struct script may[] = {
		{ "LHLO c.example\r\n", "220 250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = LMTP, .peer = 0xc0000201 };

	CONVERSE(run, not);
	buf_free(&run.w.contents);
	run = (struct run){ .overrides = LMTP, .peer = 0xc0000209 };
	CONVERSE(run, may);
	buf_free(&run.w.contents);
}

TEST(lmtp_cleanup_dies)		/* each hears that it is to try again */
{
	static const struct script steps[] = {
		{ "LHLO c.example\r\n", "220 250" },
		{ MAIL RCPT "RCPT TO:<v@here.example>\r\nDATA\r\n",
		  "250 250 250 354" },
		{ "x\r\n.\r\nQUIT\r\n", "451 451 221" },
	};
	struct run run = { .overrides = LMTP, .w.cleanup_dies = true };

	CONVERSE(run, steps);
	buf_free(&run.w.contents);
}
