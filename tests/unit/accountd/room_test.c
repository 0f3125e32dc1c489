/* SPDX-License-Identifier: ISC */
/* More sessions of one account than may be awake at a time: they take turns,
 * and nobody is lost. */
#include "process_world.h"

#include "libutil/alloc.h"

static const struct mail mail = { "anna@example.org",
    S("Subject: hi\r\n\r\nbody\r\n"), NULL, 0, 0, true };

/* handle - "the handle 7"; good until the next call */
static const char *
handle(int number)
{
	static char text[32];

	snprintf(text, sizeof(text), HANDLE "%d", number);
	return text;
}

/* come - log in as number, and idle */
static int
come(struct task *t, struct world *w, struct front_end *f, int number)
{
	int r;

	if ((r = front_open_as(t, w, f, handle(number), 1, SLICE_EMPTY)) < 0 ||
	    (r = expect(t, f, "a1 OK")) < 0 ||
	    (r = tell(f, "b SELECT INBOX\r\nc IDLE\r\n")) < 0 ||
	    (r = expect(t, f, "+ ")) < 0)
		return r;
	return task_sleep(t, 100);
}

/* resume - it slept */
static int
resume(struct task *t, struct world *w, struct front_end *f, int number)
{
	struct kept *k = &w->kept[number];

	front_close(t, f);
	return front_open_as(t, w, f, handle(number), 1 + k->frozen,
	    buf_slice(&k->state));
}

/* one_mail - somebody delivers */
static int
one_mail(struct task *t, struct world *w)
{
	struct deliverer d;
	int	r;

	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	deliverer_close(t, &d);
	return 0;
}

/* the one that has been quiet longest makes room, and no other */
static int
run_longest(struct task *t, struct world *w)
{
	struct front_end f[4];
	int	r;

	for (int i = 0; i < 3; i++)
		if ((r = come(t, w, &f[i], i)) < 0)
			return r;
	/* 0 says something: it is 1 that is quiet longest */
	if ((r = tell(&f[0], "DONE\r\nd IDLE\r\n")) < 0 ||
	    (r = expect(t, &f[0], "+ ")) < 0 || (r = task_sleep(t, 5000)) < 0)
		return r;
	CHECK_INT(w->frozen, 0, 0);
	if ((r = come(t, w, &f[3], 3)) < 0)
		return r;
	CHECK_INT(w->frozen, 1, 1);
	CHECK(w->kept[1].asleep && w->kept[1].idling && f[1].ended, 1);
	CHECK(!f[1].closed, 1);
	/* nobody else wants its place: all stay */
	CHECK_INT(task_sleep(t, 100000), 0, 0);
	CHECK_INT(w->frozen, 1, 2);
	CHECK_INT(w->changed, 0, 2);
	/* the process lives, and mail comes: stored is told to wake the one,
	 * at once, and the others hear of it */
	if ((r = one_mail(t, w)) < 0 || (r = task_sleep(t, 5)) < 0)
		return r;
	CHECK_INT(w->changed, 1, 3);
	if ((r = resume(t, w, &f[1], 1)) < 0)
		return r;
	for (int i = 0; i < 4; i++)
		if ((r = expect(t, &f[i], "* 1 EXISTS")) < 0)
			return r;
	CHECK_INT(w->frozen, 2, 4);
	CHECK(!w->kept[1].asleep, 4);
	for (int i = 0; i < 4; i++)
		front_close(t, &f[i]);
	return 0;
}

TEST(room_for_who_was_quiet_longest)
{
	struct world w = { .create = true, .session_limit = "3" };

	enter("longest");
	run_life(&w, run_longest);
	world_done(&w);
}

#define CROWD	40

/* wake_all - as stored does when it is told */
static int
wake_all(struct task *t, struct world *w, struct front_end *f)
{
	int r = 0;

	for (int i = 0; r == 0 && i < CROWD; i++)
		if (w->kept[i].asleep && f[i].ended) {
			w->kept[i].asleep = false;
			r = resume(t, w, &f[i], i);
		}
	return r;
}

