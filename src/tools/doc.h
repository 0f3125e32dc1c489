/* SPDX-License-Identifier: ISC */
/*
 * doc: the parts of the manual that are made of tables. cmd_doc.c puts them
 * where a page's source asks for them, as a line of its own:
 *
 *	@PARAMS owner@		parameters of that owner, but for shared ones
 *	@ALL_PARAMS@		every parameter of the suite, sorted
 *	@EVENTS owner@		what it logs
 *	@MESSAGES table@	a conversation
 *	@EDGES daemon@		whom it calls, and who calls it
 *	@SANDBOX daemon@	what it is given
 *	@MAPTYPES@  @MASTERCF_COMMANDS@  @DAEMONS@  @VERBS@
 *
 * A part that names something unknown is -ENOENT.
 */
#ifndef TOOLS_DOC_H
#define TOOLS_DOC_H

#include "libutil/slice.h"

struct buf;
struct ipc_field;
struct ipc_table;

/* doc_part.c */
MUST_USE int	doc_part(struct buf *out, struct slice name,
		    struct slice argument);
/* doc_params.c */
MUST_USE int	doc_params(struct buf *out, struct slice owner);
MUST_USE int	doc_all_params(struct buf *out, struct slice unused);
/* doc_ipc.c: doc/ipc.md */
MUST_USE int	doc_ipc(struct buf *out);
/* doc_talks.c: the conversations */
struct doc_talk {
	const struct ipc_table	*table;
	const char		*name;		/* "delivery" */
	const char		*caller;	/* "": see edges.def */
	const char		*callee;
	const char		*gist;
};
/* a NULL table ends the array */
extern const struct doc_talk	doc_talks[];
const struct doc_talk	*doc_talk_find(struct slice name);
/* "CONTENT_OPEN, CONTENT_WAIT"; "" when it may be said at any time */
void	doc_talk_states(struct buf *out, const struct doc_talk *talk,
	    uint32_t when);
/* call back with each state of a conversation */
void	doc_talk_each_state(const struct doc_talk *talk,
	    void (*fn)(void *arg, const char *name, const char *doc), void *arg);
/* "STR up to 255 bytes", "list of up to 10 rcpt" */
void	doc_talk_field(struct buf *out, const struct ipc_field *field);

#endif
