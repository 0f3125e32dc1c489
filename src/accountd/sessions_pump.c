/* SPDX-License-Identifier: ISC */
/*
 * A protocol's session reads and writes a stream; its client is behind a front
 * that speaks in frames. Either side's backlog stops the other: a pump that
 * cannot write does not read.
 */
#include "accountd/sessions_impl.h"

#include <stdlib.h>

#include "libutil/alloc.h"

#define PUMP_SIZE	((size_t)32768)

/* to_session - bytes of the client */
static int
to_session(struct task *t, struct session *s, struct slice bytes)
{
	int r;

	session_active(s);
	s->pumping = true;
	r = io_write_all(t, &s->pump, bytes);
	s->pumping = false;
	return r;
}

/* end_input - the session's stream has an end behind what is in it */
static void
end_input(struct session *s)
{
	if (s->pump.fd >= 0)		/* or the session ended first */
		(void)shutdown(s->pump.fd, SHUT_WR);
}

/* on_front - one message of the front; 1: the client has gone */
static int
on_front(struct task *t, struct session *s, struct ipc_in *in)
{
	switch (in->desc->number) {
	case MSG_front_data:
		return to_session(t, s,
		    ((struct msg_front_data *)in->msg)->bytes);
	case MSG_front_sleep_ok:
		return session_on_sleep_ok(s);
	case MSG_front_sleep_no:
		s->asked = false;
		s->refused = true;
		ipc_set_state(&s->front, FRONT_AWAKE);
		signal_set(&s->ap->fewer);
		session_active(s);
		return 0;
	case MSG_front_finished:
		/* the session reads what there is, answers it, and ends */
		end_input(s);
		return 0;
	case MSG_front_close:
		return 1;
	default:
		return -EBADMSG;
	}
}

/* session_pump_in - from the front to the session */
int
session_pump_in(struct task *t, void *arg)
{
	struct session	*s = arg;
	struct arena	 a = ARENA_INIT;
	struct ipc_in	 in;
	int		 r = 0;

	while (r == 0 && (r = ipc_recv(t, &s->front, &a, &in)) == 0) {
		r = on_front(t, s, &in);
		ipc_in_done(&in);
		arena_reset(&a);
		if (!ipc_has_input(&s->front))
			arena_free(&a);		/* it may be long */
	}
	arena_free(&a);
	if (r == -ECANCELED)
		return r;
	end_input(s);
	return 0;
}

/* session_begun - tell stored; not before the kernel has what the front is
 * told */
int
session_begun(struct task *t, struct session *s)
{
	struct msg_account_begun m = { s->m->handle, s->m->handover };
	int			 r = ipc_drain(t, &s->front);

	s->begun = true;
	return r < 0 ? r :
	    ipc_post(&s->ap->control, &msg_account_begun_desc, &m);
}

/* send_on - what the session wrote, to the front; 0 at its end */
static ssize_t
send_on(struct task *t, struct session *s, char *data)
{
	struct msg_front_data	m;
	ssize_t			n = io_try_read(&s->pump, data, PUMP_SIZE);
	int			r;

	if (n <= 0)
		return n;
	m.bytes = slice_over(data, (size_t)n);
	s->pumping = true;
	r = ipc_send(t, &s->front, &msg_front_data_desc, &m);
	if (r == 0 && !s->begun)
		r = session_begun(t, s);
	s->pumping = false;
	session_active(s);
	return r < 0 ? r : n;
}

/* session_pump_out - from the session to the front; no buffer while it waits */
int
session_pump_out(struct task *t, void *arg)
{
	struct session	*s = arg;
	char		*data = NULL;
	ssize_t		 n;
	int		 r = 0;

	while (r == 0) {
		if (data == NULL)
			data = xmalloc(PUMP_SIZE);
		n = send_on(t, s, data);
		if (n == 0)
			break;
		if (n == -EAGAIN) {
			free(data);
			data = NULL;
			r = io_wait_read(t, &s->pump);
		} else if (n < 0) {
			r = (int)n;
		}
	}
	free(data);
	if (r == -ECANCELED)
		return r;
	/* a front that went away: let the session see it */
	if (r < 0)
		(void)shutdown(s->pump.fd, SHUT_RDWR);
	return 0;
}

/* session_pump_rest - what the session wrote last, when its pumps have ended */
int
session_pump_rest(struct task *t, struct session *s)
{
	char	*data = xmalloc(PUMP_SIZE);
	ssize_t	 n;
	int	 r = 0;

	stream_close(&s->stream);	/* so that it has an end */
	while (r == 0 && (n = send_on(t, s, data)) != 0)
		r = n == -EAGAIN ? io_wait_read(t, &s->pump) :
		    n < 0 ? (int)n : 0;
	free(data);
	return r;
}
