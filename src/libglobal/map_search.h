/* SPDX-License-Identifier: ISC */
/*
 * map_search: looking an address up in tables that may hold it whole or in
 * parts, in the orders that Postfix's tables define:
 *
 *	user+extension@domain, user@domain		always
 *	user+extension, user		MAP_SEARCH_USER, if the domain is local
 *	@domain				MAP_SEARCH_AT_DOMAIN
 *	domain, .parent, .grandparent	MAP_SEARCH_DOMAIN; "parent" and so on
 *					with MAP_SEARCH_PARENTS
 *	user+extension@, user@		MAP_SEARCH_USER_AT
 *
 * Addresses are local@domain without quotes, as the grammar resolves them. A
 * local part that needs quotes is first looked for with them. Pattern tables
 * get the whole address once, and no parts.
 */
#ifndef LIBGLOBAL_MAP_SEARCH_H
#define LIBGLOBAL_MAP_SEARCH_H

#include "libmail/addr.h"
#include "libutil/slice.h"

struct arena;
struct buf;
struct map_list;

enum map_search_part {
	MAP_SEARCH_USER		= 1 << 0,
	MAP_SEARCH_AT_DOMAIN	= 1 << 1,
	MAP_SEARCH_DOMAIN	= 1 << 2,
	MAP_SEARCH_PARENTS	= 1 << 3,
	MAP_SEARCH_USER_AT	= 1 << 4,

	/* canonical, virtual, relocated, recipient tables */
	MAP_SEARCH_ADDRESS	= MAP_SEARCH_USER | MAP_SEARCH_AT_DOMAIN,
	MAP_SEARCH_TRANSPORT	= MAP_SEARCH_DOMAIN,
	MAP_SEARCH_ACCESS	= MAP_SEARCH_DOMAIN | MAP_SEARCH_USER_AT,
};

/* what a search needs to know of the configuration */
struct map_search {
	struct addr_delimiters	delimiters;
	/* are users of that domain known by their name alone? 1, 0, or an
	 * error; NULL: none are */
	int	(*is_local)(void *arg, struct slice domain);
	void	*arg;
};

/*
 * 0 with the text at the end of value, -ENOENT, or an error of a table.
 * ret_extension (may be NULL) gets what of the address the key did not have:
 * "+extension" with its delimiter, or nothing.
 */
MUST_USE int	map_search_address(struct map_list *l,
		    const struct map_search *s, unsigned parts,
		    struct slice address, struct buf *value,
		    struct slice *ret_extension);
/* a domain alone, and those above it: DOMAIN and PARENTS count */
MUST_USE int	map_search_domain(struct map_list *l, unsigned parts,
		    struct slice domain, struct buf *value);

/* cut local@domain at the last @: the domain is empty when there is none */
void	map_search_cut(struct slice address, struct slice *ret_local,
	    struct slice *ret_domain);
/*
 * The next address in a table's text: they are separated by commas or blanks
 * outside of quotes, <> around one is dropped, (comments) too. It is given
 * without quotes, in the arena; what names no address ("|command", /file,
 * :include:/file) comes as it is, with *ret_is_address false. 1, 0 at the
 * end, -EBADMSG.
 */
MUST_USE int	map_search_next(struct slice *rest, struct arena *a,
		    struct slice *ret_address, bool *ret_is_address);

#endif
