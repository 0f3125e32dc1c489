/* SPDX-License-Identifier: ISC */
/*
 * sched_private: the parts of the scheduler, for sched*.c only.
 *
 * A message has a job for each transport it uses; a job has a peer for each
 * site; a peer holds the recipients that wait, to be cut into deliveries.
 *
 * Order. Each peer has a tag, a place in virtual time: what waits at one site
 * is queued one delivery after the other, so the peers of a busy site lie
 * further and further ahead, and a site that comes new begins at the present:
 * that makes sites take turns. The lowest tag goes first; in one tag the deeper
 * job (that overtakes another), then the older one. The present is the tag last
 * handed out; so that an endless stream of newcomers holds nobody up, it also
 * moves on when as many deliveries were made in it as there are sites that wait.
 *
 * New mail and retries are two lanes, each with a virtual time of its own. When
 * both could go, retries get one delivery in SCHED_LANE_SHARE.
 *
 * Readiness. A peer is only seen through its site: the site is in the ready
 * heaps of its transport while it may take a delivery, each time with its first
 * peer. So sites that are full, slow or dead cost nothing, however much waits
 * for them.
 *
 * Overtaking. Jobs are sorted into classes by their number of deliveries, and
 * there is a heap for each class, so the oldest candidate of each size is known
 * at once. A job may be overtaken by one of a smaller class.
 */
#ifndef QMGR_SCHED_PRIVATE_H
#define QMGR_SCHED_PRIVATE_H

#include "libutil/hash.h"
#include "libutil/list.h"
#include "qmgr/sched.h"
#include "qmgr/sched_heap.h"

#define SCHED_CLASSES		6
#define SCHED_LANES		2
#define SCHED_LANE_SHARE	5
#define SCHED_RANKS		(SCHED_LANES * SCHED_CLASSES)
#define SCHED_LEVEL_SLACK	8	/* more than one round in one tag */
#define SCHED_IDLE_SITES	10000	/* remembered at most */

struct sched {
	struct sched_params	 params;
	struct list		 transports;	/* in turn */
	struct hash		 transport_by_name;
	struct list		 messages;
	struct list		 deliveries;
	struct list		 draining;	/* dead sites with mail */
	struct list		 idle;		/* sites, longest idle first */
	size_t			 idle_count;
	struct sched_heap	 timers;	/* of sites */
	size_t			 message_count;
	size_t			 recipients;
	size_t			 busy;
	size_t			 site_count;
	size_t			 dead_count;
	uint64_t		 seq;
	int64_t			 now;		/* the last time told */
	uint32_t		*lent;		/* to the last SCHED_DEFER */
	char			*lent_reason;
};

struct sched_transport {
	struct sched			*s;
	struct list			 link;
	struct sched_transport_params	 p;
	struct hash			 sites;
	struct sched_heap		 ready[SCHED_RANKS];
	size_t				 busy;
	size_t				 queued;	/* sites with mail */
	int64_t				 not_before;	/* rate delay */
	uint64_t			 present[SCHED_LANES]; /* virtual time */
	size_t				 level[SCHED_LANES]; /* made in it */
	unsigned			 ahead;	/* new ones since a retry */
	size_t				 name_len;
	char				 name[];
};

/* a site's peers of one lane and class, and its place among the ready */
struct sched_rank {
	struct sched_node	 node;	/* in ready[] */
	struct sched_heap	 peers;
};

struct sched_site {
	struct sched_transport	*t;
	struct sched_rank	 rank[SCHED_RANKS];
	struct sched_node	 timer;
	int64_t			 wake;		/* of the timer */
	struct list		 drain_link;
	struct list		 idle_link;
	int64_t			 idle_since;
	int64_t			 dead_until;	/* 0: alive */
	int64_t			 not_before;	/* rate delay */
	size_t			 holders;	/* peers, queued or not */
	size_t			 peer_count;	/* queued */
	size_t			 busy;
	uint32_t		 window;
	double			 credit;	/* fractions of a step */
	double			 cohorts;	/* of failures in a row */
	uint64_t		 end_tag[SCHED_LANES]; /* where its queue ends */
	char			*reason;	/* why it is dead, or NULL */
	size_t			 name_len;
	char			 name[];
};

