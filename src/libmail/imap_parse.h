/* SPDX-License-Identifier: ISC */
/*
 * imap_parse: one whole command of a client, from its segments (see
 * imap_lex.h) to checked values. The front of imapd reads the commands before
 * authentication with it, the sessions all others.
 *
 * A reader takes a line, asks imap_literal_at_end, takes the literal and the
 * next line, and so on; when a line ends without a literal the command is
 * whole and goes to imap_parse. Only APPEND is different, because its message
 * need not fit into memory: at each literal the reader also asks
 * imap_parse_append, which says when the literal that comes is the message.
 *
 * What a command refers to lives in the segments and in the arena. A refused
 * command is -EBADMSG with a sentence for the BAD reply in the fault, and its
 * tag, if it has one. Whether a command is allowed in the present state is
 * asked with imap_command_states.
 */
#ifndef LIBMAIL_IMAP_PARSE_H
#define LIBMAIL_IMAP_PARSE_H

#include "libmail/imap_date.h"
#include "libmail/imap_fetch.h"
#include "libmail/imap_flags.h"
#include "libmail/imap_list.h"
#include "libmail/imap_mailbox.h"
#include "libmail/imap_search.h"
#include "libmail/imap_seqset.h"

#define IMAP_TAG_MAX		64	/* bytes of a tag */
#define IMAP_ID_PAIRS_MAX	30	/* RFC 2971 3.3, as the next two */
#define IMAP_ID_FIELD_MAX	30
#define IMAP_ID_VALUE_MAX	1024
#define IMAP_ENABLE_MAX		32	/* capabilities in one ENABLE */

enum imap_command_id {
#define IMAP_COMMAND(id, name, states, uid, arguments, handler) IMAP_CMD_##id,
#include "libmail/imap_cmds.def"
	IMAP_CMD_COUNT
};

enum {
	IMAP_STATE_BEFORE = 1,
	IMAP_STATE_AUTHENTICATED = 2,	/* no mailbox selected */
	IMAP_STATE_SELECTED = 4,
};

enum {
#define MAILBOX_USE(id, bit, name) IMAP_USE_##id = 1 << (bit),
#include "libmail/imap_uses.def"
};

enum imap_store_how { IMAP_STORE_SET, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_append {
	struct imap_mailbox	mailbox;
	struct imap_flags	flags;
	bool			has_date;
	struct imap_moment	date;
	struct imap_literal	literal;	/* the message that comes */
};

struct imap_id_pair {
	struct slice	field;
	struct slice	value;		/* no data: NIL */
};

struct imap_command {
	enum imap_command_id	 id;
	bool			 by_uid;
	struct slice		 tag;
	struct imap_mailbox	 mailbox;	/* whichever takes one */
	struct imap_seqset	 set;		/* whichever takes one */
	union {
		struct {
			struct slice	user;
			struct slice	password;
		} login;
		struct {
			struct slice	mechanism;
			bool		has_initial;	/* RFC 4959 */
			struct slice	initial;	/* base64, or "=" */
		} authenticate;
		struct {
			struct slice	*names;
			size_t		 count;
		} enable;
		struct {
			struct imap_id_pair	*pairs;
			size_t			 count;
		} client;
		struct {
			uint32_t	uses;		/* IMAP_USE_ bits */
		} create;
		struct {
			struct imap_mailbox	to;
		} rename;
		struct imap_list	list;
		struct {
			uint32_t	items;		/* IMAP_STATUS_ bits */
		} status;
		struct imap_search	search;
		struct imap_fetch	fetch;
		struct {
			enum imap_store_how	how;
			bool			silent;
			struct imap_flags	flags;
		} store;
	};
};

/* the name, as in the replies; and the states a command may be used in */
const char	*imap_command_name(enum imap_command_id id);
uint32_t	imap_command_states(enum imap_command_id id);

/* a whole command: the last segment has no literal. APPEND never is one: it
 * ends in a literal, and is refused here with a sentence that says so. */
MUST_USE int	imap_parse(struct arena *a, const struct imap_segment *segments,
		    size_t count, struct imap_command *ret_command,
		    struct imap_fault *fault);

/* the last segment's line ends in a literal that was not read yet: 1 if that
 * is the message of an APPEND (command id and tag are set too), 0 if it is an
 * argument to be read like any other, -EBADMSG if it is an APPEND that is
 * wrong; then a synchronizing literal must not be asked for. */
MUST_USE int	imap_parse_append(struct arena *a,
		    const struct imap_segment *segments, size_t count,
		    struct imap_command *ret_command,
		    struct imap_append *ret_append, struct imap_fault *fault);

/* the names of these uses of a mailbox, with a space before each but the
 * first; says whether there were any */
bool	imap_format_uses(struct buf *out, uint32_t uses);

#endif
