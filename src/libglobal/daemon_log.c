/* SPDX-License-Identifier: ISC */
/*
 * The sink: events become frames on the edge to logd, written a few
 * milliseconds later, many at once. A daemon never waits for logd: what does
 * not fit is counted, and the count is said before the next event that does.
 * When the edge breaks master is asked for a new one; what was queued on the
 * old one counts as lost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libglobal/daemon_events.h"
#include "libglobal/daemon_private.h"
#include "libglobal/ipc_control.h"
#include "libglobal/ipc_log.h"
#include "libutil/log_wire.h"

#define RETRY_PAUSE	500	/* ms */
#define FLUSH_PAUSE	10	/* ms that lines wait for others */
#define BEHIND_PAUSE	100	/* ms between looks whether logd has caught up */
#define QUEUED_MAX	((size_t)1 << 20)
#define LINE_MOSTLY	512	/* bytes that suffice for a line, mostly */

static void
say_hello(struct daemon *d)
{
	struct msg_log_hello m = { slice_of(d->program),
	    slice_of(d->spec->name), (uint32_t)getpid() };

	ignore(ipc_post(&d->log_conn, &msg_log_hello_desc, &m)); /* then it broke */
}

/* has_room - may one more frame be queued? Once events were lost half of the
 * room must be free again, so that gaps are few and each is told once */
static bool
has_room(const struct daemon *d)
{
	return ipc_is_open(&d->log_conn) && d->log_conn.out.len <=
	    (d->log_lost > 0 ? QUEUED_MAX / 2 : QUEUED_MAX);
}

/* say - queue a frame that stands for so many events */
static int
say(struct daemon *d, const struct ipc_desc *desc, const void *m,
    uint64_t events)
{
	bool	was_empty = d->log_conn.out.len == 0;
	int	r = ipc_post(&d->log_conn, desc, m);

	if (r == 0)
		d->log_unsent = was_empty ? events : d->log_unsent + events;
	return r;
}

/* say_lost - tell logd how many events it did not get, if it can hear that */
static void
say_lost(struct daemon *d)
{
	struct msg_log_lost m = { d->log_lost };

	if (d->log_lost > 0 && has_room(d) &&
	    say(d, &msg_log_lost_desc, &m, m.count) == 0)
		d->log_lost = 0;
}

/* daemon_log_task - write what was logged, a little later */
int
daemon_log_task(struct task *t, void *arg)
{
	struct daemon	*d = arg;
	int		 r;

	while ((r = signal_wait(t, &d->log_more)) == 0 &&
	    (r = task_sleep(t, FLUSH_PAUSE)) == 0) {
		say_lost(d);
		ipc_flush(&d->log_conn);
		if (d->log_lost == 0 || !ipc_is_open(&d->log_conn))
			continue;
		r = task_sleep(t, BEHIND_PAUSE);
		signal_set(&d->log_more);
		if (r < 0)
			break;
	}
	return r;
}

/* reconnect_task - get a new edge to logd */
static int
reconnect_task(struct task *t, void *arg)
{
	struct daemon	*d = arg;
	int		 fd = -1, r;

	do {
		r = task_sleep(t, RETRY_PAUSE);
		if (r == 0)
			r = d->connect(t, d->connect_arg, "logd", &fd);
	} while (r < 0 && r != -ECANCELED);
	if (r == 0) {
		if (d->log_conn.out.len > 0)
			d->log_lost += d->log_unsent;
		ipc_close(&d->log_conn);
		ipc_open(&d->log_conn, d->loop, &fd, &ipc_table_log, IPC_CALLER);
		d->log_conn.lazy = true;
		d->log_unsent = 0;
		say_hello(d);
		signal_set(&d->log_more);
	}
	d->log_connecting = false;
	return r;
}

/* sink - one event on its way */
static void
sink(void *arg, const struct log_record *record)
{
	struct daemon		*d = arg;
	struct buf		 b = BUF_INIT_MAX(LOG_WIRE_MAX);
	struct msg_log_line	 m;

	buf_reserve(&b, LINE_MOSTLY);
	log_record_encode(&b, record);
	m.record = buf_slice(&b);
	say_lost(d);
	if (buf_check(&b) < 0 || !has_room(d) ||
	    say(d, &msg_log_line_desc, &m, 1) < 0) {
		d->log_lost++;
		if (record->event->level >= LEVEL_WARNING)
			log_sink_stderr(NULL, record);
		if (d->serving && !d->log_connecting &&
		    !ipc_is_open(&d->log_conn)) {
			d->log_connecting = true;
			task_group_start(&d->group, reconnect_task, d);
		}
	}
	buf_free(&b);
	signal_set(&d->log_more);
}

/* daemon_log_start - from now on events go to logd */
void
daemon_log_start(struct daemon *d, int *fd_take, bool verbose)
{
	struct log_setup setup = { .program = d->program, .pid = getpid(),
	    .verbose = verbose, .sink = sink, .sink_arg = d };

	if (*fd_take < 0) {
		setup.sink = NULL;
		setup.sink_arg = NULL;
	} else {
		ipc_open(&d->log_conn, d->loop, fd_take, &ipc_table_log,
		    IPC_CALLER);
		d->log_conn.lazy = true;
		say_hello(d);
	}
	log_start(&setup);
}

/* daemon_log_end - back to standard error; what is queued is written */
void
daemon_log_end(struct daemon *d)
{
	struct log_setup setup = { .program = NULL };

	if (d->log_conn.table == NULL)
		return;
	say_lost(d);
	if (d->log_lost > 0)
		(void)fprintf(stderr, "%s: %" PRIu64 " log events were lost\n",
		    d->program, d->log_lost);	/* nobody else is left to hear */
	ipc_close(&d->log_conn);
	log_start(&setup);
}
