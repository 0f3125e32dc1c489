/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "qmgr/sched.h"

#define SEC	SCHED_SECOND

/* a scheduler, one transport, and the deliveries that run in virtual time */
struct world {
	struct sched			*s;
	struct sched_params		 p;
	struct sched_transport_params	 tp;
	int64_t				 now;
	struct running {
		struct sched_delivery	*d;
		int64_t			 end;
		bool			 fails;
	} run[2000];
	size_t				 running;
};

/* what is to happen to a delivery: how long, and does the site fail? */
typedef int64_t	 agent_fn(struct world *w, const struct sched_next *n,
		    bool *ret_fails);

static void
world_begin(struct world *w)
{
	static const struct sched_params p = SCHED_PARAMS_INIT;
	static const struct sched_transport_params tp =
	    SCHED_TRANSPORT_PARAMS_INIT;

	memset(w, 0, sizeof(*w));
	w->p = p;
	w->tp = tp;
	w->now = 1000 * SEC;
}

static void
world_start(struct world *w)
{
	w->s = sched_new(&w->p);
	sched_transport(w->s, S("smtp"), &w->tp);
}

/* add - a message with `count` recipients at a site */
static struct sched_message *
add(struct world *w, const char *site, size_t count, enum sched_lane lane)
{
	struct sched_message *m = sched_message_add(w->s, NULL, lane);
	uint32_t *rcpts = calloc(count, sizeof(*rcpts));

	for (size_t i = 0; i < count; i++)
		rcpts[i] = (uint32_t)i;
	CHECK_INT(sched_message_group(w->s, m, &(struct sched_group){
	    S("smtp"), slice_of(site), rcpts, count }), 0, count);
	sched_message_start(w->s, m, w->now);
	free(rcpts);
	return m;
}

/* add_spread - a message with one recipient at each of `count` sites */
static struct sched_message *
add_spread(struct world *w, const char *stem, size_t count)
{
	struct sched_message *m = sched_message_add(w->s, NULL, SCHED_NEW);
	char name[64];
	uint32_t rcpt;

	for (size_t i = 0; i < count; i++) {
		rcpt = (uint32_t)i;
		(void)snprintf(name, sizeof(name), "%s%zu", stem, i);
		CHECK_INT(sched_message_group(w->s, m, &(struct sched_group){
		    S("smtp"), slice_of(name), &rcpt, 1 }), 0, i);
	}
	sched_message_start(w->s, m, w->now);
	return m;
}

/* end_one - end the delivery that is over first */
static void
end_one(struct world *w)
{
	size_t first = 0;

	for (size_t i = 1; i < w->running; i++)
		if (w->run[i].end < w->run[first].end)
			first = i;
	if (w->run[first].end > w->now)
		w->now = w->run[first].end;
	sched_done(w->s, &w->run[first].d, w->run[first].fails ?
	    SCHED_SITE_FAILED : SCHED_SITE_OK, S("connection refused"),
	    w->now);
	w->run[first] = w->run[--w->running];
}

/* step - the next thing that happens; false when nothing more will. What was
 * handed out is in *n (kind DELIVER or DEFER), else n->kind is IDLE or WAIT. */
static bool
step(struct world *w, agent_fn *agent, struct sched_next *n)
{
	sched_next(w->s, w->now, n);
	if (n->kind == SCHED_DELIVER) {
		struct running *r = &w->run[w->running++];

		r->d = n->delivery;
		r->end = w->now + agent(w, n, &r->fails);
		return true;
	}
	if (n->kind == SCHED_DEFER)
		return true;
	if (w->running > 0) {
		int64_t first = INT64_MAX;

		for (size_t i = 0; i < w->running; i++)
			if (w->run[i].end < first)
				first = w->run[i].end;
		if (n->kind == SCHED_WAIT && n->wake < first)
			w->now = n->wake;
		else
			end_one(w);
		return true;
	}
	if (n->kind != SCHED_WAIT)
		return false;
	w->now = n->wake;
	return true;
}

