/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <netinet/in.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libtask/loop.h"
#include "libtask/work.h"

/* run - a main task on a simulated loop; checks that no task is left */
static int
run(uint64_t seed, task_fn *fn, void *arg)
{
	struct loop_options o = { .sim_seed = seed, .sim_short_io = true };
	struct loop *l = loop_new(&o);
	int r = loop_run(l, fn, arg);

	CHECK_INT(loop_task_count(l), 0, seed);
	loop_free(l);
	return r;
}

static int
sleeper(struct task *t, void *arg)
{
	int64_t *ms = arg;
	int r = task_sleep(t, *ms);

	*ms = r < 0 ? r : task_now(t);
	return r;
}

static int
sleep_main(struct task *t, void *arg)
{
	int64_t a[3] = { 3600000, 1000, 2000 };
	struct task_group g;
	int64_t start = task_now(t);

	(void)arg;
	task_group_begin(t, &g);
	for (size_t i = 0; i < 3; i++)
		task_group_start(&g, sleeper, &a[i]);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK_INT(a[0] - start, 3600000, 0);
	CHECK_INT(a[1] - start, 1000, 1);
	CHECK_INT(a[2] - start, 2000, 2);
	return 7;
}

TEST(task_virtual_time)
{
	CHECK_INT(run(1, sleep_main, NULL), 7, 0);
}

static int
failing(struct task *t, void *arg)
{
	(void)arg;
	if (task_sleep(t, 10) < 0)
		return -ECANCELED;
	return -EIO;
}

static int
group_main(struct task *t, void *arg)
{
	int64_t long_sleep = 100000;
	struct task_group g;

	(void)arg;
	task_group_begin(t, &g);
	task_group_start(&g, sleeper, &long_sleep);
	task_group_start(&g, failing, NULL);
	CHECK_INT(task_group_end(t, &g), -EIO, 0);
	CHECK_INT(long_sleep, -ECANCELED, 0);	/* the other was cancelled */
	return 0;
}

TEST(task_group_failure_cancels_the_others)
{
	CHECK_INT(run(1, group_main, NULL), 0, 0);
}

static int
deadline_main(struct task *t, void *arg)
{
	struct deadline outer, inner, s;
	int r;

	(void)arg;
	deadline_begin(t, &outer, 100);
	deadline_begin(t, &inner, 50);
	r = task_sleep(t, 1000);
	CHECK_INT(r, -ECANCELED, 0);
	CHECK_INT(task_sleep(t, 1), -ECANCELED, 1);
	r = deadline_end(t, &inner, r);
	CHECK_INT(r, -ETIMEDOUT, 2);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	deadline_begin(t, &inner, 1000);
	r = deadline_end(t, &inner, task_sleep(t, 500));
	CHECK_INT(r, -ECANCELED, 4);		/* it was the outer one */
	shield_begin(t, &s, 20);
	CHECK_INT(task_sleep(t, 10), 0, 5);
	CHECK_INT(task_sleep(t, 100), -ECANCELED, 6);
	CHECK_INT(shield_end(t, &s, -ECANCELED), -ETIMEDOUT, 7);
	CHECK_INT(deadline_end(t, &outer, r), -ETIMEDOUT, 8);
	return 0;
}

static int
cancels_its_group(struct task *t, void *arg)
{
	struct task_group *g = arg;
	int r;

	task_group_cancel(g);
	r = task_sleep(t, 1000);
	return r == -ECANCELED ? 0 : -EIO;
}

static int
cancel_own_main(struct task *t, void *arg)
{
	struct task_group g;
	int64_t ms = 3600000;

	(void)arg;
	task_group_begin(t, &g);
	task_group_start(&g, sleeper, &ms);
	task_group_start(&g, cancels_its_group, &g);
	CHECK_INT(task_group_end(t, &g), -ECANCELED, 0);
	CHECK_INT(ms, -ECANCELED, 0);
	CHECK_INT(task_sleep(t, 1), 0, 0);
	return 0;
}

TEST(task_group_cancelled_by_a_member)
{
	CHECK_INT(run(1, cancel_own_main, NULL), 0, 0);
}

TEST(task_deadlines_nest)
{
	CHECK_INT(run(1, deadline_main, NULL), 0, 0);
}

struct echo {
	struct io	io;
	size_t		bytes;
};

static int
echo_task(struct task *t, void *arg)
{
	struct echo *e = arg;
	char data[100];
	ssize_t n;

	while ((n = io_read(t, &e->io, data, sizeof(data))) > 0) {
		int r = io_write_all(t, &e->io, slice_over(data, (size_t)n));

		if (r < 0)
			return r;
		e->bytes += (size_t)n;
	}
	io_close(&e->io);
	return (int)n;
}

