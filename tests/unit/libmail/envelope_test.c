/* SPDX-License-Identifier: ISC */
#include "libmail/envelope.h"

#include "test.h"

TEST(envelope_render)
{
	static const struct { const char *header, *want; } rows[] = {
		{ "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
		/* RFC 3501 8 */
		{ "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
		  "From: Terry Gray <gray@cac.washington.edu>\r\n"
		  "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
		  "To: imap@cac.washington.edu\r\n"
		  "cc: minutes@CNRI.Reston.VA.US, "
		  "John Klensin <KLENSIN@MIT.EDU>\r\n"
		  "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n",
		  "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
		  "\"IMAP4rev1 WG mtg summary and minutes\" "
		  "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
		  "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
		  "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
		  "((NIL NIL \"imap\" \"cac.washington.edu\")) "
		  "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
		  "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) "
		  "NIL NIL \"<B27397-0100000@cac.washington.edu>\")" },
		/* empty texts are there, empty lists are not */
		{ "Subject:\r\nTo: \r\nReply-To:\r\nFrom: a@b\r\n"
		  "In-Reply-To: \r\n\r\n",
		  "(NIL \"\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
		  "((NIL NIL \"a\" \"b\")) NIL NIL NIL \"\" NIL)" },
		{ "Sender: s@t\r\nReply-To: r@u, v@w\r\nFrom: a@b\r\n\r\n",
		  "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"s\" \"t\")) "
		  "((NIL NIL \"r\" \"u\")(NIL NIL \"v\" \"w\")) "
		  "NIL NIL NIL NIL NIL)" },
		/* groups */
		{ "To: A Group: x@y, \"Z\\\"\" <z@y>;, b@c\r\n\r\n",
		  "(NIL NIL NIL NIL NIL ((NIL NIL \"A Group\" NIL)"
		  "(NIL NIL \"x\" \"y\")(\"Z\\\"\" NIL \"z\" \"y\")"
		  "(NIL NIL NIL NIL)(NIL NIL \"b\" \"c\")) NIL NIL NIL NIL)" },
		{ "To: undisclosed-recipients:;\r\n\r\n",
		  "(NIL NIL NIL NIL NIL ((NIL NIL \"undisclosed-recipients\" "
		  "NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)" },
		/* a route (obsolete), a comment for a name, folding */
		{ "From: <@r1,@r2:a@b>\r\nTo: c@d\r\n (the\r\n name)\r\n\r\n",
		  "(NIL NIL ((NIL \"@r1,@r2\" \"a\" \"b\")) "
		  "((NIL \"@r1,@r2\" \"a\" \"b\")) "
		  "((NIL \"@r1,@r2\" \"a\" \"b\")) "
		  "((\"the name\" NIL \"c\" \"d\")) NIL NIL NIL NIL)" },
		/* two fields of a kind; encoded words stay; 8-bit: literal */
		{ "To: a@b\r\nSubject: =?utf-8?Q?=C3=A4?=\r\nTo: c@d\r\n"
		  "Subject: two\r\nMessage-ID: \xc3\xa4\r\n\r\n",
		  "(NIL \"=?utf-8?Q?=C3=A4?=\" NIL NIL NIL "
		  "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL "
		  "{2}\r\n\xc3\xa4)" },
		{ "Subject: a \"quoted\"\r\n\tback\\slash\r\n\r\n",
		  "(NIL \"a \\\"quoted\\\"\tback\\\\slash\" NIL NIL NIL NIL "
		  "NIL NIL NIL NIL)" },
		/* no host; no address at all */
		{ "From: root\r\nTo: Joe Nobody\r\n\r\n",
		  "(NIL NIL ((NIL NIL \"root\" \"\")) ((NIL NIL \"root\" \"\")) "
		  "((NIL NIL \"root\" \"\")) ((\"Joe Nobody\" NIL \"\" \"\")) "
		  "NIL NIL NIL NIL)" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena	a = ARENA_INIT;
		struct buf	record = BUF_INIT, out = BUF_INIT;
		struct envelope	e, again;

		envelope_from_header(slice_of(rows[i].header), &a, &e);
		envelope_render(&out, &e);
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		envelope_format(&record, &e);
		if (CHECK_INT(envelope_parse(buf_slice(&record), &a, &again),
		    0, i) == 0) {
			buf_reset(&out);
			envelope_render(&out, &again);
			CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		}
		/* cut anywhere, it is refused */
		for (size_t n = 0; n < record.len; n++)
			CHECK_INT(envelope_parse(slice_sub(buf_slice(&record),
			    0, n), &a, &again), -EBADMSG, i);
		buf_free(&record);
		buf_free(&out);
		arena_free(&a);
	}
}

/* a list of a hundred thousand is cut, with its group closed */
TEST(envelope_many)
{
	struct arena	a = ARENA_INIT;
	struct buf	in = BUF_INIT;
	struct envelope	e;
	const struct envelope_addrs *l;

	buf_add_text(&in, "To: many: ");
	for (size_t i = 0; i < 100000; i++)
		buf_add_text(&in, "a@b,\r\n ");
	buf_add_text(&in, ";\r\n\r\n");
	envelope_from_header(buf_slice(&in), &a, &e);
	l = &e.list[ENVELOPE_TO];
	CHECK_INT((long long)l->count, ENVELOPE_ADDRS_MAX, 0);
	CHECK(l->addr[l->count - 1].mailbox.data == NULL, 0);
	CHECK(l->addr[l->count - 2].host.data != NULL, 0);
	buf_free(&in);
	arena_free(&a);
}
