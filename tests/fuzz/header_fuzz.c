/* SPDX-License-Identifier: ISC */
/*
 * A header is the sum of its fields: those that are selected and those that
 * are not make the whole, and no reader of a value goes wrong on any.
 */
#include "libmail/header.h"

#include "libmail/mime.h"
#include "libmail/rfc2047.h"
#include "libutil/utf8.h"

#include "test.h"

static void
check_value(struct slice value, struct buf *scratch)
{
	struct arena		a = ARENA_INIT;
	struct mime_value	v;
	struct slice		ids[10], line;

	line = header_unfold_in(&a, value);
	buf_reset(scratch);
	header_unfold(scratch, value);
	FUZZ_CHECK(slice_equal(buf_slice(scratch), line));
	FUZZ_CHECK(slice_find(line, '\n') == SLICE_NONE);
	FUZZ_CHECK(header_message_ids(value, &a, COUNT(ids), ids) <=
	    COUNT(ids));
	mime_parse(value, &a, &v);
	FUZZ_CHECK(v.param_count <= MIME_PARAMS_MAX);
	for (size_t i = 0; i < v.param_count; i++) {
		FUZZ_CHECK(v.params[i].name.len > 0);
		buf_reset(scratch);
		mime_param_decode(scratch, &v.params[i]);
		FUZZ_CHECK(utf8_is_valid(buf_slice(scratch)));
	}
	buf_reset(scratch);
	rfc2047_decode(scratch, value);
	FUZZ_CHECK(utf8_is_valid(buf_slice(scratch)));
	arena_free(&a);
}

FUZZ(header)
{
	struct slice		header = slice_sub(input, 0,
	    header_length(input));
	struct slice		names[2] = { S_INIT("To"), S_INIT("Subject") };
	struct cursor		c = cursor_over(header), at = c;
	struct header_field	f;
	struct buf		in = BUF_INIT, out = BUF_INIT;
	size_t			total = 0;

	for (; header_next(&c, &f); at = c) {
		total += f.raw.len;
		check_value(f.value, scratch);
	}
	FUZZ_CHECK(cursor_at_end(&c));
	header_select(&in, header, names, COUNT(names));
	header_select_not(&out, header, names, COUNT(names));
	/* the empty line is in both */
	FUZZ_CHECK(in.len + out.len == total + 2 * cursor_left(&at));
	check_value(input, scratch);
	buf_free(&in);
	buf_free(&out);
}
