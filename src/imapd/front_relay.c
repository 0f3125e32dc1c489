/* SPDX-License-Identifier: ISC */
/*
 * Relaying. One task does everything that touches the client's stream, since
 * reading and writing of one TLS connection belong together; a second one
 * receives what the session says and hands it over frame by frame.
 *
 * When the session is behind, the client is not read: what it sends waits in
 * the network. When the client is behind, the session's frames wait in their
 * channel. A session that writes is not stopped by a client that does: both
 * directions are looked at in turn, and only a full client blocks.
 *
 * Nothing of the client is passed on before the session's first frame: until
 * then its process may end unseen, and another one be asked for.
 */
#include "imapd/front_client.h"

#include <stdio.h>
#include <stdlib.h>

#include "imapd/imapd_events.h"
#include "libglobal/ipc_front.h"
#include "libutil/alloc.h"

#define FRAME_BYTES	((size_t)32768)	/* of a client in one frame */
#define BEHIND		((size_t)65536)	/* queued for the session: stop */
#define BEGIN_LIMIT	30000	/* ms for a process to look at a session */

struct relay {
	struct front		*f;
	struct ipc_conn		 conn;
	struct task_group	 group;
	struct arena		 arena;		/* of the frame */
	struct ipc_in		 in;
	struct signal		 taken;
	bool			 has_frame;
	bool			 ended;		/* no frame comes any more */
	bool			 draining;	/* a task waits for the session */
	bool			 begun;		/* the session is served */
	bool			 busy;		/* it is not, now */
	bool			 promised;	/* sleep_ok: the client waits */
	bool			 said_goodbye;
	bool			 finished;	/* the client says no more */
	bool			 gone;		/* and hears no more */
};

/* receive_task - frames, one at a time */
static int
receive_task(struct task *t, void *arg)
{
	struct relay	*r = arg;
	int		 e;

	while ((e = ipc_recv(t, &r->conn, &r->arena, &r->in)) == 0) {
		r->has_frame = true;
		signal_set(&r->f->event);
		while (r->has_frame && e == 0)
			e = signal_wait(t, &r->taken);
		ipc_in_done(&r->in);
		arena_free(&r->arena);
		if (e < 0)
			return e;
	}
	if (e == -EBADMSG)
		r->f->why = "a message that its table does not allow";
	r->ended = true;
	signal_set(&r->f->event);
	return e == -ECANCELED ? e : 0;
}

/* drain_task - wait until the session has taken what is queued */
static int
drain_task(struct task *t, void *arg)
{
	struct relay	*r = arg;
	int		 e = ipc_drain(t, &r->conn);

	r->draining = false;
	signal_set(&r->f->event);
	return e == -ECANCELED ? e : 0;
}

/* say_gone - the client is away */
static void
say_gone(struct relay *r)
{
	struct msg_front_close m = { S("") };

	r->finished = r->gone = true;
	if (r->f->why == NULL)
		r->f->why = "connection lost";
	ignore(ipc_post(&r->conn, &msg_front_close_desc, &m)); /* or it ended */
}

/* say_finished - the client has ended its side, but perhaps only that, and
 * waits for the answers to what it said (as printf | nc does) */
static void
say_finished(struct relay *r)
{
	struct msg_front_finished m;

	r->finished = true;
	if (r->f->why == NULL)
		r->f->why = "connection closed";
	ignore(ipc_post(&r->conn, &msg_front_finished_desc, &m)); /* the same */
}

/* to_client - write it out; the client has its time to take it */
static int
to_client(struct task *t, struct relay *r, struct slice bytes)
{
	struct front	*f = r->f;
	struct deadline	 d;
	int		 e;

	deadline_begin(t, &d, f->p->imapd_write_timeout);
	e = stream_write(t, &f->stream, bytes);
	if (e == 0)
		e = stream_flush(t, &f->stream);
	e = deadline_end(t, &d, e);
	if (e == -ECANCELED)
		return e;
	if (e == -ETIMEDOUT)
		f->why = "it takes no data";
	if (e < 0)
		say_gone(r);
	return 0;
}

/* on_sleep - may the session sleep? Not if its client has spoken */
static int
on_sleep(struct relay *r, const struct msg_front_sleep *m)
{
	struct msg_front_sleep_ok	yes;
	struct msg_front_sleep_no	no;
	struct slice			any;

	/* an end of the connection is found by who reads next */
	if (r->finished || stream_try_peek(&r->f->stream, &any) != -EAGAIN ||
	    m->handle.len == 0)
		return ipc_post(&r->conn, &msg_front_sleep_no_desc, &no);
	r->promised = true;
	front_note_handle(r->f, m->handle);
	return ipc_post(&r->conn, &msg_front_sleep_ok_desc, &yes);
}

