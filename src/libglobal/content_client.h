/* SPDX-License-Identifier: ISC */
/*
 * content_client: giving messages to cleanup, for smtpd, pickup and bounce. A
 * channel carries one message at a time and is kept for the next one when that
 * has ended well; after anything else it is dropped, and cleanup forgets what
 * it had.
 *
 *	content_channel_get(t, &pool, &ch)
 *	content_begin(t, ch, &envelope, &begin)
 *	content_data(t, ch, bytes) ...
 *	content_end(t, ch, &arena, &status)
 *	content_channel_put(&pool, &ch)
 *
 * Errors are about cleanup; what it says of the mail is the status.
 */
#ifndef LIBGLOBAL_CONTENT_CLIENT_H
#define LIBGLOBAL_CONTENT_CLIENT_H

#include "libglobal/ipc_content.h"
#include "libutil/list.h"

struct daemon;
struct status;

struct content_channel {
	struct list	link;
	struct ipc_conn	conn;
};

/* the idle channels of a process */
struct content_pool {
	struct daemon	*daemon;
	struct list	 idle;
	size_t		 count;
};

void	content_pool_init(struct content_pool *p, struct daemon *d);
/* close the idle ones */
void	content_pool_done(struct content_pool *p);

/* an idle one, or a fresh one */
MUST_USE int	content_channel_get(struct task *t, struct content_pool *p,
		    struct content_channel **ret_channel);
/* keep it: its last message has ended well */
void	content_channel_put(struct content_pool *p,
	    struct content_channel **take);
/* close it; NULL is a no-op */
void	content_channel_drop(struct content_channel **take);

/* a message begins; the envelope goes in place of begin's */
MUST_USE int	content_begin(struct task *t, struct content_channel *ch,
		    const struct msg_envelope *e, struct msg_content_begin *b);
/* a run of it, of any length */
MUST_USE int	content_data(struct task *t, struct content_channel *ch,
		    struct slice bytes);
/* that was all: wait for what became of it; -ETIMEDOUT */
MUST_USE int	content_end(struct task *t, struct content_channel *ch,
		    struct arena *a, struct status *ret_status);
/* the same; the answers of each recipient live in the arena. The rest is for
 * content_unheard; an empty content_id: copies cannot be told from others. */
struct content_answers {
	const struct msg_rcpt_answer	*v;
	size_t				 n;
	struct msg_content_unheard	 name;
};
MUST_USE int	content_end_each(struct task *t, struct content_channel *ch,
		    struct arena *a, struct status *ret_status,
		    struct content_answers *ret_answers);
/* who was told that the message was taken may not have heard it */
MUST_USE int	content_unheard(struct task *t, struct content_pool *p,
		    const struct msg_content_unheard *name);

#endif
