/* SPDX-License-Identifier: ISC */
/*
 * sendmail: the sendmail command: what it was told on its command line, and
 * handing a message to pickup. Statuses are those of sysexits.h.
 */
#ifndef TOOLS_SENDMAIL_H
#define TOOLS_SENDMAIL_H

#include "libglobal/ipc_pickup.h"
#include "tools/tool.h"

#define SENDMAIL_RCPTS_MAX	10000	/* ipc_pickup.def's bound */

enum sendmail_mode {
	SENDMAIL_SUBMIT,		/* -bm */
	SENDMAIL_SMTP,			/* -bs */
	SENDMAIL_MAILQ,			/* -bp */
	SENDMAIL_NEWALIASES,		/* -bi, -I */
};

struct sendmail {
	struct tool		*tool;
	enum sendmail_mode	 mode;
	struct msg_pickup_begin	 begin;
	bool			 dots;		/* no -i: "." ends the message */
};

/* the command line; an exit status when it is wrong */
MUST_USE int	sendmail_options(struct sendmail *s, int argc, char **argv);
/* who the user is, where the options do not say so */
MUST_USE int	sendmail_user(struct sendmail *s);
/* how more of the message is had: appends to out; 0 at its end, 1 if there is
 * more, or a negative errno */
typedef int	sendmail_more_fn(void *arg, struct buf *out);
/* have pickup take a message. What it says is in the tool's arena:
 * ret_done->code is 0 if it could not be asked, with a text that says so. */
void	sendmail_submit(struct sendmail *s, sendmail_more_fn *more, void *arg,
	    struct msg_pickup_done *ret_done);
/* -bs: SMTP on standard input and output */
int	sendmail_smtp(struct sendmail *s);

#endif