struct sched_job {
	struct list		 link;		/* of the message */
	struct list		 peers;
	struct sched_message	*m;
	struct sched_transport	*t;
	uint64_t		 seq;		/* 0: not started */
	int64_t			 since;		/* when it was started */
	size_t			 total;		/* deliveries, all */
	size_t			 handed;	/* deliveries handed out */
	size_t			 overtaken;	/* slots it gave to others */
	uint32_t		 depth;		/* 0, or it overtakes */
};

struct sched_peer {
	struct list		 link;		/* of the job */
	struct sched_node	 node;		/* in the site's rank */
	struct sched_job	*job;
	struct sched_site	*site;
	uint64_t		 tag;
	uint64_t		 seq;
	uint8_t			 rank;		/* lane and class */
	bool			 queued;
	size_t			 next;		/* first that waits */
	size_t			 count;
	uint32_t		*rcpts;
};

struct sched_message {
	struct list	link;
	struct list	jobs;
	void		*owner;
	enum sched_lane	lane;
	size_t		waiting;
	size_t		busy;		/* recipients under way */
	size_t		deliveries;
	bool		removed;
};

struct sched_delivery {
	struct list		 link;
	struct sched_site	*site;
	struct sched_message	*m;
	size_t			 count;
	uint32_t		 rcpts[];
};

/* --- sched_site.c */

struct sched_site	*sched_site_find(struct sched_transport *t,
			    struct slice name);
/* the site, made if need be */
struct sched_site	*sched_site_get(struct sched_transport *t,
			    struct slice name);
void	sched_site_free(struct sched_site *site);
/* a peer of it exists: do not forget it */
void	sched_site_hold(struct sched_site *site);
/* may it take one more delivery now? */
bool	sched_site_is_open(const struct sched_site *site, int64_t now);
/* put it into the heaps and lists that fit its state */
void	sched_site_update(struct sched_site *site, int64_t now);
/* a peer joins or leaves; sched_site_update is the caller's */
void	sched_site_add(struct sched_site *site, struct sched_peer *p);
void	sched_site_remove(struct sched_site *site, struct sched_peer *p);
/* the order of a queued peer has changed */
void	sched_site_moved(struct sched_site *site, struct sched_peer *p);
/* any of its peers; NULL if there is none */
struct sched_peer	*sched_site_any(const struct sched_site *site);
/* what a delivery said of it */
void	sched_site_feedback(struct sched_site *site,
	    enum sched_outcome outcome, struct slice reason, int64_t now);
void	sched_site_revive(struct sched_site *site, int64_t now);
/* run timers that are due and forget sites that are idle for long */
void	sched_sites_tick(struct sched *s, int64_t now);
bool	sched_rank_before(const struct sched_node *a,
	    const struct sched_node *b);
bool	sched_timer_before(const struct sched_node *a,
	    const struct sched_node *b);

/* --- sched_pick.c */

/* deliveries that so many recipients make */
size_t	sched_deliveries_of(const struct sched_transport *t, size_t rcpts);
uint8_t	sched_class_of(size_t deliveries);
/* may the transport start one more now? */
bool	sched_transport_is_open(const struct sched_transport *t, int64_t now);
/* the peer that is next at a transport, or NULL */
struct sched_peer	*sched_pick(struct sched_transport *t, int64_t now);

/* --- sched_message.c */

/* release a peer; what it holds is counted elsewhere */
void	sched_peer_free(struct sched_peer *p);
/* release a message, and what waits of it */
void	sched_message_free(struct sched *s, struct sched_message *m);

/* --- sched.c */

/* a transport by name, or NULL */
struct sched_transport	*sched_transport_find(const struct sched *s,
			    struct slice name);

#endif