static int64_t
second_each(struct world *w, const struct sched_next *n, bool *ret_fails)
{
	(void)w;
	(void)n;
	*ret_fails = false;
	return SEC;
}

static void
world_end(struct world *w)
{
	struct sched_next n;
	struct sched_counts c;

	for (size_t i = 0; i < 1000000 && step(w, second_each, &n); i++)
		;
	sched_count(w->s, &c);
	CHECK_INT(c.recipients, 0, 0);
	CHECK_INT(c.busy, 0, 0);
	sched_free(&w->s);
	CHECK(w->s == NULL, 0);
}

TEST(sched_one_message_and_nothing)
{
	struct world w;
	struct sched_next n;
	struct sched_message *m;

	world_begin(&w);
	world_start(&w);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_IDLE, 0);
	m = add(&w, "example.org", 3, SCHED_NEW);
	CHECK_INT(sched_message_waiting(m), 3, 0);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_DELIVER, 0);
	CHECK_TEXT(n.site, "example.org", 0);
	CHECK_TEXT(n.transport, "smtp", 0);
	CHECK_INT(n.rcpt_count, 3, 0);
	CHECK_INT(n.rcpts[2], 2, 0);
	CHECK(n.message == m, 0);
	CHECK_INT(sched_message_waiting(m), 0, 1);
	CHECK_INT(sched_message_busy(m), 3, 1);
	sched_done(w.s, &n.delivery, SCHED_SITE_OK, SLICE_EMPTY, w.now);
	CHECK_INT(sched_message_busy(m), 0, 2);
	sched_message_remove(w.s, &m);
	CHECK(m == NULL, 0);
	CHECK_INT(sched_message_group(w.s, NULL, &(struct sched_group){
	    S("nosuch"), S("x"), NULL, 0 }), -ENOENT, 0);
	world_end(&w);
}

TEST(sched_recipient_limit)		/* 101 recipients: 50, 50, 1 */
{
	static const size_t want[] = { 50, 50, 1 };
	struct world w;
	struct sched_next n;

	world_begin(&w);
	world_start(&w);
	(void)add(&w, "example.org", 101, SCHED_NEW);
	for (size_t i = 0; i < COUNT(want); i++) {
		CHECK(step(&w, second_each, &n), i);
		CHECK_INT(n.kind, SCHED_DELIVER, i);
		CHECK_INT(n.rcpt_count, want[i], i);
		CHECK_INT(n.rcpts[0], i * 50, i);
	}
	world_end(&w);
}

TEST(sched_window_opens_with_success)	/* 5 at first, 20 at most */
{
	struct world w;
	struct sched_next n;
	size_t most = 0;

	world_begin(&w);
	w.tp.destination_recipient_limit = 1;
	world_start(&w);
	(void)add(&w, "example.org", 400, SCHED_NEW);
	for (size_t i = 0; i < 5; i++) {
		sched_next(w.s, w.now, &n);
		CHECK_INT(n.kind, SCHED_DELIVER, i);
		w.run[w.running++] = (struct running){ n.delivery,
		    w.now + SEC, false };
	}
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_IDLE, 0);
	while (step(&w, second_each, &n))
		if (w.running > most)
			most = w.running;
	CHECK_INT(most, 20, 0);
	world_end(&w);
}

static int64_t
slow_and_dead(struct world *w, const struct sched_next *n, bool *ret_fails)
{
	(void)w;
	*ret_fails = slice_has_prefix(n->site, S("dead"));
	return *ret_fails ? 30 * SEC : SEC;
}

