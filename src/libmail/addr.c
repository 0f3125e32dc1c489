/* SPDX-License-Identifier: ISC */
/*
 * An address is found in the input by one pass over its local part and one
 * over its domain, then copied once; local part and domain are slices of the
 * copy unless quotes, capitals or Unicode want another form. Which bytes may
 * stand where is one table.
 */
#include "libmail/addr.h"

#include "libmail/addr_bytes.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"

#define A	ADDR_BYTE_ATOM
#define D	ADDR_BYTE_DOT
#define H	ADDR_BYTE_HIGH
#define X16(v)	v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v
const unsigned char addr_byte_table[256] = {
	X16(0), X16(0),
	0, A, 0, A, A, A, A, A, 0, 0, A, A, 0, A, D, A,		/* space */
	A, A, A, A, A, A, A, A, A, A, 0, 0, 0, A, 0, A,		/* 0 */
	0, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,		/* @ */
	A, A, A, A, A, A, A, A, A, A, A, 0, 0, 0, A, A,		/* P */
	A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,		/* ` */
	A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, 0,		/* p */
	X16(H), X16(H), X16(H), X16(H), X16(H), X16(H), X16(H), X16(H),
};
#undef A
#undef D
#undef H
#undef X16

/* where an address stands in the input */
struct place {
	struct slice	local;		/* quotes included */
	struct slice	domain;
	struct slice	whole;
	bool		has_at;
};

/* is_domain_byte - may it be part of a name? domain_parse knows the rest */
static bool
is_domain_byte(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' ||
	    addr_byte(c) == ADDR_BYTE_HIGH;
}

/* addr_is_dot_string - could it stand without quotes (RFC 5321 4.1.2)? */
bool
addr_is_dot_string(struct slice s)
{
	char	before = '.';

	for (size_t i = 0; i < s.len; i++) {
		unsigned	kind = addr_byte(s.data[i]);

		if (kind == 0 || (kind == ADDR_BYTE_DOT && before == '.'))
			return false;
		before = s.data[i];
	}
	return before != '.';
}

/* take_quoted - "..." with its quotes (RFC 5321 4.1.2 Quoted-string) */
static int
take_quoted(struct cursor *c, struct slice *ret_quoted)
{
	struct cursor	start = *c;
	int		b;

	(void)cursor_byte(c);
	while ((b = cursor_byte(c)) != '"') {
		if (b == '\\')
			b = cursor_byte(c);
		if (b < ' ' || b == 0x7f)	/* the end, too */
			return -EBADMSG;
	}
	*ret_quoted = cursor_since(c, &start);
	return 0;
}

/* take_local - the local part as written */
static int
take_local(struct cursor *c, unsigned flags, struct slice *ret_local)
{
	struct slice	s;

	if (cursor_peek(c) == '"')
		return take_quoted(c, ret_local);
	s = cursor_take_while(c, addr_is_word_byte);
	if (s.len == 0)
		return -EBADMSG;
	if (!(flags & ADDR_LENIENT) && !addr_is_dot_string(s))
		return -EBADMSG;
	*ret_local = s;
	return 0;
}

/* take_domain - a domain or literal as written */
static int
take_domain(struct cursor *c, struct slice *ret_domain)
{
	struct cursor	start = *c;

	if (cursor_peek(c) == '[') {
		(void)cursor_take_until(c, ']');
		if (!cursor_skip_byte(c, ']'))
			return -EBADMSG;
	} else {
		(void)cursor_take_while(c, is_domain_byte);
	}
	*ret_domain = cursor_since(c, &start);
	return 0;
}

/* skip_route - step over "@a,@b:", which is ignored (RFC 5321 4.1.1.3) */
static int
skip_route(struct cursor *c)
{
	struct cursor	start = *c;
	struct slice	host;
	int		r;

	do {
		if (!cursor_skip_byte(c, '@'))
			return -EBADMSG;
		if ((r = take_domain(c, &host)) < 0)
			return r;
		if (host.len == 0)
			return -EBADMSG;
		if (cursor_since(c, &start).len > ADDR_ROUTE_MAX)
			return -EMSGSIZE;
	} while (cursor_skip_byte(c, ','));
	return cursor_skip_byte(c, ':') ? 0 : -EBADMSG;
}

