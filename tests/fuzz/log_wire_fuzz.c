/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/arena.h"
#include "libutil/json.h"
#include "libutil/log_format.h"
#include "libutil/log_wire.h"
#include "libutil/utf8.h"

/* is_one_line - printable UTF-8 without a line end? */
static bool
is_one_line(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7f)
			return false;
	return utf8_is_valid(s);
}

/* format_all - the three forms of a record, with newlines behind */
static void
format_all(struct buf *out, const struct log_record *r)
{
	void (*const format[])(struct buf *, const struct log_record *) = {
		log_format_classic, log_format_logfmt, log_format_json
	};

	for (size_t i = 0; i < COUNT(format); i++) {
		size_t mark = out->len;

		format[i](out, r);
		FUZZ_CHECK(is_one_line(slice_from(buf_slice(out), mark)));
		buf_add_byte(out, '\n');
	}
}

/* check_json - is the third line what a strict reader takes? */
static void
check_json(struct arena *a, struct slice text)
{
	const struct json	*v;
	struct slice		 level;

	(void)slice_split(&text, '\n');
	(void)slice_split(&text, '\n');
	FUZZ_CHECK(json_parse(a, text, &v, NULL) == 0);
	FUZZ_CHECK(json_get_string(json_get(v, S("level")), &level));
}

FUZZ(log_wire)			/* what decodes is harmless, and goes round */
{
	struct arena		a = ARENA_INIT;
	struct buf		wire = BUF_INIT, again = BUF_INIT;
	struct log_record	r, s;

	if (log_record_decode(&a, input, &r) == 0) {
		format_all(scratch, &r);
		check_json(&a, buf_slice(scratch));
		log_record_encode(&wire, &r);
		FUZZ_CHECK(log_record_decode(&a, buf_slice(&wire), &s) == 0);
		format_all(&again, &s);
		FUZZ_CHECK(slice_equal(buf_slice(scratch), buf_slice(&again)));
	}
	buf_free(&wire);
	buf_free(&again);
	arena_free(&a);
}
