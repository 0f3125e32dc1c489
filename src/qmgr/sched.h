/* SPDX-License-Identifier: ISC */
/*
 * sched: which message goes to which destination next. A data structure in
 * memory, called by qmgr with the time (any clock that only goes forward, in
 * microseconds); it does no I/O, knows no tasks and owns no message content.
 * Each operation takes O(log n) in what is active. Deferred messages are not
 * here: the state's index by time (qstate.h) feeds them in when they are due.
 *
 * A message is one or more groups of recipients that share transport and site.
 * The site is the destination whose concurrency is limited: the next hop, or,
 * where destination_recipient_limit is 1, as in Postfix, the recipient. Each
 * group is cut into deliveries of at most destination_recipient_limit.
 *
 * What is promised:
 * - A site gets no more deliveries at once than its window, which follows
 *   Postfix's feedback between 1 and destination_concurrency_limit; after
 *   failed_cohort_limit pseudo-cohorts of failures it is dead for
 *   minimal_backoff_time and what waits for it is handed back to be deferred.
 * - Sites with work take turns; a slow or dead one holds up no other.
 * - Within a site the oldest message goes first, but mail that is new does not
 *   wait behind retries.
 * - A big message is overtaken by smaller ones as delivery slots allow, with
 *   Postfix's cost, loan, discount and minimum.
 */
#ifndef QMGR_SCHED_H
#define QMGR_SCHED_H

#include "qmgr/sched_params.h"

struct sched;
struct sched_message;
struct sched_delivery;

/* params are copied; transports are declared before they are used */
struct sched	*sched_new(const struct sched_params *p);
/* release it, and all messages and deliveries in it */
void	sched_free(struct sched **s_take);
/* change the figures (reload); windows and messages stay */
void	sched_set_params(struct sched *s, const struct sched_params *p);
/* declare a transport or change its figures */
void	sched_transport(struct sched *s, struct slice name,
	    const struct sched_transport_params *p);
bool	sched_has_transport(const struct sched *s, struct slice name);

/* --- messages in */

enum sched_lane {
	SCHED_NEW,		/* its first try */
	SCHED_RETRY,
};

/* how many more messages of that lane would be taken now. Retries leave a
 * quarter of message_active_limit to new mail. 0 too while more than
 * message_recipient_limit recipients are held. */
size_t	sched_room(const struct sched *s, enum sched_lane lane);

/* a new, empty message; `owner` is the caller's */
struct sched_message	*sched_message_add(struct sched *s, void *owner,
			    enum sched_lane lane);
void	*sched_message_owner(const struct sched_message *m);

struct sched_group {
	struct slice	 transport;
	struct slice	 site;		/* copied */
	const uint32_t	*rcpts;		/* the caller's numbers; copied */
	size_t		 rcpt_count;
};
/* recipients to try, from sched_message_start on. -ENOENT: no such transport,
 * nothing was added. */
MUST_USE int	sched_message_group(struct sched *s, struct sched_message *m,
		    const struct sched_group *g);
/* what was added is complete and may be handed out. More may be added and
 * started while the message is under way. */
void	sched_message_start(struct sched *s, struct sched_message *m,
	    int64_t now);
/* recipients not handed out yet, and those in deliveries under way */
size_t	sched_message_waiting(const struct sched_message *m);
size_t	sched_message_busy(const struct sched_message *m);
/* forget it; what waits is dropped. While deliveries are under way it is
 * forgotten when the last one is done; its owner is NULL until then. */
void	sched_message_remove(struct sched *s, struct sched_message **m_take);
/* drop what waits of it (hold, delete); what is under way goes on */
void	sched_message_cancel(struct sched *s, struct sched_message *m);

/* --- deliveries out */

enum sched_kind {
	SCHED_IDLE,		/* nothing waits, or all of it for a done */
	SCHED_WAIT,		/* ask again at ret->wake, or after a done */
	SCHED_DELIVER,		/* start this; tell sched_done */
	SCHED_DEFER,		/* its site is dead: defer these recipients */
};

struct sched_next {
	enum sched_kind		 kind;
	int64_t			 wake;		/* WAIT */
	struct sched_delivery	*delivery;	/* DELIVER: ends in sched_done */
	struct sched_message	*message;	/* DELIVER and DEFER */
	struct slice		 transport;
	struct slice		 site;
	const uint32_t		*rcpts;		/* lent: to the end of the
						 * delivery; DEFER: to the next
						 * call */
	size_t			 rcpt_count;
	struct slice		 reason;	/* DEFER: why the site is dead */
	int64_t			 dead_until;	/* DEFER */
};

/* what to do now */
void	sched_next(struct sched *s, int64_t now, struct sched_next *ret_next);

/* what a delivery said of its site; what became of each recipient is the
 * caller's to know */
enum sched_outcome {
	SCHED_SITE_OK,		/* it answered, whatever it said of the mail */
	SCHED_SITE_FAILED,	/* no connection, greeting or handshake */
	SCHED_SITE_UNKNOWN,	/* nothing can be said (we gave up, agent died) */
};
/* a delivery is over. The reason (of a failed site) is what SCHED_DEFER will
 * tell. Afterwards sched_message_waiting and _busy of its message say whether
 * that is done; the message stays until sched_message_remove. */
void	sched_done(struct sched *s, struct sched_delivery **d_take,
	    enum sched_outcome outcome, struct slice reason, int64_t now);
struct sched_message	*sched_delivery_message(const struct sched_delivery *d);

/* --- through mode and the admin */

/* could a delivery to that site start at once? -ENOENT: no such transport */
bool	sched_is_open(struct sched *s, struct slice transport,
	    struct slice site, int64_t now);
/* a delivery that runs already, begun outside (it counts for the window) */
struct sched_delivery	*sched_adopt(struct sched *s, struct sched_message *m,
			    struct slice transport, struct slice site,
			    size_t rcpt_count, int64_t now);
/* forget that sites are dead (queue flush); an empty site means all */
void	sched_revive(struct sched *s, struct slice transport,
	    struct slice site, int64_t now);

struct sched_counts {
	size_t	messages, recipients, busy, sites, dead_sites;
};
void	sched_count(const struct sched *s, struct sched_counts *ret_counts);

#endif