TEST(sched_dead_site_delays_no_other)
{
	struct world w;
	struct sched_next n;
	size_t deferred = 0, delivered = 0;
	int64_t last_good = 0, dead_until = 0;

	world_begin(&w);
	w.tp.process_limit = 30;
	world_start(&w);
	for (size_t i = 0; i < 1000; i++)
		(void)add(&w, "dead.example", 1, SCHED_NEW);
	for (size_t i = 0; i < 100; i++)
		(void)add(&w, "good.example", 1, SCHED_NEW);
	while (step(&w, slow_and_dead, &n)) {
		if (n.kind == SCHED_DEFER) {
			deferred += n.rcpt_count;
			CHECK_TEXT(n.reason, "connection refused", deferred);
			CHECK_TEXT(n.site, "dead.example", deferred);
			dead_until = n.dead_until;
		} else if (n.kind == SCHED_DELIVER &&
		    slice_equal(n.site, S("good.example"))) {
			delivered++;
			last_good = w.now;
		}
		if (delivered == 100 && deferred >= 990)
			break;
	}
	CHECK_INT(delivered, 100, 0);
	CHECK(last_good < 1030 * SEC, last_good / SEC);
	CHECK(deferred >= 990, deferred);
	/* what comes while it is dead is handed back at once */
	while (step(&w, slow_and_dead, &n) && n.kind != SCHED_WAIT)
		;
	(void)add(&w, "dead.example", 2, SCHED_NEW);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_DEFER, 1);
	CHECK_INT(n.rcpt_count, 2, 1);
	CHECK_INT(n.dead_until - dead_until, 0, 1);
	/* and afterwards it is tried again */
	w.now = dead_until;
	(void)add(&w, "dead.example", 2, SCHED_NEW);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_DELIVER, 2);
	sched_done(w.s, &n.delivery, SCHED_SITE_OK, SLICE_EMPTY, w.now);
	world_end(&w);
}

TEST(sched_failed_cohorts)
{
	static const struct { uint32_t limit; size_t want; } cases[] = {
		{ 1,	4 },	/* 1/5 + 1/4 + 1/3 + 1/2 */
		{ 2,	5 },	/* ... + 1 */
		{ 0,	20 },	/* never */
	};
	struct sched_next n;
	struct sched_counts c;
	struct world w;
	size_t tries;

	for (size_t i = 0; i < COUNT(cases); i++) {
		world_begin(&w);
		w.tp.failed_cohort_limit = cases[i].limit;
		world_start(&w);
		for (tries = 0; tries < 20; tries++) {
			(void)add(&w, "x", 1, SCHED_NEW);
			sched_next(w.s, w.now, &n);
			if (n.kind != SCHED_DELIVER)
				break;
			sched_done(w.s, &n.delivery, SCHED_SITE_FAILED,
			    S("timeout"), w.now);
		}
		CHECK_INT(tries, cases[i].want, i);
		sched_count(w.s, &c);
		CHECK_INT(c.dead_sites, cases[i].limit != 0, i);
		sched_revive(w.s, S("smtp"), SLICE_EMPTY, w.now);
		sched_count(w.s, &c);
		CHECK_INT(c.dead_sites, 0, i);
		world_end(&w);
	}
}

TEST(sched_sites_take_turns)	/* although one site's window fills the room */
{
	struct world w;
	struct sched_next n;
	size_t before = 0, other = 0;

	world_begin(&w);
	w.tp.process_limit = 2;
	w.tp.delivery_slot_cost = 0;		/* it is not overtaking */
	world_start(&w);
	for (size_t i = 0; i < 500; i++)
		(void)add(&w, "big.example", 1, SCHED_NEW);
	for (size_t i = 0; i < 20; i++)
		CHECK(step(&w, second_each, &n), i);
	for (size_t i = 0; i < 10; i++)
		(void)add(&w, "small.example", 1, SCHED_NEW);
	while (other < 10 && step(&w, second_each, &n)) {
		if (n.kind != SCHED_DELIVER)
			continue;
		if (slice_equal(n.site, S("small.example")))
			other++;
		else
			before++;
	}
	CHECK(before <= 11, before);
	world_end(&w);
}

