/* SPDX-License-Identifier: ISC */
/*
 * pickup: what its files share. A client is a local user's program (sendmail);
 * the kernel tells whose. Each message is streamed to cleanup as it comes, but
 * for its header, which is looked into first: it may name the recipients.
 */
#ifndef PICKUP_PICKUP_H
#define PICKUP_PICKUP_H

#include "libglobal/content_client.h"
#include "libglobal/daemon.h"
#include "libglobal/ipc_pickup.h"
#include "libmail/queue_id.h"
#include "libmail/scan_data.h"
#include "libmail/status.h"
#include "libutil/hash.h"
#include "pickup/pickup_params.h"

#define PICKUP_RCPTS_MAX	10000

/* what all clients of the process share */
struct pickup {
	struct daemon		*daemon;
	struct queue_id_source	 ids;
	struct content_pool	 pool;
	struct hash		 users;		/* connections of each */
};

/* a message while it comes in */
struct submission {
	struct arena			 arena;
	struct queue_id			 id;
	int64_t				 arrival;	/* us */
	const struct msg_pickup_begin	*begin;		/* in the arena */
	struct slice			 sender;	/* complete */
	struct msg_rcpt			*rcpts;
	size_t				 rcpt_count;
	size_t				 rcpt_cap;
	size_t				 given;		/* addresses asked for */
	struct smtp_data		 data;
	struct buf			 header;	/* until it is whole */
	size_t				 look_at;	/* its length next time */
	bool				 header_done;
	uint64_t			 size;
	struct content_channel		*channel;
	struct status			 refusal;	/* code 0: none */
};

struct pickup_client {
	struct pickup			*pickup;
	struct daemon			*daemon;
	const struct pickup_params	*p;
	struct ipc_conn			 conn;
	struct submission		*s;		/* NULL between messages */
	uint32_t			 uid;
	bool				 counted;
};

/* pickup_session.c */
MUST_USE int	pickup_client(struct task *t, struct daemon *d, int *fd_take,
		    const struct sockaddr_storage *peer, const char *listener);
/* pickup_message.c: errors end the session; what is wrong with the message is
 * its refusal */
MUST_USE int	submission_begin(struct task *t, struct pickup_client *c,
		    const struct msg_pickup_begin *begin);
MUST_USE int	submission_data(struct task *t, struct pickup_client *c,
		    struct slice bytes);
/* the answer; its texts live as long as the submission */
MUST_USE int	submission_end(struct task *t, struct pickup_client *c,
		    struct msg_pickup_done *ret_done);
void	submission_free(struct pickup_client *c);
/* note why the message is not taken; the first reason counts */
void	submission_refuse(struct submission *s, const struct status *why);
/* pickup_rcpt.c */
/* the sender, completed and rewritten */
MUST_USE int	pickup_sender(struct task *t, struct pickup_client *c);
/* one recipient as the user gave it */
MUST_USE int	pickup_add_rcpt(struct task *t, struct pickup_client *c,
		    struct slice address);
/* recipients of the header (sendmail -t) */
MUST_USE int	pickup_extract(struct task *t, struct pickup_client *c,
		    struct slice header);

#endif