/* find_mailbox - where the parts of the address at the cursor are */
static int
find_mailbox(struct cursor *c, unsigned flags, struct place *ret_place)
{
	struct cursor	start = *c;
	struct place	p = { .has_at = false };
	int		r;

	if ((r = take_local(c, flags, &p.local)) < 0)
		return r;
	p.has_at = cursor_skip_byte(c, '@');
	if (p.has_at && (r = take_domain(c, &p.domain)) < 0)
		return r;
	p.whole = cursor_since(c, &start);
	*ret_place = p;
	return 0;
}

/* dequote - resolve "..." and backslashes; in the arena */
static struct slice
dequote(struct slice quoted, struct arena *a)
{
	struct cursor	c = cursor_over(slice_sub(quoted, 1, quoted.len - 2));
	char		*text = arena_alloc(a, quoted.len);
	size_t		n = 0;
	int		b;

	while ((b = cursor_byte(&c)) >= 0) {
		if (b == '\\')
			b = cursor_byte(&c);
		text[n++] = (char)b;
	}
	return slice_over(text, n);
}

/* check_lengths - do the parts fit RFC 5321 4.5.3.1, or our own limits? */
static int
check_lengths(const struct addr *addr, size_t written_local, unsigned flags)
{
	size_t	quotes = 2;

	if (!(flags & ADDR_LENIENT) && (written_local > ADDR_LOCAL_MAX ||
	    addr->text.len > ADDR_PATH_MAX - 2))
		return -EMSGSIZE;
	if (addr->local.len > ADDR_LOCAL_LENIENT_MAX ||
	    addr->text.len > ADDR_TEXT_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < addr->local.len; i++)
		quotes += addr->local.data[i] == '"' ||
		    addr->local.data[i] == '\\';
	if (addr->local.len + quotes + 1 +
	    size_max(addr->domain.text.len, addr->domain.name.len) >
	    ADDR_TEXT_MAX)
		return -EMSGSIZE;
	return 0;
}

/* check_charset - may these bytes be in an address? */
static int
check_charset(struct slice text, unsigned flags)
{
	if (utf8_is_ascii(text))
		return 0;
	if (!utf8_is_valid(text))
		return -EILSEQ;
	return (flags & ADDR_UTF8) ? 0 : -EOPNOTSUPP;
}

/* domain_flags - what domain_parse shall accept */
static unsigned
domain_flags(unsigned flags)
{
	return DOMAIN_LITERAL | ((flags & ADDR_UTF8) ? DOMAIN_UTF8 : 0) |
	    ((flags & ADDR_LENIENT) ? DOMAIN_LENIENT : 0);
}

/* may_lack_domain - is the local part alone an address here? */
static bool
may_lack_domain(struct slice local, unsigned flags)
{
	if (local.len == 0)
		return false;
	return (flags & ADDR_MAY_LACK_DOMAIN) ||
	    ((flags & ADDR_MAY_BE_POSTMASTER) &&
	    slice_equal_nocase(local, S("postmaster")));
}

/* build - copy and check what was found */
static int
build(const struct place *p, struct arena *a, unsigned flags,
    struct addr *ret_addr)
{
	struct addr	addr = ADDR_INIT;
	int		r;

	if (p->whole.len > ADDR_TEXT_MAX)
		return -EMSGSIZE;
	if ((r = check_charset(p->whole, flags)) < 0)
		return r;
	addr.text = arena_dup(a, p->whole);
	addr.local = slice_sub(addr.text, 0, p->local.len);
	if (addr.local.data[0] == '"')
		addr.local = dequote(addr.local, a);

