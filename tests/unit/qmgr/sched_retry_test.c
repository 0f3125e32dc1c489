/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "qmgr/sched_retry.h"

#define SEC	SCHED_SECOND
#define DAY	(86400 * SEC)

TEST(sched_retry_pause)	/* the age, between the two back-off times */
{
	static const struct { int64_t age, want; } cases[] = {
		{ 0,		300 },
		{ 299,		300 },
		{ 301,		301 },
		{ 1000,		1000 },
		{ 4000,		4000 },
		{ 86400,	4000 },
		{ -50,		300 },		/* the clock was set back */
	};
	static const struct sched_params p = SCHED_PARAMS_INIT;
	struct sched_retry r, late;
	struct sched_retry_in in;

	for (size_t i = 0; i < COUNT(cases); i++) {
		in = (struct sched_retry_in){ .arrival = 10 * DAY,
		    .now = 10 * DAY + cases[i].age * SEC };
		r = sched_retry_decide(&p, &in);
		CHECK(!r.expired && !r.warn, i);
		CHECK_INT(r.next - in.now, cases[i].want * SEC, i);
		in.random = 1023;
		late = sched_retry_decide(&p, &in);
		CHECK(late.next > r.next, i);
		CHECK(late.next - in.now <= cases[i].want * SEC * 9 / 8, i);
	}
}

TEST(sched_retry_life)
{
	static const struct {
		int64_t	age;
		bool	report, warned, expire;
		bool	expired, warn;
	} cases[] = {
		{ 0,		0, 0, 0,	0, 0 },
		{ 14399,	0, 0, 0,	0, 0 },
		{ 14400,	0, 0, 0,	0, 1 },
		{ 14400,	0, 1, 0,	0, 0 },
		{ 14400,	1, 0, 0,	0, 0 },	/* none about reports */
		{ 100000,	1, 0, 0,	1, 0 },
		{ 431999,	0, 1, 0,	0, 0 },
		{ 432000,	0, 1, 0,	1, 0 },
		{ 10,		0, 0, 1,	1, 0 },
	};
	struct sched_params p = SCHED_PARAMS_INIT;
	struct sched_retry r;
	struct sched_retry_in in;

	p.delay_warning_time = 14400 * SEC;
	p.bounce_queue_lifetime = DAY;
	for (size_t i = 0; i < COUNT(cases); i++) {
		in = (struct sched_retry_in){ .arrival = DAY,
		    .now = DAY + cases[i].age * SEC,
		    .is_report = cases[i].report, .warned = cases[i].warned,
		    .expire = cases[i].expire };
		r = sched_retry_decide(&p, &in);
		CHECK_INT(r.expired, cases[i].expired, i);
		CHECK_INT(r.warn, cases[i].warn, i);
		if (!r.expired)
			CHECK(r.next <= sched_retry_expiry(&p, DAY,
			    cases[i].report), i);
	}
}

TEST(sched_retry_whole_life)	/* five days: tries thin out, the last at the end */
{
	static const struct sched_params p = SCHED_PARAMS_INIT;
	struct sched_retry r = { .next = DAY };
	struct sched_retry_in in = { .arrival = DAY, .random = 77 };
	size_t tries = 0;

	for (; !r.expired && tries < 1000; tries++) {
		in.now = r.next;
		r = sched_retry_decide(&p, &in);
	}
	CHECK_INT(in.now, 6 * DAY, 0);
	CHECK(tries > 90 && tries < 120, tries);
}

TEST(sched_retry_once)		/* a life of 0: tried once */
{
	struct sched_params p = SCHED_PARAMS_INIT;

	p.maximal_queue_lifetime = 0;
	CHECK(sched_retry_decide(&p, &(struct sched_retry_in){
	    .arrival = DAY, .now = DAY }).expired, 0);
}

TEST(sched_feedback_parse)
{
	static const struct {
		const char			*in;
		int				 want;
		enum sched_feedback_kind	 kind;
		double				 number;
	} cases[] = {
		{ "1",			0,	SCHED_FEEDBACK_CONST,	1 },
		{ "0",			0,	SCHED_FEEDBACK_CONST,	0 },
		{ "0.25",		0,	SCHED_FEEDBACK_CONST,	0.25 },
		{ "1/8",		0,	SCHED_FEEDBACK_CONST,	0.125 },
		{ "1/concurrency",	0,	SCHED_FEEDBACK_INVERSE,	1 },
		{ "0.5/sqrt_concurrency", 0,	SCHED_FEEDBACK_SQRT,	0.5 },
		{ "1 / concurrency",	0,	SCHED_FEEDBACK_INVERSE,	1 },
		{ "",			-EBADMSG },
		{ "1.",			-EBADMSG },
		{ "2",			-EBADMSG },	/* more than a step */
		{ "1/0",		-EBADMSG },
		{ "1/windows",		-EBADMSG },
		{ "1/concurrency2",	-EBADMSG },
		{ "-1",			-EBADMSG },
	};
	struct sched_feedback f;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (CHECK_INT(sched_feedback_parse(slice_of(cases[i].in), &f),
		    cases[i].want, i) == 0) {
			CHECK_INT(f.kind, cases[i].kind, i);
			CHECK_INT(f.number * 1000, cases[i].number * 1000, i);
		}
}
