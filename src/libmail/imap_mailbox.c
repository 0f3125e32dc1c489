/* SPDX-License-Identifier: ISC */
/*
 * Modified UTF-7 is UTF-16 in base64 without padding and with "," for "/",
 * between "&" and "-". Its one correct form (RFC 3501 5.1.3): printable ASCII
 * stands for itself, "&" is "&-", no two encoded runs touch, the bits left
 * over are zero, surrogates come in pairs. Anything else is refused.
 */
#include "libmail/imap_mailbox.h"

#include "libutil/utf8.h"

/* base64_value - of a character of the modified alphabet, or -1 */
static int
base64_value(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == ',' ? 63 : -1;
}

/* is_direct - printable ASCII, which stands for itself */
static bool
is_direct(uint32_t u)
{
	return u >= 0x20 && u <= 0x7e;
}

/* shift_take16 - the next 16 bits of an encoded run; -1 at its end, -EBADMSG
 * if it does not end well. bits holds have bits left over from before. */
static int32_t
shift_take16(struct cursor *c, uint32_t *bits, unsigned *have)
{
	while (*have < 16) {
		int	v = base64_value(cursor_peek(c));

		if (v < 0) {
			if (*have >= 6 || (*bits & ((1U << *have) - 1)) != 0 ||
			    !cursor_skip_byte(c, '-'))
				return -EBADMSG;
			return -1;
		}
		(void)cursor_byte(c);
		*bits = *bits << 6 | (uint32_t)v;
		*have += 6;
	}
	*have -= 16;
	return (int32_t)(*bits >> *have & 0xffff);
}

/* shift_decode - an encoded run behind its "&" */
static int
shift_decode(struct cursor *c, struct buf *out)
{
	uint32_t	bits = 0, u;
	unsigned	have = 0;
	int32_t		low, high;
	bool		some = false;

	while ((high = shift_take16(c, &bits, &have)) >= 0) {
		u = (uint32_t)high;
		if (u >= 0xd800 && u < 0xdc00) {
			low = shift_take16(c, &bits, &have);
			if (low < 0xdc00 || low > 0xdfff)
				return -EBADMSG;
			u = 0x10000 + ((u - 0xd800) << 10) +
			    ((uint32_t)low - 0xdc00);
		} else if ((u >= 0xdc00 && u < 0xe000) || is_direct(u)) {
			return -EBADMSG;
		}
		utf8_encode(out, u);
		some = true;
	}
	/* a second run that touches this one should have been part of it */
	if (high != -1 || !some ||
	    (cursor_peek(c) == '&' && cursor_peek_at(c, 1) != '-'))
		return -EBADMSG;
	return 0;
}

/* decode - a whole name */
static int
decode(struct slice in, struct buf *out)
{
	struct cursor	c = cursor_over(in);
	int		b, r;

	while ((b = cursor_byte(&c)) >= 0) {
		if (!is_direct((uint32_t)b))
			return -EBADMSG;
		if (b != '&' || cursor_skip_byte(&c, '-'))
			buf_add_byte(out, (char)b);
		else if ((r = shift_decode(&c, out)) < 0)
			return r;
	}
	return buf_check(out);
}

/* imap_utf7_decode - a name from the wire */
int
imap_utf7_decode(struct arena *a, struct slice in, struct slice *ret_utf8)
{
	struct buf	out = BUF_INIT;
	int		r = decode(in, &out);

	if (r == 0)
		*ret_utf8 = arena_dup(a, buf_slice(&out));
	buf_free(&out);
	return r;
}

/* shift - an encoded run that is being written */
struct shift {
	uint32_t	bits;
	unsigned	have;
	bool		open;
};

/* shift_flush - print what makes whole base64 characters */
static void
shift_flush(struct buf *out, struct shift *s)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+,";

	while (s->have >= 6) {
		s->have -= 6;
		buf_add_byte(out, alphabet[s->bits >> s->have & 0x3f]);
	}
}

/* shift_add - 16 more bits */
static void
shift_add(struct buf *out, struct shift *s, uint32_t unit)
{
	if (!s->open)
		buf_add_byte(out, '&');
	s->open = true;
	s->bits = s->bits << 16 | unit;
	s->have += 16;
	shift_flush(out, s);
}

/* shift_close - end the run, if one is open */
static void
shift_close(struct buf *out, struct shift *s)
{
	if (!s->open)
		return;
	if (s->have > 0) {
		s->bits <<= 6 - s->have;
		s->have = 6;
		shift_flush(out, s);
	}
	buf_add_byte(out, '-');
	*s = (struct shift){ 0, 0, false };
}

/* imap_utf7_encode - a name for the wire */
void
imap_utf7_encode(struct buf *out, struct slice utf8)
{
	struct cursor	c = cursor_over(utf8);
	struct shift	s = { 0, 0, false };

	while (!cursor_at_end(&c)) {
		uint32_t	u = UTF8_REPLACEMENT;

		if (utf8_decode(&c, &u) < 0)
			(void)cursor_byte(&c);
		if (is_direct(u)) {
			shift_close(out, &s);
			buf_add_byte(out, (char)u);
			if (u == '&')
				buf_add_byte(out, '-');
		} else if (u >= 0x10000) {
			u -= 0x10000;
			shift_add(out, &s, 0xd800 + (u >> 10));
			shift_add(out, &s, 0xdc00 + (u & 0x3ff));
		} else {
			shift_add(out, &s, u);
		}
	}
	shift_close(out, &s);
}