/* far more than the limit idle; mail wakes all, and all hear of it */
static int
run_crowd(struct task *t, struct world *w)
{
	struct front_end *f = xcalloc(CROWD, sizeof(*f));
	unsigned before;
	int	r = 0;

	for (int i = 0; r == 0 && i < CROWD; i++)
		r = come(t, w, &f[i], i);
	CHECK_INT(w->frozen, CROWD - 3, 0);
	if (r < 0 || (r = one_mail(t, w)) < 0 || (r = task_sleep(t, 5)) < 0)
		goto out;
	CHECK_INT(w->changed, 1, 0);
	before = w->frozen;
	r = wake_all(t, w, f);
	for (int i = 0; r == 0 && i < CROWD; i++)
		r = expect(t, &f[i], "* 1 EXISTS");
	/* each slept once more for the next one, not oftener */
	CHECK(w->frozen - before <= CROWD, 1);
	/* all say DONE at once */
	for (int i = 0; r == 0 && i < CROWD; i++) {
		if (w->kept[i].asleep && f[i].ended)
			r = resume(t, w, &f[i], i);
		if (r == 0)
			r = tell(&f[i], "DONE\r\n");
	}
	for (int i = 0; r == 0 && i < CROWD; i++)
		if ((r = expect(t, &f[i], "c OK")) < 0)
			printf("# client %d\n", i);
	for (int i = 0; i < CROWD; i++) {
		CHECK(!f[i].closed && !f[i].busy_told, i);
		CHECK_INT(w->kept[i].over, 0, i);
	}
out:
	for (int i = 0; i < CROWD; i++)
		front_close(t, &f[i]);
	free(f);
	return r;
}

TEST(room_for_a_crowd)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct world w = { .create = true, .session_limit = "3",
		    .seed = seed };
		char	name[16];

		snprintf(name, sizeof(name), "crowd%d", (int)seed);
		enter(name);
		run_life(&w, run_crowd);
		world_done(&w);
	}
}

/* nobody can sleep: who slept is sent back, who is new is told */
static int
run_full_house(struct task *t, struct world *w)
{
	struct front_end f[3], late, fresh;
	int64_t	begin;
	int	r;

	for (int i = 0; i < 3; i++)
		if ((r = come(t, w, &f[i], i)) < 0)
			return r;
	CHECK(w->kept[0].asleep, 0);
	f[1].refuse_sleep = f[2].ignore_sleep = true;
	begin = task_now(t);
	if ((r = front_open_as(t, w, &late, handle(0), 2,
	    buf_slice(&w->kept[0].state))) < 0 ||
	    (r = front_open_as(t, w, &fresh, handle(4), 1, SLICE_EMPTY)) < 0)
		return r;
	CHECK_INT(expect(t, &late, "any"), -ENODATA, 0);
	CHECK(late.busy_told && !late.closed && !late.awake_told, 0);
	CHECK_INT(w->kept[0].over, 0, 0);
	CHECK_INT(w->kept[0].begun, 1, 0);
	CHECK_INT(expect(t, &fresh, "* BYE [LIMIT]"), 0, 0);
	CHECK_INT(expect(t, &fresh, "any"), -ENODATA, 1);
	CHECK_INT(w->kept[4].over, 1, 0);
	CHECK(task_now(t) - begin >= 20000 && task_now(t) - begin < 30000, 0);
	CHECK(f[1].sleep_asked && f[2].sleep_asked, 0);
	front_close(t, &late);
	front_close(t, &fresh);
	/* one of them ends: there is room at once */
	if ((r = front_open_as(t, w, &late, handle(0), 3,
	    buf_slice(&w->kept[0].state))) < 0 ||
	    (r = task_sleep(t, 5000)) < 0 ||
	    (r = tell(&f[1], "DONE\r\nd LOGOUT\r\n")) < 0 ||
	    (r = task_sleep(t, 100)) < 0)
		return r;
	CHECK(late.awake_told, 0);
	CHECK_INT(expect(t, &f[1], "d OK"), 0, 0);
	front_close(t, &late);
	for (int i = 0; i < 3; i++)
		front_close(t, &f[i]);
	return 0;
}

TEST(room_is_not_to_be_had)
{
	struct world w = { .create = true, .session_limit = "2" };

	enter("full_house");
	run_life(&w, run_full_house);
	world_done(&w);
}

/* a front that does not answer holds nobody up for long */
static int
run_deaf(struct task *t, struct world *w)
{
	struct front_end f[3];
	int	r;

	for (int i = 0; i < 2; i++)
		if ((r = come(t, w, &f[i], i)) < 0)
			return r;
	f[0].ignore_sleep = true;
	if ((r = front_open_as(t, w, &f[2], handle(2), 1, SLICE_EMPTY)) < 0 ||
	    (r = task_sleep(t, 900)) < 0)
		return r;
	CHECK(f[0].sleep_asked && !f[1].sleep_asked, 0);
	CHECK_INT(task_sleep(t, 200), 0, 0);
	CHECK(w->kept[1].asleep, 0);
	r = expect(t, &f[2], "a1 OK");
	for (int i = 0; i < 3; i++)
		front_close(t, &f[i]);
	return r;
}

TEST(room_and_a_deaf_front)
{
	struct world w = { .create = true, .session_limit = "2" };

	enter("deaf");
	run_life(&w, run_deaf);
	world_done(&w);
}

#define QUEUE	70

