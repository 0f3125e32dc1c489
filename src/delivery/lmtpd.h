/* SPDX-License-Identifier: ISC */
/*
 * lmtpd: what its files share. It is the store's delivery agent: for each
 * recipient of an attempt one question to the process of the account, over a
 * channel that stored handed out and that is kept for the next message.
 */
#ifndef DELIVERY_LMTPD_H
#define DELIVERY_LMTPD_H

#include "delivery/lmtpd_params.h"
#include "libglobal/daemon.h"
#include "libglobal/ipc_deliver.h"
#include "libutil/hash.h"

struct lmtpd {
	struct daemon	*daemon;
	struct hash	 channels;	/* struct channel, by account id */
	struct list	 unused;	/* channels, longest unused first */
	bool		 no_store;	/* said so already */
};

/* why there is no channel, if stored says so; code 0: it did not */
struct channel_refusal {
	uint32_t	code;
	char		text[301];
};

/* lmtpd_channel.c */
/* ask the process of that account, opening a channel if there is none. The
 * answer is in the arena. -ECONNRESET: the process ended before it answered;
 * -ECONNREFUSED: stored refused, as *ret_refusal says */
MUST_USE int	channel_ask(struct task *t, struct lmtpd *l,
		    struct slice account, const struct msg_deliver_ask *ask,
		    struct arena *a, struct msg_deliver_result **ret_result,
		    struct channel_refusal *ret_refusal);

/* lmtpd_deliver.c */
MUST_USE int	lmtpd_serve(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);
/* the same for each try of the same delivery */
#define DELIVERY_ID_BYTES	32
struct msg_envelope;
struct msg_rcpt;
void	lmtpd_delivery_id(const struct msg_envelope *env,
	    const struct msg_rcpt *rcpt, unsigned char ret_id[DELIVERY_ID_BYTES]);
/* the same for each copy of the same message, whoever sends it; its length, or
 * 0 if copies cannot be told from other messages */
size_t	lmtpd_content_id(const struct msg_envelope *env,
	    const struct msg_rcpt *rcpt, unsigned char ret_id[DELIVERY_ID_BYTES]);

#endif
