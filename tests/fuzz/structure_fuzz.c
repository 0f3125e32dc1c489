/* SPDX-License-Identifier: ISC */
/*
 * Two inputs in one, by the first byte. A message: its record reads back and
 * renders to a list that closes all it opens, each part can be found by its
 * number, and its sections lie in the content. Or a foreign record: reading
 * it is refused, or rendering it is as sound.
 */
#include "libmail/structure.h"

#include "libmail/preview.h"
#include "libmail/scan.h"
#include "libmail/sortkey.h"
#include "libutil/utf8.h"

#include "test.h"

/* skip_string - pass a quoted string or a literal */
static void
skip_string(struct cursor *c)
{
	uint32_t	n;

	if (cursor_skip_byte(c, '"')) {
		for (;;) {
			int	byte = cursor_byte(c);

			FUZZ_CHECK(byte > 0 && byte < 0x80 && byte != '\r' &&
			    byte != '\n');
			if (byte == '"')
				return;
			if (byte == '\\')
				FUZZ_CHECK(cursor_byte(c) > 0);
		}
	}
	FUZZ_CHECK(cursor_skip_byte(c, '{'));
	FUZZ_CHECK(cursor_u32(c, 1 << 30, &n) == 0);
	FUZZ_CHECK(cursor_skip(c, S("}\r\n")));
	FUZZ_CHECK(cursor_take(c, n).len == n);
}

/* check_list - is it one parenthesized list of strings, numbers and lists? */
static void
check_list(struct slice s)
{
	struct cursor	c = cursor_over(s);
	size_t		depth = 0;
	uint64_t	n;

	do {
		int	byte = cursor_peek(&c);

		if (byte == '(') {
			depth++;
			(void)cursor_byte(&c);
			FUZZ_CHECK(cursor_peek(&c) != ')');
		} else if (byte == ')') {
			depth--;
			(void)cursor_byte(&c);
		} else if (byte == ' ') {
			(void)cursor_byte(&c);
			byte = cursor_peek(&c);
			FUZZ_CHECK(byte != ' ' && byte != ')');
		} else if (byte >= '0' && byte <= '9') {
			FUZZ_CHECK(cursor_u64(&c, UINT64_MAX, &n) == 0);
		} else if (byte == 'N') {
			FUZZ_CHECK(cursor_skip(&c, S("NIL")));
		} else {
			skip_string(&c);
		}
	} while (depth > 0);
	FUZZ_CHECK(cursor_at_end(&c));
}

/* parse_numbers - "1.2.3" as numbers */
static size_t
parse_numbers(struct slice text, uint32_t *numbers, size_t max)
{
	struct slice	word;
	size_t		n = 0;

	while (n < max && slice_next_word(&text, ".", &word))
		FUZZ_CHECK(slice_to_u32(word, UINT32_MAX, &numbers[n++]) == 0);
	return n;
}

static void
check_part(const struct structure *s, uint32_t i, struct buf *scratch)
{
	const struct facts_part	*p = &s->facts.parts[i];
	struct structure_range	range;
	uint32_t		numbers[200], found;
	size_t			count;

	buf_reset(scratch);
	structure_number(scratch, s, i);
	count = parse_numbers(buf_slice(scratch), numbers, COUNT(numbers));
	if (count == COUNT(numbers))
		return;
	FUZZ_CHECK(structure_find(s, numbers, count, &found) == 0);
	/* a multipart that is a whole message has no number of its own */
	if (found != i)
		FUZZ_CHECK(p->kind == PART_MULTIPART && found == p->parent &&
		    s->facts.parts[found].kind == PART_MESSAGE);
	for (int text = STRUCTURE_ALL; text <= STRUCTURE_MIME; text++)
		if (structure_section(s, numbers, count,
		    (enum structure_text)text, &range) == 0)
			FUZZ_CHECK(range.offset + range.length <=
			    s->facts.length);
}

static void
check_structure(const struct structure *s, struct buf *scratch)
{
	for (uint32_t i = 0; i < s->facts.part_count && i < 300; i++)
		check_part(s, i, scratch);
	buf_reset(scratch);
	structure_render_body(scratch, s);
	check_list(buf_slice(scratch));
	buf_reset(scratch);
	structure_render_bodystructure(scratch, s);
	check_list(buf_slice(scratch));
}

static void
check_envelope(struct slice header, struct arena *a, struct buf *scratch)
{
	struct envelope	e, again;
	struct buf	record = BUF_INIT;
	struct buf	second = BUF_INIT;

	envelope_from_header(header, a, &e);
	envelope_format(&record, &e);
	FUZZ_CHECK(envelope_parse(buf_slice(&record), a, &again) == 0);
	envelope_format(&second, &again);
	FUZZ_CHECK(slice_equal(buf_slice(&record), buf_slice(&second)));
	buf_reset(scratch);
	envelope_render(scratch, &again);
	check_list(buf_slice(scratch));
	buf_reset(scratch);
	(void)sortkey_subject(scratch, e.subject);
	sortkey_display(scratch, &e.list[ENVELOPE_FROM]);
	buf_free(&record);
	buf_free(&second);
}

FUZZ(structure)
{
	struct arena		a = ARENA_INIT;
	struct buf		record = BUF_INIT;
	struct structure	s;
	struct slice		in = slice_from(input, 1);

	if (input.len == 0)
		return;
	if (input.data[0] & 1) {
		if (structure_parse(in, 0, &a, &s) == 0 ||
		    structure_parse(in, 1000, &a, &s) == 0)
			check_structure(&s, scratch);
	} else {
		struct scan		*scan = scan_new(NULL);
		const struct facts	*f;

		scan_feed(scan, in);
		f = scan_finish(scan);
		structure_build(&record, in, f);
		FUZZ_CHECK(structure_parse(buf_slice(&record), in.len, &a,
		    &s) == 0);
		check_structure(&s, scratch);
		check_envelope(slice_sub(in, 0, f->parts[0].body), &a,
		    scratch);
		buf_reset(scratch);
		preview_make(scratch, in, f);
		FUZZ_CHECK(scratch->len <= PREVIEW_MAX &&
		    utf8_is_valid(buf_slice(scratch)));
		scan_free(&scan);
	}
	buf_free(&record);
	arena_free(&a);
}