/* on_frame - one frame of the session */
static int
on_frame(struct task *t, struct relay *r)
{
	int e = 0;

	switch (r->in.desc->number) {
	case MSG_front_data:
		if (!r->gone)
			e = to_client(t, r,
			    ((struct msg_front_data *)r->in.msg)->bytes);
		break;
	case MSG_front_sleep:
		e = on_sleep(r, r->in.msg);
		break;
	case MSG_front_awake:
		r->promised = false;
		break;
	case MSG_front_close:
		r->said_goodbye = true;
		break;
	case MSG_front_busy:
		r->busy = true;
		break;
	default:
		break;
	}
	r->begun |= !r->said_goodbye && !r->busy;
	r->has_frame = false;
	signal_set(&r->taken);
	/* the session's channel broke: receive_task says so */
	return e == -ECANCELED ? e : 0;
}

/* from_client - pass on what it said; -EAGAIN when it said nothing */
static int
from_client(struct task *t, struct relay *r)
{
	struct front		*f = r->f;
	struct msg_front_data	 m;
	int			 e = stream_try_peek(&f->stream, &m.bytes);

	if (e == -EAGAIN)
		return e;
	if (e < 0) {
		if (e == -ENODATA)
			say_finished(r);
		else
			say_gone(r);
		return 0;
	}
	f->spoke = task_now(t);
	m.bytes = slice_sub(m.bytes, 0, FRAME_BYTES);
	ignore(ipc_post(&r->conn, &msg_front_data_desc, &m)); /* or it ended */
	stream_consume(&f->stream, m.bytes.len);
	if (r->conn.out.len > BEHIND) {
		r->draining = true;
		task_group_start(&r->group, drain_task, r);
	}
	return 0;
}

/* wait_event - for the session, which must begin in time */
static int
wait_event(struct task *t, struct relay *r)
{
	struct deadline	 d;
	int		 e;

	if (r->begun)
		return signal_wait(t, &r->f->event);
	deadline_begin(t, &d, BEGIN_LIMIT);
	e = signal_wait(t, &r->f->event);
	return deadline_end(t, &d, e);
}

/* pump - both directions, until one of them has ended */
static int
pump(struct task *t, struct relay *r)
{
	struct front	*f = r->f;
	bool		 reads;
	int		 e = 0;

	while (e == 0 && !r->ended) {
		f->event.set = false;
		if (r->has_frame) {
			e = on_frame(t, r);
			continue;
		}
		reads = r->begun && !r->finished && !r->promised && !r->draining;
		if (reads && (e = from_client(t, r)) != -EAGAIN)
			continue;
		e = reads ? stream_wait_or(t, &f->stream, &f->event) :
		    wait_event(t, r);
	}
	return e == -ETIMEDOUT ? 0 : e;
}

/* end_of - why is it over? */
static enum front_end
end_of(const struct relay *r)
{
	if (r->gone)
		return FRONT_GONE;
	if (!r->begun && r->busy)
		return FRONT_BUSY;
	if (!r->begun)
		return r->said_goodbye ? FRONT_LOST : FRONT_NEVER_BEGAN;
	if (r->said_goodbye)
		return FRONT_ENDED;
	if (r->finished)
		return FRONT_GONE;
	return r->promised ? FRONT_ASLEEP : FRONT_LOST;
}

/* front_relay - while the session is awake */
int
front_relay(struct task *t, struct front *f, int *fd_take,
    enum front_end *ret_end)
{
	struct relay	*r = NEW(struct relay);
	int		 e;

	r->f = f;
	ipc_open(&r->conn, task_loop(t), fd_take, &ipc_table_front,
	    IPC_CALLER);
	task_group_begin(t, &r->group);
	task_group_start(&r->group, receive_task, r);
	e = pump(t, r);
	task_group_cancel(&r->group);
	ignore(task_group_end(t, &r->group));	/* they were cancelled */
	*ret_end = end_of(r);
	if (*ret_end == FRONT_ENDED || *ret_end == FRONT_GONE)
		front_drop_handle(f);
	if (*ret_end == FRONT_LOST && f->why == NULL)
		f->why = "its process ended";
	ipc_close(&r->conn);
	arena_free(&r->arena);
	free(r);
	return e;
}
