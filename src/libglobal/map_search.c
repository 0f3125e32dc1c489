/* SPDX-License-Identifier: ISC */
#include "libglobal/map_search.h"

#include "libglobal/map.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"

/* one search under way */
struct search {
	struct map_list	*list;
	struct slice	 local;
	struct slice	 user;		/* local without extension */
	bool		 has_extension;
	struct slice	 domain;
	struct buf	 key;
	struct buf	*value;
};

/* map_search_cut - at the last @ */
void
map_search_cut(struct slice address, struct slice *ret_local,
    struct slice *ret_domain)
{
	size_t at = slice_find_last(address, '@');

	*ret_local = slice_sub(address, 0, at);
	*ret_domain = at == SLICE_NONE ? SLICE_EMPTY :
	    slice_from(address, at + 1);
}

/* try - one key: local part in quotes if it needs them, then without */
static int
try(struct search *s, enum map_list_use use, struct slice local,
    struct slice behind)
{
	size_t quoted;
	int r;

	buf_reset(&s->key);
	addr_format_local(&s->key, local);
	quoted = s->key.len;
	buf_add(&s->key, behind);
	r = map_list_get(s->list, use, buf_slice(&s->key), s->value);
	if (r != -ENOENT || quoted == local.len)
		return r;
	buf_reset(&s->key);
	buf_add(&s->key, local);
	buf_add(&s->key, behind);
	return map_list_get(s->list, use, buf_slice(&s->key), s->value);
}

/* try_both - a key with the extension, then without it */
static int
try_both(struct search *s, enum map_list_use use, struct slice behind,
    bool *ret_cut)
{
	int r = try(s, use, s->local, behind);

	*ret_cut = false;
	if (r == -ENOENT && s->has_extension) {
		r = try(s, MAP_LIST_FIXED_ONLY, s->user, behind);
		*ret_cut = r == 0;
	}
	return r;
}

/* try_parents - the domain, then the names above it */
static int
try_parents(struct map_list *l, unsigned parts, struct slice domain,
    enum map_list_use use, struct buf *value)
{
	size_t skip = (parts & MAP_SEARCH_PARENTS) != 0 ? 1 : 0;
	size_t dot;
	int r;

	while ((r = map_list_get(l, use, domain, value)) == -ENOENT) {
		use = MAP_LIST_FIXED_ONLY;
		/* the dot at the front of a key was a step itself */
		dot = slice_find(slice_from(domain, 1), '.');
		if (dot == SLICE_NONE || domain.len == 0)
			break;
		domain = slice_from(domain, 1 + dot + skip);
	}
	return r;
}

/* map_search_domain - a domain alone */
int
map_search_domain(struct map_list *l, unsigned parts, struct slice domain,
    struct buf *value)
{
	return try_parents(l, parts, domain, MAP_LIST_ALL, value);
}

/* search_parts - the keys that are parts of the address */
static int
search_parts(struct search *s, const struct map_search *how, unsigned parts,
    bool *ret_cut)
{
	int r = -ENOENT, local = 0;

	*ret_cut = false;
	if ((parts & MAP_SEARCH_USER) != 0) {
		if (s->domain.len == 0)
			local = 0;	/* the whole address was the user */
		else if (how->is_local != NULL)
			local = how->is_local(how->arg, s->domain);
		if (local < 0)
			return local;
		if (local > 0)
			r = try_both(s, MAP_LIST_FIXED_ONLY, SLICE_EMPTY,
			    ret_cut);
	}
	if (r == -ENOENT && s->domain.len > 0 &&
	    (parts & MAP_SEARCH_AT_DOMAIN) != 0) {
		buf_reset(&s->key);
		buf_add_byte(&s->key, '@');
		buf_add(&s->key, s->domain);
		r = map_list_get(s->list, MAP_LIST_FIXED_ONLY,
		    buf_slice(&s->key), s->value);
	}
	if (r == -ENOENT && s->domain.len > 0 &&
	    (parts & MAP_SEARCH_DOMAIN) != 0)
		r = try_parents(s->list, parts, s->domain, MAP_LIST_FIXED_ONLY,
		    s->value);
	if (r == -ENOENT && (parts & MAP_SEARCH_USER_AT) != 0)
		r = try_both(s, MAP_LIST_FIXED_ONLY, S("@"), ret_cut);
	return r;
}