	if (p->has_at)
		r = domain_parse_kept(slice_from(addr.text, p->local.len + 1),
		    a, domain_flags(flags), &addr.domain);
	else
		r = may_lack_domain(addr.local, flags) ? 0 : -EBADMSG;
	if (r < 0)
		return r;
	if ((r = check_lengths(&addr, p->local.len, flags)) < 0)
		return r;
	*ret_addr = addr;
	return 0;
}

/* parse_angle - what stands in <>, behind the < */
static int
parse_angle(struct cursor *c, struct arena *a, unsigned flags,
    struct addr *ret_addr)
{
	struct cursor	start = *c;
	struct place	p;
	int		r;

	if (flags & ADDR_LENIENT)
		(void)cursor_skip_blanks(c);
	if (cursor_skip_byte(c, '>')) {
		if (!(flags & ADDR_MAY_BE_NULL))
			return -EBADMSG;
		*ret_addr = (struct addr)ADDR_INIT;
		return 0;
	}
	if (cursor_peek(c) == '@' && (r = skip_route(c)) < 0)
		return r;
	if ((r = find_mailbox(c, flags, &p)) < 0)
		return r;
	if (flags & ADDR_LENIENT)
		(void)cursor_skip_blanks(c);
	if (!cursor_skip_byte(c, '>'))
		return -EBADMSG;
	if (!(flags & ADDR_LENIENT) &&
	    cursor_since(c, &start).len + 1 > ADDR_PATH_MAX)
		return -EMSGSIZE;
	return build(&p, a, flags, ret_addr);
}

/* addr_parse_path - a path, with its <> (RFC 5321 4.1.2) */
int
addr_parse_path(struct cursor *c, struct arena *a, unsigned flags,
    struct addr *ret_addr)
{
	struct cursor	at = *c;
	struct place	p;
	int		r;

	if (cursor_skip_byte(&at, '<')) {
		r = parse_angle(&at, a, flags, ret_addr);
	} else if (flags & ADDR_LENIENT) {
		/* scripts and appliances leave out the <> */
		if ((r = find_mailbox(&at, flags, &p)) == 0)
			r = build(&p, a, flags, ret_addr);
	} else {
		return -EBADMSG;
	}
	if (r == 0)
		*c = at;
	return r;
}

/* addr_parse - an address and nothing else */
int
addr_parse(struct slice in, struct arena *a, unsigned flags,
    struct addr *ret_addr)
{
	struct cursor	c = cursor_over(in);
	struct place	p;
	int		r;

	if (in.len == 0 && (flags & ADDR_MAY_BE_NULL)) {
		*ret_addr = (struct addr)ADDR_INIT;
		return 0;
	}
	if ((r = find_mailbox(&c, flags, &p)) < 0)
		return r;
	if (!cursor_at_end(&c))
		return -EBADMSG;
	return build(&p, a, flags, ret_addr);
}

/* addr_make - an address of a local part and a domain */
int
addr_make(struct arena *a, struct slice local, const struct domain *domain,
    struct addr *ret_addr)
{
	struct addr	addr = ADDR_INIT;
	struct buf	text = BUF_INIT;
	int		r;

	if (local.len == 0 && domain->kind == DOMAIN_NONE)
		return -EBADMSG;
	for (size_t i = 0; i < local.len; i++)
		if ((unsigned char)local.data[i] < ' ' || local.data[i] == 0x7f)
			return -EBADMSG;
	if ((r = check_charset(local, ADDR_UTF8)) < 0)
		return r;
	addr.local = arena_dup(a, local);
	addr.domain = *domain;
	if ((r = check_lengths(&addr, local.len, ADDR_LENIENT)) < 0)
		return r;

	addr_format(&text, &addr);
	addr.text = arena_dup(a, buf_slice(&text));
	buf_free(&text);
	*ret_addr = addr;
	return 0;
}

/* addr_equal - the same mailbox, as far as its name tells? */
bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return slice_equal(a->local, b->local) &&
	    domain_equal(&a->domain, &b->domain);
}

/* addr_needs_utf8 - is there no ASCII form of it? */
bool
addr_needs_utf8(const struct addr *addr)
{
	return !utf8_is_ascii(addr->local);
}
