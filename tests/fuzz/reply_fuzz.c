/* SPDX-License-Identifier: ISC */
/* Replies: what a server says within the limits becomes a status that formats
 * and parses back equal, and a list of what it offers. */
#include "libmail/reply.h"
#include "libutil/utf8.h"
#include "test.h"

static void
check_status(const struct reply *r, struct buf *scratch)
{
	struct status	s, again;

	if (reply_status(r, &s) < 0)
		return;
	FUZZ_CHECK(s.code == r->code);
	FUZZ_CHECK(s.enhanced.class == s.code / 100);
	FUZZ_CHECK(utf8_is_valid(status_text(&s)));
	buf_reset(scratch);
	status_format(scratch, &s);
	FUZZ_CHECK(scratch->len <= STATUS_FORMAT_MAX);
	FUZZ_CHECK(status_parse(buf_slice(scratch), &again) == 0);
	FUZZ_CHECK(again.code == s.code);
}

static void
check_ehlo(const struct reply *r)
{
	struct reply_ehlo	e;

	reply_ehlo_parse(r, &e);
	FUZZ_CHECK(strlen(e.host) <= REPLY_HOST_MAX);
	FUZZ_CHECK(strlen(e.auth) <= REPLY_AUTH_MAX);
	FUZZ_CHECK(e.keywords >> REPLY_KEYWORD_COUNT == 0);
	FUZZ_CHECK(!reply_ehlo_has_auth(&e, S("")));
}

FUZZ(reply)
{
	struct reply	r = REPLY_INIT;
	struct slice	line;
	int		result = 0;

	while (input.len > 0 && result >= 0) {
		line = slice_split(&input, '\n');
		result = reply_add_line(&r, line);
		FUZZ_CHECK(r.text.len <= REPLY_TEXT_MAX);
		FUZZ_CHECK(r.line_count <= REPLY_LINES_MAX);
		if (result == 1) {
			check_status(&r, scratch);
			check_ehlo(&r);
		}
	}
	reply_done(&r);
}
