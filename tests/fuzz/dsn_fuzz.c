/* SPDX-License-Identifier: ISC */
/* Reports and Received: fields: whatever was said by others, the lines end in
 * CRLF, none is too long, and the boundary stands only where it shall. */
#include "libmail/dsn.h"
#include "libmail/received.h"
#include "libutil/arena.h"
#include "libutil/diag.h"
#include "test.h"

static bool
lookup(void *arg, struct slice name, struct slice *ret_value)
{
	(void)name;
	*ret_value = *(struct slice *)arg;
	return (*ret_value).len > 0;
}

/* check_lines - is it lines of fit length that end in CRLF? */
static void
check_lines(struct slice text)
{
	while (text.len > 0) {
		struct slice	line = slice_split(&text, '\n');

		FUZZ_CHECK(line.len <= 999);
		FUZZ_CHECK(line.len > 0 && line.data[line.len - 1] == '\r');
		FUZZ_CHECK(slice_find(line, '\r') == line.len - 1);
	}
}

/* count_of - how often the needle is in the text */
static size_t
count_of(struct slice text, struct slice needle)
{
	size_t	count = 0, at;

	while ((at = slice_find_slice(text, needle)) != SLICE_NONE) {
		count++;
		text = slice_from(text, at + needle.len);
	}
	return count;
}

static void
check_report(struct slice *part, bool smtputf8, struct arena *a,
    struct buf *scratch)
{
	struct status		s = status_of(550, (struct status_code){ 5, 1,
				    1 }, part[0]);
	struct dsn_recipient	rcpt = { .status = &s, .orcpt_type = S("rfc822"),
				    .orcpt = part[1], .remote_mta = part[2],
				    .diagnostic = part[0] };
	struct dsn_report	r = { .host = S("mx.example.org"),
				    .id = S("id"), .queue_id = S("q"),
				    .recipients = &rcpt, .recipient_count = 1,
				    .smtputf8 = smtputf8, .threaded = true,
				    .message_id = part[2],
				    .references = part[1], .content = part,
				    .content_count = 3, .envid = part[1] };
	struct buf		tail = BUF_INIT;
	enum dsn_returns	returns;
	struct slice		boundary;

	buf_reset(scratch);
	FUZZ_CHECK(dsn_format(&r, a, scratch, &tail, &returns) == 0);
	check_lines(buf_slice(scratch));
	boundary = slice_trim(buf_slice(&tail));
	boundary = slice_sub(boundary, 2, boundary.len - 4);
	FUZZ_CHECK(count_of(buf_slice(scratch), boundary) == 4);
	for (size_t i = 0; i < 3; i++)
		FUZZ_CHECK(count_of(part[i], boundary) == 0);
	buf_free(&tail);
}

static void
check_received(struct slice *part, unsigned protocol, struct buf *scratch)
{
	struct received	r = { .helo = slice_sub(part[0], 0, 255),
			    .client_name = slice_sub(part[1], 0, 255),
			    .client_address = slice_sub(part[2], 0, 64),
			    .login = slice_sub(part[2], 0, 255),
			    .recipient = slice_sub(part[1], 0, 512),
			    .host = S("mx.example.org"), .software = S("Barid"),
			    .protocol = protocol, .queue_id = S("q") };
	struct slice	text;

	buf_reset(scratch);
	received_format(scratch, &r);
	text = buf_slice(scratch);
	check_lines(text);
	FUZZ_CHECK(slice_has_prefix(text, S("Received:")));
	while (text.len > 0)
		if (slice_split(&text, '\n').len > 0 && text.len > 0)
			FUZZ_CHECK(text.data[0] == '\t');
}

FUZZ(dsn)
{
	struct arena		a = ARENA_INIT;
	struct slice		rest = input, part[3], value;
	struct dsn_templates	t;
	struct diag		d = DIAG_INIT;

	for (size_t i = 0; i < 3; i++)
		part[i] = slice_split(&rest, '|');
	check_report(part, input.len % 2 == 0, &a, scratch);
	check_received(part, (unsigned)(input.len % 32), scratch);

	if (dsn_template_parse(input, &t, &d) < 0)
		FUZZ_CHECK(d.text[0] != '\0');
	value = part[0];
	buf_reset(scratch);
	dsn_template_expand(scratch, slice_sub(input, 0, 4096), lookup, &value);
	arena_free(&a);
}
