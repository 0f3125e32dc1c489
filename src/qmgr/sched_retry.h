/* SPDX-License-Identifier: ISC */
/*
 * sched_retry: when a message that could not be delivered is tried again, and
 * when it is given up. Pure arithmetic on times in microseconds; all of them,
 * `now` included, on the same clock (the wall clock, because messages outlive
 * the process).
 *
 * As in Postfix the pause is the age of the message, between minimal and
 * maximal_backoff_time: so it about doubles from try to try. Up to an eighth
 * is added at random, so that what failed together is not tried together. The
 * last try is at expiry, not some pause before or after it.
 */
#ifndef QMGR_SCHED_RETRY_H
#define QMGR_SCHED_RETRY_H

#include "qmgr/sched_params.h"

struct sched_retry_in {
	int64_t		arrival;
	int64_t		now;
	bool		is_report;	/* null sender: bounce_queue_lifetime */
	bool		warned;		/* the delay notice went out */
	bool		expire;		/* the admin said so */
	uint32_t	random;		/* any number */
};

struct sched_retry {
	bool		expired;	/* give up; nothing below counts */
	bool		warn;		/* send the delay notice now */
	int64_t		next;		/* try again at */
};

/* what a temporary failure means for the message */
struct sched_retry	sched_retry_decide(const struct sched_params *p,
			    const struct sched_retry_in *in);
/* the end of its life */
int64_t	sched_retry_expiry(const struct sched_params *p, int64_t arrival,
	    bool is_report);

#endif