/* those in line are bounded: the others are sent back at once */
static int
run_queue(struct task *t, struct world *w)
{
	struct front_end *f = xcalloc(QUEUE, sizeof(*f)), first[2];
	unsigned back = 0;
	int	r;

	if ((r = come(t, w, &first[0], 90)) < 0 ||
	    (r = come(t, w, &first[1], 91)) < 0)
		return r;
	CHECK(w->kept[90].asleep, 0);
	first[1].refuse_sleep = true;
	for (int i = 0; r == 0 && i < QUEUE; i++)
		r = front_open_as(t, w, &f[i], handle(i), 1,
		    buf_slice(&w->kept[90].state));
	if (r == 0)
		r = task_sleep(t, 1000);
	for (int i = 0; i < QUEUE; i++)
		back += f[i].busy_told;
	CHECK_INT(back, QUEUE - 64, 0);
	/* the client of the last one goes: all have their turn */
	front_close(t, &first[1]);
	for (int i = 0; r == 0 && i < QUEUE; i++)
		if (!f[i].busy_told)
			while (r == 0 && !f[i].awake_told)
				r = task_sleep(t, 10);
	front_close(t, &first[0]);
	for (int i = 0; i < QUEUE; i++)
		front_close(t, &f[i]);
	free(f);
	return r;
}

TEST(room_line_is_bounded)
{
	struct world w = { .create = true, .session_limit = "1" };

	enter("queue");
	run_life(&w, run_queue);
	CHECK_INT(w.begun, 2 + 64, 0);
	world_done(&w);
}

/* what changes while stored is told of a sleeper wakes it as well */
static int
run_meanwhile(struct task *t, struct world *w)
{
	struct front_end f[2];
	struct deliverer d;
	int	r;

	w->keep_time = 2000;
	if ((r = come(t, w, &f[0], 0)) < 0 ||
	    (r = deliverer_open(t, w, &d)) < 0 ||
	    (r = front_open_as(t, w, &f[1], handle(1), 1, SLICE_EMPTY)) < 0 ||
	    (r = task_sleep(t, 1000)) < 0)
		return r;
	CHECK(w->kept[0].frozen == 1 && !w->kept[0].asleep, 0);
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	deliverer_close(t, &d);
	while (!w->kept[0].asleep)
		if ((r = task_sleep(t, 1)) < 0)
			return r;
	w->changed = 0;
	CHECK_INT(task_sleep(t, 100), 0, 0);
	CHECK_INT(w->changed, 1, 0);
	front_close(t, &f[0]);
	front_close(t, &f[1]);
	return 0;
}

TEST(room_and_a_change_meanwhile)
{
	struct world w = { .create = true, .session_limit = "1" };

	enter("meanwhile");
	run_life(&w, run_meanwhile);
	world_done(&w);
}

/* a front that has waited for too long comes again with the same session: who
 * finds the older hand-over leaves it alone */
static int
run_twice(struct task *t, struct world *w)
{
	struct front_end first, old, new, gone;
	int	r;

	if ((r = come(t, w, &first, 0)) < 0)
		return r;
	first.refuse_sleep = true;
	if ((r = front_open_as(t, w, &old, handle(1), 1, SLICE_EMPTY)) < 0 ||
	    (r = front_open_as(t, w, &gone, handle(2), 1, SLICE_EMPTY)) < 0 ||
	    (r = task_sleep(t, 1000)) < 0 ||
	    (r = front_open_as(t, w, &new, handle(1), 2, SLICE_EMPTY)) < 0)
		return r;
	front_close(t, &gone);
	CHECK_INT(task_sleep(t, 1000), 0, 0);
	CHECK(old.ended && !old.closed, 0);
	CHECK_INT(expect(t, &old, "any"), -ENODATA, 0);
	first.refuse_sleep = false;
	if ((r = expect(t, &new, "a1 OK")) < 0 ||
	    (r = tell(&new, "b NOOP\r\n")) < 0 ||
	    (r = expect(t, &new, "b OK")) < 0)
		return r;
	CHECK_INT(task_sleep(t, 1000), 0, 0);
	CHECK_INT(w->kept[1].begun, 1, 0);
	CHECK_INT((long long)w->kept[1].begun_as, 2, 0);
	CHECK_INT(w->kept[1].over, 0, 0);
	/* nor is one begun whose front has gone */
	CHECK_INT(w->kept[2].begun + w->kept[2].over, 0, 0);
	CHECK_INT((long long)w->ap->session_count, 1, 0);
	front_close(t, &old);
	front_close(t, &new);
	front_close(t, &first);
	return 0;
}

TEST(room_and_two_hand_overs)
{
	struct world w = { .create = true, .session_limit = "1" };

	enter("twice");
	run_life(&w, run_twice);
	world_done(&w);
}