TEST(sched_newcomers_starve_nobody)	/* a new site each second, for ever */
{
	struct world w;
	struct sched_next n;
	size_t served = 0;
	char name[32];

	world_begin(&w);
	w.tp.process_limit = 1;
	world_start(&w);
	for (size_t i = 0; i < 20; i++)
		(void)add(&w, "steady.example", 1, SCHED_NEW);
	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		(void)add(&w, name, 1, SCHED_NEW);
		for (int done = 0; !done && step(&w, second_each, &n);)
			if (n.kind == SCHED_DELIVER) {
				served += slice_equal(n.site,
				    S("steady.example"));
				done = 1;
			}
	}
	CHECK_INT(served, 20, 0);
	world_end(&w);
}

/* wait_for_small - a small message comes behind a big one of 10,000
 * recipients: how many of the big one's deliveries go before it is done? */
static size_t
wait_for_small(uint32_t cost, size_t small, bool spread)
{
	struct world w;
	struct sched_next n;
	struct sched_message *m;
	size_t before = 0, done = 0;

	world_begin(&w);
	w.tp.process_limit = 10;
	w.tp.delivery_slot_cost = cost;
	w.p.message_recipient_limit = 100000;
	world_start(&w);
	if (spread)
		(void)add_spread(&w, "blast", 10000);
	else {
		w.tp.destination_recipient_limit = 1;
		sched_transport(w.s, S("smtp"), &w.tp);
		(void)add(&w, "blast", 10000, SCHED_NEW);
	}
	for (size_t i = 0; i < 100; i++)
		CHECK(step(&w, second_each, &n), i);
	w.now += SEC;
	m = spread ? add_spread(&w, "small", small) :
	    add(&w, "blast", small, SCHED_NEW);
	while (done < small && step(&w, second_each, &n)) {
		if (n.kind != SCHED_DELIVER)
			continue;
		if (n.message == m)
			done++;
		else
			before++;
	}
	world_end(&w);
	return before;
}

TEST(sched_small_overtakes_big)
{
	static const struct {
		uint32_t	cost;
		size_t		small;
		bool		spread;
		size_t		least;
		size_t		most;
	} cases[] = {
		{ 5,	1,	true,	0,	5 },	/* on loan */
		{ 5,	10,	true,	0,	60 },
		{ 5,	1,	false,	0,	20 },	/* same site */
		{ 0,	1,	true,	9000,	10000 }, /* none: first come */
		/* its slots would be too many: cost beyond what it earns */
		{ 5000,	1,	true,	9000,	10000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = wait_for_small(cases[i].cost, cases[i].small,
		    cases[i].spread);

		CHECK(n >= cases[i].least && n <= cases[i].most, i);
		if (n < cases[i].least || n > cases[i].most)
			printf("# row %zu: %zu\n", i, n);
	}
}

TEST(sched_many_small_share_slots)	/* the big one gets on: cost to 1 */
{
	struct world w;
	struct sched_next n;
	struct sched_message *big;
	size_t big_done = 0, small_done = 0;
	char name[32];

	world_begin(&w);
	w.tp.process_limit = 1;
	world_start(&w);
	big = add_spread(&w, "blast", 5000);
	for (size_t i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "small%zu", i);
		(void)add(&w, name, 1, SCHED_NEW);
	}
	while (big_done + small_done < 600 && step(&w, second_each, &n)) {
		if (n.kind != SCHED_DELIVER)
			continue;
		if (n.message == big)
			big_done++;
		else
			small_done++;
	}
	CHECK(small_done >= 90 && small_done <= 110, small_done);
	world_end(&w);
}

