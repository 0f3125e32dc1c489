/* SPDX-License-Identifier: ISC */
#include "qmgr/sched_retry.h"

#define JITTER_PART	8	/* at most one part in so many is added */

/* clamp - a value between two others; the lower one wins */
static int64_t
clamp(int64_t value, int64_t low, int64_t high)
{
	if (value > high)
		value = high;
	return value < low ? low : value;
}

/* sched_retry_expiry - when a message has waited long enough */
int64_t
sched_retry_expiry(const struct sched_params *p, int64_t arrival,
    bool is_report)
{
	return arrival + (is_report ? p->bounce_queue_lifetime :
	    p->maximal_queue_lifetime);
}

/* sched_retry_decide - try again, warn, or give up */
struct sched_retry
sched_retry_decide(const struct sched_params *p,
    const struct sched_retry_in *in)
{
	struct sched_retry out = { false, false, 0 };
	int64_t		   age, pause, expiry;

	expiry = sched_retry_expiry(p, in->arrival, in->is_report);
	if (in->expire || in->now >= expiry) {
		out.expired = true;
		return out;
	}
	/* a clock that was set back makes no message younger than new */
	age = in->now > in->arrival ? in->now - in->arrival : 0;
	pause = clamp(age, p->minimal_backoff_time, p->maximal_backoff_time);
	/* nothing is looked at more often than the queue is */
	pause = clamp(pause, p->queue_run_delay, INT64_MAX / 4);
	pause += (int64_t)((uint64_t)(pause / JITTER_PART) *
	    (in->random % 1024) / 1024);
	out.next = in->now + pause < expiry ? in->now + pause : expiry;
	out.warn = p->delay_warning_time > 0 && !in->warned &&
	    !in->is_report && age >= p->delay_warning_time;
	return out;
}
