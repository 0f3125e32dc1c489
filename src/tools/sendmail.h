/* SPDX-License-Identifier: ISC */
/*
 * sendmail: the sendmail command: what it was told on its command line, and
 * handing a message to postdrop. Statuses are those of sysexits.h.
 */
#ifndef TOOLS_SENDMAIL_H
#define TOOLS_SENDMAIL_H

#include "libglobal/drop.h"
#include "libglobal/ipc_drop.h"
#include "libmail/status.h"
#include "tools/tool.h"

#define SENDMAIL_RCPTS_MAX	10000	/* ipc_drop.def's bound */

enum sendmail_mode {
	SENDMAIL_SUBMIT,		/* -bm */
	SENDMAIL_SMTP,			/* -bs */
	SENDMAIL_MAILQ,			/* -bp */
	SENDMAIL_NEWALIASES,		/* -bi, -I */
	SENDMAIL_FLUSH,			/* -q */
};

struct sendmail {
	struct tool		*tool;
	enum sendmail_mode	 mode;
	struct msg_drop		 drop;
	const char		*flush_id;	/* -qI; or NULL */
	const char		*flush_site;	/* -qR, -qS; or NULL */
	bool			 dots;		/* no -i: "." ends the message */
};

/* the command line; an exit status when it is wrong */
MUST_USE int	sendmail_options(struct sendmail *s, int argc, char **argv);
/* who the user is, where the options do not say so */
MUST_USE int	sendmail_user(struct sendmail *s);
/* a limit that pickup reads: of main.cf, or its default; 0 if it is none */
uint64_t	sendmail_limit(struct sendmail *s, const char *param);
/* how more of the message is had: appends to out; 0 at its end, 1 if there is
 * more, or a negative errno */
typedef int	sendmail_more_fn(void *arg, struct buf *out);
/* leave a message in the drop folder; what is wrong is the status */
void	sendmail_submit(struct sendmail *s, sendmail_more_fn *more, void *arg,
	    struct status *ret_status);
/* -bs: SMTP on standard input and output */
int	sendmail_smtp(struct sendmail *s);

#endif
