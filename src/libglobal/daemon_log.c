/* SPDX-License-Identifier: ISC */
/*
 * The sink: events become frames on the edge to logd, written a few
 * milliseconds later, many at once. A daemon never waits for logd: what does not fit is counted and
 * said later. When the edge breaks master is asked for a new one.
 */
#include <stdlib.h>
#include <unistd.h>

#include "libglobal/daemon_events.h"
#include "libglobal/daemon_private.h"
#include "libglobal/ipc_control.h"
#include "libglobal/ipc_log.h"
#include "libutil/log_wire.h"

#define RETRY_PAUSE	500	/* ms */
#define FLUSH_PAUSE	10	/* ms that lines wait for others */
#define QUEUED_MAX	((size_t)1 << 20)

static void
say_hello(struct daemon *d)
{
	struct msg_log_hello m = { slice_of(d->program),
	    slice_of(d->spec->name), (uint32_t)getpid() };

	ignore(ipc_post(&d->log_conn, &msg_log_hello_desc, &m)); /* then it broke */
}

/* daemon_log_task - write what was logged, a little later */
int
daemon_log_task(struct task *t, void *arg)
{
	struct daemon	*d = arg;
	int		 r;

	while ((r = signal_wait(t, &d->log_more)) == 0 &&
	    (r = task_sleep(t, FLUSH_PAUSE)) == 0)
		ipc_flush(&d->log_conn);
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
		struct msg_log_lost m = { d->log_lost };

		ipc_close(&d->log_conn);
		ipc_open(&d->log_conn, d->loop, &fd, &ipc_table_log, IPC_CALLER);
		d->log_conn.lazy = true;
		say_hello(d);
		if (d->log_lost > 0)
			ignore(ipc_post(&d->log_conn, &msg_log_lost_desc, &m));
		d->log_lost = 0;
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

	log_record_encode(&b, record);
	m.record = buf_slice(&b);
	if (buf_check(&b) < 0 || d->log_conn.out.len > QUEUED_MAX ||
	    !ipc_is_open(&d->log_conn) ||
	    ipc_post(&d->log_conn, &msg_log_line_desc, &m) < 0) {
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
	ipc_close(&d->log_conn);
	log_start(&setup);
}
