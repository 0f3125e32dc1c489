/* SPDX-License-Identifier: ISC */
/*
 * What a service manager is told (libtask/notify.h): when the suite is ready,
 * while it reads its configuration again, that it ends, and at each change
 * which services are not ready.
 */
#include <stdlib.h>
#include <time.h>

#include "libtask/notify.h"
#include "libutil/buf.h"
#include "master/master.h"
#include "master/master_events.h"

#define READY_LIMIT	30000	/* ms; then a suite that lacks a service is
				 * ready all the same: it serves the others */
#define END_LIMIT	10000	/* ms more than daemons get to end */

struct teller {
	struct master	*master;
	struct buf	 status;	/* the last that was told */
	int64_t		 ready_by;	/* loop ms */
	bool		 ready;
};

/* say - a message; that nobody hears us is logged */
static int
say(struct task *t, struct master *m, const struct buf *lines)
{
	int r = notify_send(t, m->notify_socket, buf_slice(lines));

	if (r < 0 && r != -ECANCELED)
		log_event(&m->log, EV_MASTER_NOTIFY,
		    KV_TEXT("socket", m->notify_socket), KV_ERR("why", r));
	return r;
}

/* tell_reload - the configuration is read, or was just now */
static int
tell_reload(struct task *t, struct teller *teller)
{
	struct master	*m = teller->master;
	struct buf	 lines = BUF_INIT;
	int		 r;

	buf_addf(&lines, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
	    (long long)m->reload_began);
	m->reload_began = 0;
	teller->ready = false;
	teller->ready_by = task_now(t) + READY_LIMIT;
	r = say(t, m, &lines);
	buf_free(&lines);
	return r;
}

/* add_status - what is told of the services */
static void
add_status(struct master *m, const struct buf *missing, struct buf *out)
{
	if (missing->len == 0)
		buf_add_text(out, "all services are ready");
	else
		buf_add(out, buf_slice(missing));
	if (m->reload_failed)
		buf_add_text(out, "; the configuration was not reloaded, the "
		    "log says why");
}

/* tell_ready - what has changed of the services */
static int
tell_ready(struct task *t, struct teller *teller)
{
	struct master	*m = teller->master;
	struct buf	 missing = BUF_INIT_MAX(2000);
	struct buf	 status = BUF_INIT, lines = BUF_INIT;
	bool		 turned;
	int		 r = 0;

	services_missing(m, &missing);
	add_status(m, &missing, &status);
	turned = !teller->ready && (missing.len == 0 ||
	    task_now(t) >= teller->ready_by);
	if (turned || !slice_equal(buf_slice(&status),
	    buf_slice(&teller->status))) {
		buf_addf(&lines, "%sSTATUS=%s\n", turned ? "READY=1\n" : "",
		    buf_cstr(&status));
		teller->ready |= turned;
		buf_reset(&teller->status);
		buf_add(&teller->status, buf_slice(&status));
		r = say(t, m, &lines);
	}
	buf_free(&missing);
	buf_free(&status);
	buf_free(&lines);
	return r;
}

/* tell_end - the suite ends, and how long that may take */
static int
tell_end(struct task *t, struct master *m)
{
	struct buf	lines = BUF_INIT;
	int		r;

	buf_addf(&lines, "STOPPING=1\nSTATUS=ending: %s\n"
	    "EXTEND_TIMEOUT_USEC=%lld\n", m->end_reason,
	    (long long)(m->params.master_stop_limit + END_LIMIT) * 1000);
	r = say(t, m, &lines);
	buf_free(&lines);
	return r;
}

/* wait_for_change - of anything that is told */
static int
wait_for_change(struct task *t, const struct teller *teller)
{
	struct master	*m = teller->master;
	struct deadline	 d;
	int64_t		 left = teller->ready_by - task_now(t);
	int		 r;

	if (teller->ready)
		return signal_wait(t, &m->changed);
	deadline_begin(t, &d, left > 0 ? left : 0);
	r = signal_wait(t, &m->changed);
	r = deadline_end(t, &d, r);
	return r == -ETIMEDOUT ? 0 : r;
}

/* notify_task - tell the service manager, if one started us */
int
notify_task(struct task *t, void *arg)
{
	struct master	*m = arg;
	struct teller	 teller = { .master = m, .status = BUF_INIT,
			    .ready_by = task_now(t) + READY_LIMIT };
	int		 r = 0;

	if (m->notify_socket == NULL)
		return 0;
	while (r == 0 && !m->stopping) {
		if (m->reload_began != 0)
			r = tell_reload(t, &teller);
		if (r == 0)
			r = tell_ready(t, &teller);
		if (r == 0)
			r = wait_for_change(t, &teller);
	}
	if (r == 0)
		r = tell_end(t, m);
	buf_free(&teller.status);
	/* the suite goes on without being watched; it was logged */
	return r == -ECANCELED ? r : 0;
}

/* notify_reload - it is read now; notify_task tells */
void
notify_reload(struct master *m)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	m->reload_began = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
	signal_set(&m->changed);
}
