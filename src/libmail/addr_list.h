/* SPDX-License-Identifier: ISC */
/*
 * addr_list: walks over the addresses of a header field (RFC 5322 3.4), with
 * its groups, comments and obsolete forms, and with what is met in the wild
 * besides. For rewriting addresses in header fields, for IMAP envelopes, JMAP
 * address lists, sendmail -t and Sieve.
 *
 *	struct addr_list l = ADDR_LIST_OVER(field_body);
 *
 *	while (addr_list_next(&l, arena, &item))
 *		...
 *
 * It never fails: what cannot be understood comes as an item that is not
 * valid, with its raw text, and the walk goes on behind the next comma. It
 * takes time linear in the field, whatever is in it. Encoded words (RFC 2047)
 * are left alone. Items are lent from the field and the arena.
 */
#ifndef LIBMAIL_ADDR_LIST_H
#define LIBMAIL_ADDR_LIST_H

#include "libutil/cursor.h"

struct arena;

enum addr_item_kind {
	ADDR_ITEM_MAILBOX,
	ADDR_ITEM_GROUP_BEGIN,		/* only name, raw and raw_at are set */
	ADDR_ITEM_GROUP_END,		/* only kind is set */
};

struct addr_item {
	enum addr_item_kind	kind;
	bool		valid;		/* an address can be read off */
	bool		is_null;	/* <> */
	/*
	 * What was written: raw is the element without comma and outer
	 * blanks; spec is the address alone, "local@domain" with all that is
	 * inside, which a rewriter puts another in place of. The offsets are
	 * from the start of the field; spec is empty if not valid.
	 */
	struct slice	raw;
	size_t		raw_at;
	struct slice	spec;
	size_t		spec_at;
	/* What it means: quotes, comments and folding resolved. */
	struct slice	name;		/* display name; or else the comment */
	struct slice	route;		/* "@a,@b", obsolete (RFC 5322 4.4) */
	struct slice	local;
	struct slice	domain;		/* empty if there is none */
};

struct addr_list {
	struct slice	field;
	struct cursor	at;
	bool		in_group;
};

#define ADDR_LIST_OVER(field_body) \
	((struct addr_list){ (field_body), cursor_over(field_body), false })

/* false at the end */
bool	addr_list_next(struct addr_list *l, struct arena *a,
	    struct addr_item *ret_item);

#endif
