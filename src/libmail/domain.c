/* SPDX-License-Identifier: ISC */
/*
 * A name in ASCII and lower case, which most are, costs one pass and no
 * memory but the copy; `name` and `text` are then the same bytes. One that is
 * not ASCII becomes so first and is checked in that form, since the mapping
 * of libidn2 may turn other letters into dots and signs.
 */
#include "libmail/domain.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "libmail/idna.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/utf8.h"

#define IPV6_TAG	"IPv6:"

/* check_label - is it one of RFC 5321's sub-domains? */
static int
check_label(struct slice label, unsigned flags)
{
	if (label.len == 0)
		return -EBADMSG;
	if (label.len > DOMAIN_LABEL_MAX)
		return -EMSGSIZE;
	if (label.data[0] == '-' || label.data[label.len - 1] == '-')
		return -EBADMSG;
	for (size_t i = 0; i < label.len; i++) {
		char	b = label.data[i];

		/* Windows networks and DKIM-like names have underscores */
		if (!ascii_is_alnum(b) && b != '-' &&
		    !(b == '_' && (flags & DOMAIN_LENIENT)))
			return -EBADMSG;
	}
	return 0;
}

/* check_name - is it labels and dots? */
static int
check_name(struct slice name, unsigned flags)
{
	size_t	dot;
	int	r;

	if (name.len > DOMAIN_MAX)
		return -EMSGSIZE;
	while ((dot = slice_find(name, '.')) != SLICE_NONE) {
		if ((r = check_label(slice_sub(name, 0, dot), flags)) < 0)
			return r;
		name = slice_from(name, dot + 1);
	}
	return check_label(name, flags);
}

/* lower - the same in lower case; a copy only if it is not */
static struct slice
lower(struct slice s, struct arena *a)
{
	char	*copy;
	size_t	i = 0;

	while (i < s.len && ascii_lower(s.data[i]) == s.data[i])
		i++;
	if (i == s.len)
		return s;
	copy = arena_text(a, s);
	for (; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return slice_over(copy, s.len);
}

/* utf8_name - the ASCII form of a name that is not ASCII */
static int
utf8_name(struct slice text, struct arena *a, unsigned flags,
    struct slice *ret_name)
{
	struct buf	ascii = BUF_INIT;
	int		r;

	if (!utf8_is_valid(text))
		return -EILSEQ;
	if (!(flags & DOMAIN_UTF8))
		return -EOPNOTSUPP;
	if ((r = idna_to_ascii(text, &ascii)) < 0 ||
	    (r = check_name(buf_slice(&ascii), flags)) < 0)
		goto out;
	*ret_name = arena_dup(a, buf_slice(&ascii));
out:
	buf_free(&ascii);
	return r;
}

/* parse_name - a domain that is not a literal */
static int
parse_name(struct slice in, struct arena *a, unsigned flags,
    struct domain *ret_domain)
{
	struct domain	d = { .kind = DOMAIN_NAME };
	int		r;

	if (in.len > 1 && in.data[in.len - 1] == '.' &&
	    (flags & DOMAIN_LENIENT))
		in.len--;
	if (in.len == 0)
		return -EBADMSG;
	if (in.len > DOMAIN_MAX)
		return -EMSGSIZE;
	d.text = in;

	if (utf8_is_ascii(in)) {
		if ((r = check_name(in, flags)) < 0)
			return r;
		d.name = lower(in, a);
	} else if ((r = utf8_name(in, a, flags, &d.name)) < 0) {
		return r;
	}
	*ret_domain = d;
	return 0;
}

/* parse_literal - "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3) */
static int
parse_literal(struct slice in, struct arena *a, struct domain *ret_domain)
{
	struct domain	d = { .kind = DOMAIN_IPV4, .text = in };
	struct slice	inner = slice_sub(in, 1, in.len - 2);
	char		text[INET6_ADDRSTRLEN];
	unsigned char	bytes[16];

	if (in.len < 3 || in.data[in.len - 1] != ']')
		return -EBADMSG;
	if (slice_has_prefix_nocase(inner, S(IPV6_TAG))) {
		d.kind = DOMAIN_IPV6;
		inner = slice_from(inner, sizeof(IPV6_TAG) - 1);
	}
	if (inner.len >= sizeof(text) || slice_find(inner, '\0') != SLICE_NONE)
		return -EBADMSG;
	if (inner.len > 0)
		memcpy(text, inner.data, inner.len);
	text[inner.len] = '\0';

	if (d.kind == DOMAIN_IPV4) {
		if (inet_pton(AF_INET, text, bytes) != 1)
			return -EBADMSG;
		(void)inet_ntop(AF_INET, bytes, text, sizeof(text));
		d.name = arena_printf(a, "[%s]", text);
	} else {
		if (inet_pton(AF_INET6, text, bytes) != 1)
			return -EBADMSG;
		(void)inet_ntop(AF_INET6, bytes, text, sizeof(text));
		d.name = arena_printf(a, "[" IPV6_TAG "%s]", text);
	}
	*ret_domain = d;
	return 0;
}

/* domain_parse_kept - check a domain that need not be copied */
int
domain_parse_kept(struct slice in, struct arena *a, unsigned flags,
    struct domain *ret_domain)
{
	if (in.len > 0 && in.data[0] == '[') {
		if (!(flags & DOMAIN_LITERAL))
			return -EBADMSG;
		return parse_literal(in, a, ret_domain);
	}
	return parse_name(in, a, flags, ret_domain);
}

/* domain_parse - check a domain and copy it */
int
domain_parse(struct slice in, struct arena *a, unsigned flags,
    struct domain *ret_domain)
{
	if (in.len > DOMAIN_MAX + 1)
		return -EMSGSIZE;
	return domain_parse_kept(arena_dup(a, in), a, flags, ret_domain);
}

/* domain_is_utf8 - is its text not ASCII? */
bool
domain_is_utf8(const struct domain *d)
{
	return !utf8_is_ascii(d->text);
}

/* domain_is_within - the same name or one below it? */
bool
domain_is_within(struct slice name, struct slice parent)
{
	return slice_has_suffix(name, parent) && (name.len == parent.len ||
	    name.data[name.len - parent.len - 1] == '.');
}

/* domain_parent - what stands behind the first dot */
struct slice
domain_parent(struct slice name)
{
	size_t	dot = slice_find(name, '.');

	return dot == SLICE_NONE ? SLICE_EMPTY : slice_from(name, dot + 1);
}

/* domain_literal_address - what stands in the brackets */
struct slice
domain_literal_address(const struct domain *d)
{
	struct slice	inner;

	if (!domain_is_literal(d))
		return SLICE_EMPTY;
	inner = slice_sub(d->name, 1, d->name.len - 2);
	if (d->kind == DOMAIN_IPV6)
		inner = slice_from(inner, sizeof(IPV6_TAG) - 1);
	return inner;
}
