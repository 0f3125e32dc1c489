/* SPDX-License-Identifier: ISC */
/*
 * What goes out is always the plain form of the grammar: quotes only around
 * what needs them, backslashes only before quotes and backslashes.
 */
#include "libmail/addr.h"
#include "libmail/addr_bytes.h"
#include "libutil/arena.h"
#include "libutil/buf.h"

/* addr_format_local - a local part, quoted where needed */
void
addr_format_local(struct buf *out, struct slice local)
{
	if (addr_is_dot_string(local)) {
		buf_add(out, local);
		return;
	}
	buf_add_byte(out, '"');
	for (size_t i = 0; i < local.len; i++) {
		if (local.data[i] == '"' || local.data[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, local.data[i]);
	}
	buf_add_byte(out, '"');
}

/* is_phrase - atoms with one blank between them? */
static bool
is_phrase(struct slice s)
{
	char	before = ' ';

	for (size_t i = 0; i < s.len; i++) {
		unsigned	kind = addr_byte(s.data[i]);

		if (kind == ADDR_BYTE_DOT || (kind == 0 &&
		    (s.data[i] != ' ' || before == ' ')))
			return false;
		before = s.data[i];
	}
	return before != ' ';
}

/* addr_format_name - a display name, quoted where needed */
void
addr_format_name(struct buf *out, struct slice name)
{
	if (is_phrase(name)) {
		buf_add(out, name);
		return;
	}
	buf_add_byte(out, '"');
	for (size_t i = 0; i < name.len; i++) {
		unsigned char	b = (unsigned char)name.data[i];

		if (b < ' ' || b == 0x7f)
			continue;
		if (b == '"' || b == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, name.data[i]);
	}
	buf_add_byte(out, '"');
}

/* format_with - the address with that text for its domain */
static void
format_with(struct buf *out, const struct addr *addr, struct slice domain)
{
	if (addr_is_null(addr))
		return;
	addr_format_local(out, addr->local);
	if (addr->domain.kind == DOMAIN_NONE)
		return;
	buf_add_byte(out, '@');
	buf_add(out, domain);
}

/* addr_format - the address with its domain as written */
void
addr_format(struct buf *out, const struct addr *addr)
{
	format_with(out, addr, addr->domain.text);
}

/* addr_format_ascii - the address with its domain in ASCII */
void
addr_format_ascii(struct buf *out, const struct addr *addr)
{
	format_with(out, addr, domain_is_utf8(&addr->domain) ?
	    addr->domain.name : addr->domain.text);
}

/* addr_join - local@domain without quotes */
struct slice
addr_join(struct arena *a, struct slice local, struct slice domain)
{
	char	*text;

	if (domain.len == 0)
		return arena_dup(a, local);
	text = arena_alloc(a, local.len + domain.len + 2);
	if (local.len > 0)
		memcpy(text, local.data, local.len);
	text[local.len] = '@';
	memcpy(text + local.len + 1, domain.data, domain.len);
	return slice_over(text, local.len + 1 + domain.len);
}

/*
 * Ranges of capitals and what makes them small: every letter of the range, or
 * with a step of 2 every other one. Sorted. Letters whose small form is more
 * than one letter, or depends on the language, are left alone.
 */
static const struct fold_range {
	uint16_t	first, last;
	uint8_t		step;
	int16_t		add;
} fold_ranges[] = {
	{ 0x00c0, 0x00d6, 1, 32 },	/* Latin-1 */
	{ 0x00d8, 0x00de, 1, 32 },
	{ 0x0100, 0x012e, 2, 1 },	/* Latin Extended-A */
	{ 0x0132, 0x0136, 2, 1 },
	{ 0x0139, 0x0147, 2, 1 },
	{ 0x014a, 0x0176, 2, 1 },
	{ 0x0178, 0x0178, 1, -121 },
	{ 0x0179, 0x017d, 2, 1 },
	{ 0x0386, 0x0386, 1, 38 },	/* Greek */
	{ 0x0388, 0x038a, 1, 37 },
	{ 0x038c, 0x038c, 1, 64 },
	{ 0x038e, 0x038f, 1, 63 },
	{ 0x0391, 0x03a1, 1, 32 },
	{ 0x03a3, 0x03ab, 1, 32 },
	{ 0x0400, 0x040f, 1, 80 },	/* Cyrillic */
	{ 0x0410, 0x042f, 1, 32 },
	{ 0x0460, 0x0480, 2, 1 },
	{ 0x048a, 0x04be, 2, 1 },
	{ 0x04c1, 0x04cd, 2, 1 },
	{ 0x04d0, 0x052e, 2, 1 },
	{ 0x0531, 0x0556, 1, 48 },	/* Armenian */
	{ 0x1e00, 0x1e94, 2, 1 },	/* Latin Extended Additional */
	{ 0x1ea0, 0x1efe, 2, 1 },
};

/* fold_point - the small letter, or the code point itself */
static unsigned
fold_point(unsigned point)
{
	for (size_t i = 0; i < COUNT(fold_ranges); i++) {
		const struct fold_range	*f = &fold_ranges[i];

		if (point < f->first)
			break;
		if (point <= f->last && (point - f->first) % f->step == 0)
			return (unsigned)((int)point + f->add);
	}
	return point;
}

/*
 * fold_char - fold the character at p, of which n bytes are there, in place;
 * returns its length. No range changes the length of its UTF-8 form, so a
 * code point of two or three bytes is all there is to take apart.
 */
static size_t
fold_char(unsigned char *p, size_t n)
{
	unsigned	point;

	if (p[0] < 0x80) {
		p[0] = (unsigned char)ascii_lower((char)p[0]);
		return 1;
	}
	if (p[0] >= 0xc0 && p[0] < 0xe0 && n >= 2) {
		point = fold_point((p[0] & 0x1fu) << 6 | (p[1] & 0x3fu));
		p[0] = (unsigned char)(0xc0 | point >> 6);
		p[1] = (unsigned char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (p[0] >= 0xe0 && p[0] < 0xf0 && n >= 3) {
		point = fold_point((p[0] & 0x0fu) << 12 |
		    (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu));
		p[0] = (unsigned char)(0xe0 | point >> 12);
		p[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
		p[2] = (unsigned char)(0x80 | (point & 0x3f));
		return 3;
	}
	return 1;
}

/* addr_fold - in lower case */
struct slice
addr_fold(struct arena *a, struct slice local)
{
	size_t		 i = 0;
	unsigned char	*copy;

	while (i < local.len && (unsigned char)local.data[i] < 0x80 &&
	    ascii_lower(local.data[i]) == local.data[i])
		i++;
	if (i == local.len)
		return local;
	copy = (unsigned char *)arena_text(a, local);
	while (i < local.len)
		i += fold_char(copy + i, local.len - i);
	return slice_over(copy, local.len);
}

/* addr_lookup_key - the address as look-ups want it */
struct slice
addr_lookup_key(struct arena *a, const struct addr *addr)
{
	return addr_join(a, addr_fold(a, addr->local), addr->domain.name);
}

/* is_whole - is the local part never taken apart? */
static bool
is_whole(struct slice local, const struct addr_delimiters *d)
{
	if (slice_equal_nocase(local, S("postmaster")) ||
	    slice_equal_nocase(local, S("mailer-daemon")))
		return true;
	if (d->double_bounce.len > 0 &&
	    slice_equal_nocase(local, d->double_bounce))
		return true;

	/* owner-list and list-request are no subaddresses, with '-' */
	return d->owner_request_special &&
	    slice_find(d->set, '-') != SLICE_NONE &&
	    (slice_has_prefix_nocase(local, S("owner-")) ||
	    (local.len > sizeof("-request") - 1 &&
	    slice_has_suffix_nocase(local, S("-request"))));
}

/* addr_split - user and extension */
struct addr_parts
addr_split(struct slice local, const struct addr_delimiters *d)
{
	struct addr_parts	parts = { .user = local };
	size_t			at = 0;

	if (d->set.len == 0 || is_whole(local, d))
		return parts;
	while (at < local.len && slice_find(d->set, local.data[at]) ==
	    SLICE_NONE)
		at++;
	if (at == 0 || at == local.len)
		return parts;
	parts.user = slice_sub(local, 0, at);
	parts.delimiter = local.data[at];
	parts.extension = slice_from(local, at + 1);
	return parts;
}
