/* SPDX-License-Identifier: ISC */
/*
 * bounce: what its files share. qmgr asks for a report on some recipients of a
 * message; it is written (RFC 3461 to 3464), addressed to the message's
 * sender (or, of copies on hold, to the postmaster) with the null sender, and
 * given to cleanup as a new message. Only when that is durable does qmgr hear
 * yes.
 */
#ifndef DELIVERY_BOUNCE_H
#define DELIVERY_BOUNCE_H

#include "delivery/bounce_params.h"
#include "libglobal/content_client.h"
#include "libglobal/daemon.h"
#include "libglobal/ipc_bounce.h"
#include "libmail/dsn.h"
#include "libmail/facts.h"
#include "libmail/queue_id.h"
#include "libtask/memfile.h"

/* the words of msg_bounce_ask.kind */
enum bounce_kind { KIND_FAILURE = 1, KIND_DELAY = 2, KIND_SUCCESS = 3,
    KIND_HELD = 4 };

struct bounce {
	struct daemon		*daemon;
	struct queue_id_source	 ids;
	struct content_pool	 pool;
	struct dsn_templates	 templates;
	struct buf		 template_text;	/* they are lent from it */
};

/* one report */
struct report {
	struct bounce			*bounce;
	struct daemon			*daemon;
	const struct bounce_params	*p;
	struct arena			*arena;
	struct log			 log;
	const struct msg_bounce_ask	*ask;
	const struct msg_envelope	*e;	/* of the message */
	struct facts			 facts;
	struct slice			 to_text;	/* whom it goes to */
	struct addr			 to;
	struct addr			 sender;	/* of the message */
	struct queue_id			 id;	/* of the report */
	int64_t				 now;	/* us */
	enum memfile_kind		 kind;	/* of its file */
	/* what goes to cleanup: head, content, tail */
	struct buf			 header;
	struct buf			 content;
	struct buf			 head;
	struct buf			 tail;
	bool				 returns_content;
};

/* bounce_content.c: the header, and the content if it is small enough to be
 * returned */
MUST_USE int	bounce_read(struct task *t, struct report *rep);
/* bounce_report.c: the words */
MUST_USE int	bounce_write(struct report *rep);
/* the reply in a result of smtp's: behind "said: ", before "(in reply" */
struct slice	bounce_diagnostic(struct slice text);
/* bounce_serve.c */
MUST_USE int	bounce_serve(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

#endif
