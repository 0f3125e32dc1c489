/* SPDX-License-Identifier: ISC */
#include "session_world.h"

TEST(smtpd_a_message)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },	/* pipelined */
		{ "Subject: x\r\n\r\n..dot\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_SLICE(buf_slice(&run.w.contents), S("Subject: x\r\n\r\n.dot\r\n|"), 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_order_of_commands)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ MAIL, "503" },
		{ START, "250" },
		{ "RCPT TO:<u@here.example>\r\n", "503" },
		{ "DATA\r\n", "503" },
		{ MAIL, "250" },
		{ MAIL, "503" },
		{ "DATA\r\n", "554" },
		{ "RCPT TO:<x@there.example>\r\n", "554" },
		{ "RCPT TO:<>\r\n", "501" },
		{ RCPT, "250" },
		{ "RSET\r\n", "250" },
		{ RCPT, "503" },
		{ "VRFY u\r\n", "252" },
		{ "NOOP x\r\n", "250" },
		{ "HELO c.example\r\n", "250" },
		{ "WHAT\r\n", "500" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_helo_required = yes\n" };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_without_helo)	/* smtpd_helo_required = no */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ MAIL, "250" },
		{ RCPT, "250" },
		{ "DATA\r\n", "354" },
		{ "x\r\n.\r\n", "250" },
		{ "AUTH PLAIN\r\n", "503" },	/* that needs EHLO */
		{ RCPT, "503" },
		{ MAIL, "250" },
		{ "RSET\r\n", "250" },
		{ MAIL, "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_bdat)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "BDAT 6\r\nab\r\n..", "250 250 250" },
		{ "BDAT 4 LAST\r\ncd\r\n", "250" },
		{ MAIL, "250" },
		{ "BDAT 3\r\nRCP", "554" },	/* read, not run */
		{ MAIL RCPT, "250 250" },
		{ "BDAT 0 LAST\r\n", "250" },
		{ MAIL RCPT "BDAT 2\r\nxx", "250 250 250" },
		{ "MAIL FROM:<>\r\n", "503" },
		{ "RSET\r\n", "250" },
		{ "BDAT x\r\n", "503" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_SLICE(buf_slice(&run.w.contents), S("ab\r\n..cd\r\n||xx"), 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_bdat_refused)	/* its octets are never taken for commands */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ "BDAT 6\r\nNOOP\r\n", "503" },
		{ MAIL RCPT "BDAT 60\r\n", "250 250 250" },
		/* together too large; more are in the pipeline */
		{ "BDAT 70\r\n0123456789012345678901234567890123456789"
		  "0123456789012345678901234\r\n...", "552" },
		{ "BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\nRSET\r\n",
		  "503 503 250" },
		{ MAIL RCPT "BDAT 2 LAST\r\nok", "250 250 250" },
		{ "NOOP\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	static const char *const sizes[] = { "101", "67108864", "67108865",
	    "9223372036854775807", "9223372036854775808",
	    "340282366920938463463374607431768211456" };
	static char chunk[60];
	char first[200], said[60];
	struct script begun[COUNT(steps)];
	struct run run = { .overrides = "message_size_limit = 100\n" };

	memset(chunk, 'x', sizeof(chunk));
	memcpy(begun, steps, sizeof(begun));
	snprintf(first, sizeof(first), "%s%.*s", steps[3].say,
	    (int)sizeof(chunk), chunk);
	begun[3].say = first;
	CONVERSE(run, begun);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct script huge[] = {
			{ "", "220" },
			{ START, "250" },
			{ MAIL RCPT, "250 250" },
			{ said, "552" },	/* and not a chunk later */
		};

		snprintf(said, sizeof(said), "BDAT %s\r\n", sizes[i]);
		CONVERSE(run, huge);
		CHECK_INT(run.w.messages, 1, i);
	}
	CHECK_INT(run.w.contents.len, 0, 0);
	run.overrides = "message_size_limit = 0\n";
	for (size_t i = 4; i < COUNT(sizes); i++) {
		struct script huge[] = {
			{ "", "220" },
			{ START, "250" },
			{ MAIL RCPT, "250 250" },
			{ said, "552" },
		};

		snprintf(said, sizeof(said), "BDAT %s\r\n", sizes[i]);
		CONVERSE(run, huge);
	}
	buf_free(&run.w.contents);
}

TEST(smtpd_bdat_without_end)	/* not all of it is waited for */
{
	static char	zeros[1 << 20];
	struct script	steps[70] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT, "250 250" },
		{ "BDAT 999999999999\r\n", "552" },
	};
	struct run	run = { .steps = steps, .count = 4 };

	memset(zeros, '0', sizeof(zeros) - 1);
	for (int i = 0; i < 65; i++)
		steps[run.count++] = (struct script){ zeros, "" };
	steps[run.count - 1].hear = "EOF";
	CHECK_INT(converse(&run, 1, 0), 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_only_crlf_dot_crlf_ends)	/* what tries to smuggle a second one */
{
	static const char *const ends[] = { "\n.\n", "\n.\r\n", "\r\n.\n",
	    "\r.\r", "\r\n.\r", "\r.\r\n", "\n\n.\r\n", "\r\r\n.\n", "\n.\r" };
	char text[300];

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct script steps[] = {
			{ "", "220" },
			{ START, "250" },
			{ MAIL RCPT "DATA\r\n", "250 250 354" },
			{ text, "250" },
			{ "QUIT\r\n", "221 EOF" },
		};
		struct run run = { .steps = steps, .count = COUNT(steps) };

		snprintf(text, sizeof(text), "one%sMAIL FROM:<evil@b.example>"
		    "\r\nRCPT TO:<u@here.example>\r\nDATA\r\ntwo\r\n.\r\n",
		    ends[i]);
		CHECK_INT(converse(&run, i + 1, 0), 0, i);
		CHECK_INT(run.w.messages, 1, i);
		for (size_t k = 0; k < run.w.contents.len; k++)
			if (run.w.contents.data[k] == '\n')
				CHECK(k > 0 && run.w.contents.data[k - 1] ==
				    '\r', i);
		buf_free(&run.w.contents);
	}
}