/* imap_is_inbox - INBOX in any case? */
bool
imap_is_inbox(struct slice name)
{
	return slice_equal_nocase(name, S("INBOX"));
}

/* has_control - a control character, C1 and the separators included? */
static bool
has_control(struct slice utf8)
{
	struct cursor	c = cursor_over(utf8);

	while (!cursor_at_end(&c)) {
		uint32_t	u;

		if (utf8_decode(&c, &u) < 0 || u < 0x20 || (u >= 0x7f && u < 0xa0) || u == 0x2028 ||
		    u == 0x2029)
			return true;
	}
	return false;
}

/* lex_name - a decoded name, its first level canonical */
static int
lex_name(struct imap_lex *l, const char *what, struct slice raw,
    struct slice *ret_name)
{
	struct slice	name;
	char		*own;

	if (raw.len > 3 * IMAP_MAILBOX_NAME_MAX)
		return imap_lex_fail(l, "%s is too long", what);
	if (imap_utf7_decode(l->arena, raw, &name) < 0)
		return imap_lex_fail(l, "%s \"%s\" is not in modified UTF-7",
		    what, imap_echo(l->arena, raw));
	if (has_control(name))
		return imap_lex_fail(l, "%s has a control character", what);
	own = arena_text(l->arena, name);
	name.data = own;
	if (imap_is_inbox(slice_sub(name, 0, 5)) &&
	    (name.len == 5 || own[5] == IMAP_SEPARATOR))
		memcpy(own, "INBOX", 5);
	*ret_name = name;
	return 0;
}

/* imap_lex_mailbox - a mailbox argument */
int
imap_lex_mailbox(struct imap_lex *l, struct imap_mailbox *ret_mailbox)
{
	struct slice	raw, name;
	int		r;

	if ((r = imap_lex_astring(l, "mailbox name", &raw)) < 0 ||
	    (r = lex_name(l, "mailbox name", raw, &name)) < 0)
		return r;
	/* one "/" at the end says that others will come below (RFC 3501
	 * 6.3.3); two are an empty level, which nobody has */
	if (name.len > 1 && name.data[name.len - 1] == IMAP_SEPARATOR &&
	    name.data[name.len - 2] != IMAP_SEPARATOR)
		name.len--;
	if (name.len == 0)
		return imap_lex_fail(l, "the mailbox name is empty");
	ret_mailbox->name = name;
	return 0;
}

/* imap_lex_reference - the first argument of LIST */
int
imap_lex_reference(struct imap_lex *l, struct slice *ret_text)
{
	struct slice	raw;
	int		r;

	if ((r = imap_lex_astring(l, "reference name", &raw)) < 0)
		return r;
	return lex_name(l, "reference name", raw, ret_text);
}

/* imap_lex_list_pattern - a pattern of LIST */
int
imap_lex_list_pattern(struct imap_lex *l, struct slice *ret_pattern)
{
	struct slice	raw;
	int		r;

	if ((r = imap_lex_pattern(l, "mailbox pattern", &raw)) < 0)
		return r;
	if (raw.len > IMAP_PATTERN_MAX)
		return imap_lex_fail(l, "mailbox pattern is too long");
	return lex_name(l, "mailbox pattern", raw, ret_pattern);
}

/* imap_mailbox_fault - what speaks against making a mailbox of that name? */
const char *
imap_mailbox_fault(struct slice name)
{
	struct slice	rest = name, level;
	size_t		depth = 0;

	if (name.len > IMAP_MAILBOX_NAME_MAX)
		return "the name is too long";
	do {
		level = slice_split(&rest, IMAP_SEPARATOR);
		if (level.len == 0)
			return "a level of the name is empty";
		if (slice_find(level, '%') != SLICE_NONE ||
		    slice_find(level, '*') != SLICE_NONE)
			return "a name must not contain % or *";
		if (++depth > IMAP_MAILBOX_DEPTH_MAX)
			return "the name has too many levels";
	} while (rest.len > 0);
	if (slice_has_suffix(name, S("/")))
		return "a level of the name is empty";
	return NULL;
}

/*
 * imap_match - does the name match the pattern? When a byte does not fit, the
 * last "%" takes one more byte; where it may not, because a level ends, the
 * last "*" does. Earlier wildcards need no second try: what they could take
 * more, the later one can take as well.
 */
bool
imap_match(struct slice pattern, struct slice name)
{
	size_t	p = 0, n = 0;
	size_t	star_p = SLICE_NONE, star_n = 0;
	size_t	level_p = SLICE_NONE, level_n = 0;

	for (;;) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star_p = ++p;
			star_n = n;
			level_p = SLICE_NONE;
		} else if (p < pattern.len && pattern.data[p] == '%') {
			level_p = ++p;
			level_n = n;
		} else if (p < pattern.len && n < name.len &&
		    pattern.data[p] == name.data[n]) {
			p++;
			n++;
		} else if (p == pattern.len && n == name.len) {
			return true;
		} else if (level_p != SLICE_NONE && level_n < name.len &&
		    name.data[level_n] != IMAP_SEPARATOR) {
			p = level_p;
			n = ++level_n;
		} else if (star_p != SLICE_NONE && star_n < name.len) {
			p = star_p;
			n = ++star_n;
			level_p = SLICE_NONE;
		} else {
			return false;
		}
	}
}
