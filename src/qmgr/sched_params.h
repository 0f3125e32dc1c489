/* SPDX-License-Identifier: ISC */
/*
 * sched_params: the figures that steer the scheduler, under Postfix's names.
 * The fields of a transport are what <transport>_x or default_x of the
 * configuration says. Times are microseconds.
 */
#ifndef QMGR_SCHED_PARAMS_H
#define QMGR_SCHED_PARAMS_H

#include "libutil/slice.h"

#define SCHED_SECOND	((int64_t)1000000)

/* destination_concurrency_positive_feedback and its negative twin: how much
 * one delivery moves the window of N deliveries */
enum sched_feedback_kind {
	SCHED_FEEDBACK_CONST,		/* number */
	SCHED_FEEDBACK_INVERSE,		/* number / N */
	SCHED_FEEDBACK_SQRT,		/* number / sqrt N */
};

struct sched_feedback {
	enum sched_feedback_kind	kind;
	double				number;		/* 0 to 1 */
};

/* "1", "0.5", "1/8", "1/concurrency", "1/sqrt_concurrency"; -EBADMSG */
MUST_USE int	sched_feedback_parse(struct slice text,
		    struct sched_feedback *ret_feedback);

struct sched_transport_params {
	uint32_t		process_limit;	/* deliveries at once, 0: any */
	uint32_t		initial_destination_concurrency;
	uint32_t		destination_concurrency_limit;	/* 0: any */
	struct sched_feedback	positive_feedback;
	struct sched_feedback	negative_feedback;
	uint32_t		failed_cohort_limit;	/* 0: never dead */
	uint32_t		destination_recipient_limit;	/* 0: any */
	int64_t			destination_rate_delay;
	int64_t			transport_rate_delay;
	uint32_t		delivery_slot_cost;	/* 0: no overtaking */
	uint32_t		delivery_slot_loan;
	uint32_t		delivery_slot_discount;	/* percent */
	uint32_t		minimum_delivery_slots;
};

/* Postfix's defaults */
#define SCHED_TRANSPORT_PARAMS_INIT { 100, 5, 20, \
	{ SCHED_FEEDBACK_CONST, 1 }, { SCHED_FEEDBACK_CONST, 1 }, 1, 50, \
	0, 0, 5, 3, 50, 3 }

struct sched_params {
	uint32_t	message_active_limit;
	uint32_t	message_recipient_limit;
	int64_t		queue_run_delay;
	int64_t		minimal_backoff_time;
	int64_t		maximal_backoff_time;
	int64_t		maximal_queue_lifetime;
	int64_t		bounce_queue_lifetime;
	int64_t		delay_warning_time;	/* 0: no warnings */
};

#define SCHED_PARAMS_INIT { 20000, 20000, 300 * SCHED_SECOND, \
	300 * SCHED_SECOND, 4000 * SCHED_SECOND, 432000 * SCHED_SECOND, \
	432000 * SCHED_SECOND, 0 }

#endif