/* map_search_address - an address, whole and in parts */
int
map_search_address(struct map_list *l, const struct map_search *how,
    unsigned parts, struct slice address, struct buf *value,
    struct slice *ret_extension)
{
	struct search s = { .list = l, .key = BUF_INIT, .value = value };
	struct slice behind = SLICE_EMPTY;
	struct addr_parts split;
	bool cut = false;
	int r;

	if (map_list_is_empty(l))
		return -ENOENT;
	map_search_cut(address, &s.local, &s.domain);
	split = addr_split(s.local, &how->delimiters);
	s.user = split.user;
	s.has_extension = split.delimiter != '\0';
	if (s.domain.len > 0)
		behind = slice_from(address, s.local.len);
	r = try_both(&s, MAP_LIST_ALL, behind, &cut);
	if (r == -ENOENT)
		r = search_parts(&s, how, parts, &cut);
	if (r == 0 && ret_extension != NULL)
		*ret_extension = cut ? slice_from(s.local, s.user.len) :
		    SLICE_EMPTY;
	buf_free(&s.key);
	return r;
}

/* skip_comment - behind "(...)"; comments may nest */
static int
skip_comment(struct cursor *c)
{
	size_t depth = 0;
	int b;

	do {
		b = cursor_byte(c);
		if (b == '\\')
			(void)cursor_byte(c);
		depth += b == '(';
		depth -= b == ')';
	} while (b >= 0 && depth > 0);
	return b < 0 ? -EBADMSG : 0;
}

/* skip_between - what stands between two addresses */
static int
skip_between(struct cursor *c)
{
	int b;

	while ((b = cursor_peek(c)) >= 0)
		if (b == '(') {
			if (skip_comment(c) < 0)
				return -EBADMSG;
		} else if (b == ',' || b == ' ' || b == '\t' || b == '\r' ||
		    b == '\n') {
			(void)cursor_byte(c);
		} else {
			break;
		}
	return 0;
}

/* take_word - up to a comma, blank or comment outside quotes; quotes and
 * backslashes are resolved into out */
static int
take_word(struct cursor *c, struct buf *out)
{
	bool quoted = false;
	int b;

	while ((b = cursor_peek(c)) >= 0) {
		if (!quoted && (b == ',' || b == '(' || b == '>' ||
		    b == ' ' || b == '\t' || b == '\r' || b == '\n'))
			break;
		(void)cursor_byte(c);
		if (b == '"') {
			quoted = !quoted;
			continue;
		}
		if (b == '\\' && (b = cursor_byte(c)) < 0)
			return -EBADMSG;
		buf_add_byte(out, (char)b);
	}
	return quoted ? -EBADMSG : 0;
}

/* map_search_next - the next address of a text */
int
map_search_next(struct slice *rest, struct arena *a, struct slice *ret_address,
    bool *ret_is_address)
{
	struct cursor c = cursor_over(*rest);
	struct buf word = BUF_INIT;
	bool in_angles;
	int r;

	if (skip_between(&c) < 0)
		return -EBADMSG;
	if (cursor_at_end(&c)) {
		*rest = SLICE_EMPTY;
		return 0;
	}
	in_angles = cursor_skip_byte(&c, '<');
	r = take_word(&c, &word);
	if (r == 0 && in_angles != cursor_skip_byte(&c, '>'))
		r = -EBADMSG;
	if (r == 0) {
		*ret_address = arena_dup(a, buf_slice(&word));
		*ret_is_address = word.len == 0 ||
		    (strchr("|/", word.data[0]) == NULL &&
		    !slice_has_prefix_nocase(*ret_address, S(":include:")));
		*rest = cursor_rest(&c);
		r = 1;
	}
	buf_free(&word);
	return r;
}