TEST(sched_new_mail_before_retries)
{
	struct world w;
	struct sched_next n;
	size_t before = 0;
	struct sched_message *m;
	char name[32];

	for (int same_site = 0; same_site < 2; same_site++) {
		world_begin(&w);
		w.tp.process_limit = 1;
		world_start(&w);
		for (size_t i = 0; i < 5000; i++) {
			(void)snprintf(name, sizeof(name), "r%zu", i);
			(void)add(&w, same_site ? "x" : name, 1, SCHED_RETRY);
		}
		for (size_t i = 0; i < 10; i++)
			CHECK(step(&w, second_each, &n), i);
		m = add(&w, "x", 1, SCHED_NEW);
		for (before = 0; step(&w, second_each, &n);
		    before += n.kind == SCHED_DELIVER)
			if (n.kind == SCHED_DELIVER && n.message == m)
				break;
		CHECK(before <= 2, before);
		/* and they are not starved either */
		for (size_t i = 0; i < 100; i++) {
			(void)snprintf(name, sizeof(name), "n%zu", i);
			(void)add(&w, name, 1, SCHED_NEW);
		}
		before = 0;
		for (size_t i = 0; i < 100;) {
			CHECK(step(&w, second_each, &n), i);
			if (n.kind != SCHED_DELIVER)
				continue;
			i++;
			before += n.site.data[0] != 'n';
		}
		CHECK(before >= 18 && before <= 22, before);
		world_end(&w);
	}
}

TEST(sched_room)
{
	struct world w;
	struct sched_message *m;

	world_begin(&w);
	w.p.message_active_limit = 100;
	w.p.message_recipient_limit = 1000;
	world_start(&w);
	CHECK_INT(sched_room(w.s, SCHED_NEW), 100, 0);
	CHECK_INT(sched_room(w.s, SCHED_RETRY), 75, 0);
	for (size_t i = 0; i < 80; i++)
		(void)add(&w, "x", 1, SCHED_NEW);
	CHECK_INT(sched_room(w.s, SCHED_NEW), 20, 1);
	CHECK_INT(sched_room(w.s, SCHED_RETRY), 0, 1);
	m = add(&w, "x", 920, SCHED_NEW);
	CHECK_INT(sched_room(w.s, SCHED_NEW), 0, 2);
	sched_message_remove(w.s, &m);
	CHECK_INT(sched_room(w.s, SCHED_NEW), 20, 3);
	world_end(&w);
}

TEST(sched_rate_delay)
{
	struct world w;
	struct sched_next n;
	int64_t last = 0;
	size_t count = 0;

	/* one site: one at a time, 10 s from the end of one to the next */
	for (int all = 0; all < 2; all++) {
		world_begin(&w);
		if (all)
			w.tp.transport_rate_delay = 10 * SEC;
		else
			w.tp.destination_rate_delay = 10 * SEC;
		world_start(&w);
		for (size_t i = 0; i < 5; i++)
			(void)add(&w, all && i % 2 ? "y" : "x", 1, SCHED_NEW);
		for (count = 0; step(&w, second_each, &n);) {
			if (n.kind != SCHED_DELIVER)
				continue;
			CHECK_INT(w.running, 1, count);
			if (count++ > 0)
				CHECK_INT(w.now - last, 11 * SEC, count);
			last = w.now;
		}
		CHECK_INT(count, 5, all);
		world_end(&w);
	}
}

TEST(sched_remove_while_busy)
{
	struct world w;
	struct sched_next n;
	struct sched_message *m;
	struct sched_counts c;
	int owner;

	world_begin(&w);
	world_start(&w);
	m = sched_message_add(w.s, &owner, SCHED_NEW);
	CHECK(sched_message_owner(m) == &owner, 0);
	sched_message_remove(w.s, &m);
	m = add(&w, "x", 120, SCHED_NEW);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_DELIVER, 0);
	sched_message_remove(w.s, &m);
	sched_count(w.s, &c);
	CHECK_INT(c.messages, 1, 0);
	CHECK_INT(c.recipients, 50, 0);
	CHECK(sched_message_owner(sched_delivery_message(n.delivery)) == NULL,
	    0);
	sched_done(w.s, &n.delivery, SCHED_SITE_OK, SLICE_EMPTY, w.now);
	sched_count(w.s, &c);
	CHECK_INT(c.messages, 0, 1);
	/* release with everything still in it */
	m = add(&w, "x", 120, SCHED_NEW);
	sched_next(w.s, w.now, &n);
	sched_free(&w.s);
}

