/* SPDX-License-Identifier: ISC */
/*
 * addr: one mail address, checked (RFC 5321 4.1.2 with RFC 6531 3.3). The
 * envelope is made of these; smtp.h reads them off the wire, the queue and
 * the IPC carry their text. Address lists of header fields, which are a
 * different and looser grammar, are addr_list.h's.
 *
 * The parts of an address are lent from the arena given to the parser: the
 * input need not live longer than the call.
 */
#ifndef LIBMAIL_ADDR_H
#define LIBMAIL_ADDR_H

#include "libmail/domain.h"
#include "libutil/slice.h"

struct arena;
struct buf;
struct cursor;

/*
 * RFC 5321 4.5.3.1 limits a local part to 64 octets and a path to 256, <> and
 * source route included. Strict parsing holds senders to that; else a local
 * part may have 255, for the addresses of SRS forwarders and VERP senders
 * that put a whole address into theirs. No address formats to more than
 * ADDR_TEXT_MAX octets, quotes included.
 */
#define ADDR_LOCAL_MAX		64
#define ADDR_LOCAL_LENIENT_MAX	255
#define ADDR_PATH_MAX		256
#define ADDR_TEXT_MAX		512
#define ADDR_ROUTE_MAX		1024	/* a source route, which is dropped */

struct addr {
	struct slice	local;		/* quotes and backslashes resolved */
	struct domain	domain;		/* DOMAIN_NONE: it has none */
	struct slice	text;		/* as it was written, without <> */
};

/* the null path, <>, too */
#define ADDR_INIT	{ { NULL, 0 }, DOMAIN_INIT, { NULL, 0 } }

enum {
	ADDR_MAY_BE_NULL	= 1 << 0,	/* <> */
	ADDR_MAY_BE_POSTMASTER	= 1 << 1,	/* RFC 5321 4.1.1.3 */
	ADDR_MAY_LACK_DOMAIN	= 1 << 2,	/* any local part alone */
	ADDR_UTF8		= 1 << 3,	/* RFC 6531 */
	/*
	 * What Postfix accepts while strict_rfc821_envelopes is off: no <>
	 * around the address, blanks inside them, dots where an atom should
	 * be (Japanese mobile carriers gave such addresses away), long local
	 * parts, underscores and a last dot in the domain.
	 */
	ADDR_LENIENT		= 1 << 4,
};

/*
 * addr_parse_path - the path at the cursor, which is left behind it
 * addr_parse - the whole slice is an address (no <>)
 * -EBADMSG malformed, -EMSGSIZE over a limit, -EOPNOTSUPP not ASCII and
 * ADDR_UTF8 is not given, -EILSEQ not UTF-8.
 */
MUST_USE int	addr_parse_path(struct cursor *c, struct arena *a,
		    unsigned flags, struct addr *ret_addr);
MUST_USE int	addr_parse(struct slice in, struct arena *a, unsigned flags,
		    struct addr *ret_addr);
/* put an address together from a local part without quotes and a domain;
 * -EBADMSG for control characters in it, -EMSGSIZE, -EILSEQ not UTF-8 */
MUST_USE int	addr_make(struct arena *a, struct slice local,
		    const struct domain *domain, struct addr *ret_addr);

/* addr_is_null - is it <>? */
static inline bool
addr_is_null(const struct addr *addr)
{
	return addr->local.len == 0 && addr->domain.kind == DOMAIN_NONE;
}

/* the same local part, in its case, at the same domain? */
bool	addr_equal(const struct addr *a, const struct addr *b);
/* can it only be sent where SMTPUTF8 is? A U-label domain alone has an ASCII
 * form; a local part has none. */
bool	addr_needs_utf8(const struct addr *addr);

/* append the address without <>, quoted only where the grammar wants it; the
 * domain as it was written, or its A-labels */
void	addr_format(struct buf *out, const struct addr *addr);
void	addr_format_ascii(struct buf *out, const struct addr *addr);
/* append a local part alone, quoted where needed */
void	addr_format_local(struct buf *out, struct slice local);
/* append a display name (RFC 5322 3.2.5 phrase), quoted where needed and
 * without control characters */
void	addr_format_name(struct buf *out, struct slice name);
/* the address as maps are asked for it and as keys are made: the local part
 * unquoted and with folded case, the domain's name; in the arena */
struct slice	addr_lookup_key(struct arena *a, const struct addr *addr);
/* local and domain glued in this form (domain may be empty) */
struct slice	addr_join(struct arena *a, struct slice local,
		    struct slice domain);
/* the same with case folded: ASCII, and the letters of the Latin, Greek,
 * Cyrillic and Armenian scripts that have a single lower-case letter; lent
 * from local if there is nothing to fold, else from the arena */
struct slice	addr_fold(struct arena *a, struct slice local);

/*
 * Subaddresses: user+extension (recipient_delimiter).
 */
struct addr_delimiters {
	struct slice	set;		/* each byte is one; empty: no split */
	bool		owner_request_special;	/* as the parameter says */
	struct slice	double_bounce;	/* local part that is never split */
};

struct addr_parts {
	struct slice	user;
	struct slice	extension;	/* without the delimiter */
	char		delimiter;	/* '\0': there is no extension */
};

/* split at the first delimiter that occurs; the user is never empty. Parts
 * are lent from local. */
struct addr_parts	addr_split(struct slice local,
			    const struct addr_delimiters *d);

#endif