TEST(smtpd_bare_newline_rejected)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "a\nb\r\n.\r\n", "550" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_forbid_bare_newline = reject\n" };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_limits)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ "MAIL FROM:<a@b.example> SIZE=101\r\n", "552" },
		{ MAIL, "250" },
		{ RCPT "RCPT TO:<v@here.example>\r\n", "250 452" },
		{ "DATA\r\n", "354" },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "8901234567890123456789012345678901234567890123456789\r\n.\r\n",
		  "552" },
		{ "NOOP\r\n", "250" },
		{ "WHAT\r\n", "500" },
		{ "WHAT\r\n", "500" },
		{ "WHAT\r\n", "500 421 EOF" },
	};
	struct run run = { .overrides = "message_size_limit = 100\n"
	    "smtpd_recipient_limit = 1\nsmtpd_recipient_overshoot_limit = 0\nsmtpd_hard_error_limit = 6\n" };

	CONVERSE(run, steps);
	buf_free(&run.w.contents);
}

TEST(smtpd_too_many_recipients)	/* the surplus is no error: the rest goes */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT RCPT RCPT RCPT "DATA\r\n", "250 250 452 452 452 354" },
		{ "x\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_recipient_limit = 1\n"
	    "smtpd_hard_error_limit = 2\n" };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_recipient_overshoot)	/* only so many are no errors */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT RCPT, "250 250 250" },
		{ RCPT RCPT RCPT, "452 452 452" },
		{ "RCPT TO:<\r\n" RCPT RCPT, "452 452 421 EOF" },
	};
	static const struct script again[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT RCPT RCPT RCPT RCPT "RSET\r\n",
		  "250 250 250 452 452 452 250" },
		/* each message has its own */
		{ MAIL RCPT RCPT RCPT RCPT RCPT "DATA\r\n",
		  "250 250 250 452 452 452 354" },
		{ "x\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_recipient_limit = 2\n"
	    "smtpd_recipient_overshoot_limit = 3\n"
	    "smtpd_hard_error_limit = 2\n" };

	CONVERSE(run, steps);
	CONVERSE(run, again);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_each_recipient)	/* draft-hall-prdr */
{
	static const struct script steps[] = {
		{ START, "220 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\n" RCPT
		  "RCPT TO:<no@here.example>\r\n"
		  "RCPT TO:<two@here.example>\r\n" RCPT
		  "RCPT TO:<x@else.example>\r\nDATA\r\n",
		  "250 250 250 250 250 554 354" },
		/* the second naming of one hears the same */
		{ "x\r\n.\r\n", "353 250 550 250 250 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\n"
		  "RCPT TO:<no@here.example>\r\nDATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "353 550 550" },
		{ "MAIL FROM:<a@b.example>\r\n" RCPT "DATA\r\n",
		  "250 250 354" },
		{ "x\r\n.\r\nQUIT\r\n", "250 221" },
	};
	static const struct script queued[] = {
		{ START, "220 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\nQUIT\r\n", "501 221" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_INT((int64_t)run.w.messages, 3, 0);
	buf_free(&run.w.contents);
	run = (struct run){ .overrides = "delivery_mode = queue\n" };
	CONVERSE(run, queued);
	buf_free(&run.w.contents);
}

TEST(smtpd_client_gone)	/* who will not hear the answer gives it again */
{
	static const struct script data[] = {
		{ START, "220 250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "" },
	};
	static const struct script bdat[] = {
		{ START, "220 250" },
		{ MAIL RCPT, "250 250" },
		{ "BDAT 3 LAST\r\nx\r\n", "" },
	};
	/* it has said all it has to say, but did not go */
	static const struct script more[] = {
		{ START, "220 250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\nQUIT\r\n", "" },
	};
	static const struct { const struct script *steps; int64_t messages; }
	    tries[] = { { data, 0 }, { bdat, 0 }, { more, 1 } };

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct run run = { .steps = tries[i].steps, .count = 3,
				 .lingers = true };

		CHECK_INT(converse(&run, 7, 0), 0, i);
		CHECK_INT((int64_t)run.w.messages, tries[i].messages, i);
		buf_free(&run.w.contents);
	}
}

TEST(smtpd_split_recipients)	/* one decides for all of a transaction */
{
	static const struct script steps[] = {
		{ START, "220 250" },
		{ MAIL RCPT "RCPT TO:<v@here.example>\r\n" RCPT
		  "RCPT TO:<two@here.example>\r\nRSET\r\n",
		  "250 250 452 250 452 250" },
		/* what stands for several is alone */
		{ MAIL "RCPT TO:<two@here.example>\r\n"
		  "RCPT TO:<yes@here.example>\r\nRSET\r\n",
		  "250 250 452 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\n" RCPT
		  "RCPT TO:<v@here.example>\r\nQUIT\r\n",
		  "250 250 250 221" },
	};
	struct run run = { .overrides = "through_split_recipients = yes\n" };

	CONVERSE(run, steps);
}

TEST(smtpd_silence_and_early_talkers)
{
	static const struct script silent[] = {
		{ "", "220" },
		{ "NOOP\r\n", "250" },
		{ "", "421 EOF" },		/* five virtual minutes later */
	};
	static const struct script early[] = {
		{ "", "220" },
		{ "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n", "503 EOF" },
	};
	static const struct script browser[] = {
		{ "", "220" },
		{ "GET / HTTP/1.1\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, silent);
	CONVERSE(run, early);
	CONVERSE(run, browser);
	buf_free(&run.w.contents);
}

TEST(smtpd_cleanup_dies)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "451" },
		{ MAIL, "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .w.cleanup_dies = true };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_cancelled_at_every_wait)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};

	for (uint64_t n = 1; n < 200; n++) {
		struct run run = { .steps = steps, .count = COUNT(steps) };
		int r = converse(&run, 3, n);

		buf_free(&run.w.contents);
		if (run.w.messages == 1 && r == 0)
			break;
	}
}