TEST(sched_adopted_delivery_counts)
{
	struct world w;
	struct sched_next n;
	struct sched_message *m;
	struct sched_delivery *d;

	world_begin(&w);
	w.tp.destination_concurrency_limit = 1;
	world_start(&w);
	CHECK(sched_is_open(w.s, S("smtp"), S("x"), w.now), 0);
	CHECK(!sched_is_open(w.s, S("nosuch"), S("x"), w.now), 0);
	m = sched_message_add(w.s, NULL, SCHED_NEW);
	d = sched_adopt(w.s, m, S("smtp"), S("x"), 3, w.now);
	CHECK(!sched_is_open(w.s, S("smtp"), S("x"), w.now), 1);
	CHECK_INT(sched_message_busy(m), 3, 1);
	(void)add(&w, "x", 1, SCHED_NEW);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_IDLE, 1);
	sched_done(w.s, &d, SCHED_SITE_OK, SLICE_EMPTY, w.now);
	CHECK_INT(sched_message_busy(m), 0, 2);
	sched_next(w.s, w.now, &n);
	CHECK_INT(n.kind, SCHED_DELIVER, 2);
	sched_done(w.s, &n.delivery, SCHED_SITE_UNKNOWN, SLICE_EMPTY, w.now);
	world_end(&w);
}

TEST(sched_idle_sites_are_forgotten)
{
	struct world w;
	struct sched_next n;
	struct sched_counts c;

	world_begin(&w);
	w.p.message_active_limit = 100000;
	w.p.message_recipient_limit = 100000;
	world_start(&w);
	(void)add_spread(&w, "site", 20000);
	while (step(&w, second_each, &n))
		;
	sched_next(w.s, w.now, &n);
	sched_count(w.s, &c);
	CHECK(c.sites <= 10000, c.sites);
	sched_next(w.s, w.now + 301 * SEC, &n);
	sched_count(w.s, &c);
	CHECK_INT(c.sites, 0, 0);
	world_end(&w);
}

/* anything may happen in any order; the sums must hold at all times */
TEST(sched_random_walk)
{
	struct world w;
	struct sched_next n;
	struct sched_message *m[50] = { NULL };
	struct sched_counts c;
	uint64_t x = 88172645463325252;
	size_t sum;
	char name[16];

	world_begin(&w);
	w.tp.destination_recipient_limit = 3;
	w.tp.process_limit = 7;
	world_start(&w);
	for (size_t i = 0; i < 200000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		size_t at = (x >> 8) % COUNT(m);

		(void)snprintf(name, sizeof(name), "s%u",
		    (unsigned)(x >> 20) % 9);
		switch (x % 7) {
		case 0:
			if (m[at] == NULL)
				m[at] = add(&w, name, 1 + (x >> 32) % 200,
				    (x >> 40) % 2 ? SCHED_NEW : SCHED_RETRY);
			break;
		case 1:
			if ((x >> 33) % 4 == 0)
				sched_message_remove(w.s, &m[at]);
			else if (m[at] != NULL)
				sched_message_cancel(w.s, m[at]);
			break;
		case 2:
			w.now += (int64_t)((x >> 30) % (2 * SEC));
			break;
		case 3:
			if (w.running > 0) {
				size_t k = (x >> 30) % w.running;

				sched_done(w.s, &w.run[k].d,
				    (x >> 50) % 3, S("why"), w.now);
				w.run[k] = w.run[--w.running];
			}
			break;
		default:
			sched_next(w.s, w.now, &n);
			if (n.kind == SCHED_DELIVER)
				w.run[w.running++].d = n.delivery;
			CHECK(w.running <= 7, i);
		}
		sched_count(w.s, &c);
		CHECK_INT(c.busy, w.running, i);
		if (i % 1000 == 0) {
			sum = 0;
			for (size_t k = 0; k < COUNT(m); k++)
				if (m[k] != NULL)
					sum += sched_message_waiting(m[k]) +
					    sched_message_busy(m[k]);
			CHECK(sum <= c.recipients, i);
		}
	}
	for (size_t k = 0; k < w.running; k++)
		w.run[k].end = w.now;
	world_end(&w);
}