static int
listen_task(struct task *t, void *arg)
{
	struct io *l = arg;
	struct sockaddr_storage peer;
	struct echo e = { IO_INIT, 0 };
	struct task_group g;
	int fd, r;

	if ((r = io_accept(t, l, &fd, &peer)) < 0)
		return r;
	io_open(&e.io, task_loop(t), &fd);
	task_group_begin(t, &g);
	task_group_start(&g, echo_task, &e);
	r = task_group_end(t, &g);
	io_close(&e.io);
	return r;
}

static int
client_task(struct task *t, void *arg)
{
	const struct sockaddr_in *sin = arg;
	struct io io = IO_INIT;
	char out[5000], in[5000];
	size_t got = 0;
	int fd, r;

	memset(out, 'x', sizeof(out));
	r = io_connect(t, (const struct sockaddr *)sin, sizeof(*sin), NULL, 0,
	    &fd);
	if (r < 0)
		return r;
	io_open(&io, task_loop(t), &fd);
	r = io_write_all(t, &io, slice_over(out, sizeof(out)));
	while (r == 0 && got < sizeof(in)) {
		ssize_t n = io_read(t, &io, in + got, sizeof(in) - got);

		if (n <= 0)
			r = n < 0 ? (int)n : -EPIPE;
		else
			got += (size_t)n;
	}
	if (r == 0)
		CHECK(memcmp(in, out, sizeof(in)) == 0, 0);
	io_close(&io);
	return r;
}

static int
net_main(struct task *t, void *arg)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = 25 };
	struct sim_listener *s;
	struct io l = IO_INIT;
	struct task_group g;
	int pair[2], r;

	(void)arg;
	if ((r = fd_pair(pair)) < 0)
		return r;
	io_open(&l, task_loop(t), &pair[0]);
	s = sim_listen(task_loop(t), (struct sockaddr *)&sin, sizeof(sin), &l);
	task_group_begin(t, &g);
	task_group_start(&g, listen_task, &l);
	task_group_start(&g, client_task, &sin);
	r = task_group_end(t, &g);
	sim_listener_free(s);
	io_close(&l);
	fd_close(&pair[1]);
	return r;
}

TEST(io_echo_over_a_simulated_network)
{
	for (uint64_t seed = 1; seed < 50; seed++)
		CHECK_INT(run(seed, net_main, NULL), 0, seed);
}

TEST(io_echo_cancelled_at_every_wait)
{
	struct loop_options o = { .sim_seed = 5, .sim_short_io = true };

	for (uint64_t n = 1;; n++) {
		struct loop *l = loop_new(&o);
		int r;

		loop_sim_cancel_at(l, n);
		r = loop_run(l, net_main, NULL);
		CHECK_INT(loop_task_count(l), 0, n);
		loop_free(l);
		if (r == 0)
			break;
		if (CHECK_INT(r, -ECANCELED, n) != -ECANCELED || n > 10000)
			break;
	}
}

static int
blocking(void *arg)
{
	int *n = arg;

	usleep(1000);
	return ++*n;
}

static int
work_task(struct task *t, void *arg)
{
	int n = 0, r;

	(void)arg;
	for (int i = 0; i < 20; i++)
		if ((r = work_run(t, blocking, &n)) != i + 1)
			return -EIO;
	return 0;
}

static int
work_main(struct task *t, void *arg)
{
	struct task_group g;

	(void)arg;
	task_group_begin(t, &g);
	for (int i = 0; i < 10; i++)
		task_group_start(&g, work_task, NULL);
	return task_group_end(t, &g);
}

TEST(work_on_threads)
{
	struct loop_options o = { 0 };
	struct loop *l = loop_new(&o);

	CHECK_INT(loop_run(l, work_main, NULL), 0, 0);
	loop_free(l);
	CHECK_INT(run(3, work_main, NULL), 0, 1);
}

static int
idle_task(struct task *t, void *arg)
{
	volatile char deep[20000];

	memset((char *)(uintptr_t)deep, 1, sizeof(deep));
	(void)arg;
	return task_sleep(t, 3000) + deep[5] - 1;
}

static int
many_main(struct task *t, void *arg)
{
	struct task_group g;

	(void)arg;
	task_group_begin(t, &g);
	for (int i = 0; i < 2000; i++)
		task_group_start(&g, idle_task, NULL);
	return task_group_end(t, &g);
}

TEST(task_two_thousand)		/* deep ones, trimmed while they wait */
{
	CHECK_INT(run(9, many_main, NULL), 0, 0);
}
