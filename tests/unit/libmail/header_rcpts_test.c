/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libmail/header_rcpts.h"
#include "libutil/arena.h"
#include "libutil/buf.h"

TEST(header_rcpts)
{
	static const struct { const char *header, *want; } cases[] = {
		{ "", "" },
		{ "Subject: x\n\nTo: a@x.example\n", "" },	/* body */
		{ "To: a@x.example\n", "a@x.example " },
		{ "To: a@x.example\r\nCc: b@x.example\r\nBcc: c\r\n\r\n",
		    "a@x.example b@x.example c " },
		{ "To: A <a@x.example>,\n\tg: b@x.example, c@x.example;,\n d\n",
		    "a@x.example b@x.example c@x.example d " },
		{ "To: undisclosed-recipients:;\n", "" },
		{ "To: <>\n", "" },
		{ "To:\nCc: \n", "" },
		{ "To: a b@x.example c\nCc: d@\n",
		    "b@x.example !d@ " },
		{ "To: \"o'q d\"@x.example\n", "\"o'q d\"@x.example " },
		{ "TO: a@x.example\nto: b@x.example\n",
		    "a@x.example b@x.example " },
		/* of a message that is sent on (RFC 5322 3.6.6) */
		{ "To: a@x.example\nResent-To: b@x.example\n", "b@x.example " },
		{ "Resent-Bcc: b@x.example\nBcc: a@x.example\n",
		    "b@x.example " },
		{ "Resent-From: b@x.example\nTo: a@x.example\n",
		    "a@x.example " },
		{ "Reply-To: b@x.example\nFrom: a@x.example\n", "" },
	};
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf		got = BUF_INIT;
		struct header_rcpts	h;
		struct slice		address;
		bool			valid;

		header_rcpts_init(&h, slice_of(cases[i].header));
		while (header_rcpts_next(&h, &a, &address, &valid))
			buf_addf(&got, "%s%.*s ", valid ? "" : "!",
			    SLICE_ARG(address));
		CHECK_SLICE(buf_slice(&got), slice_of(cases[i].want), i);
		buf_free(&got);
	}
	arena_free(&a);
}
