/* SPDX-License-Identifier: ISC */
/*
 * The edge brings channels; each channel is served by a task, one message
 * after the other. Which messages may come in which state says the table.
 */
#include "cleanup/cleanup.h"

#include <stdlib.h>

#include "libutil/alloc.h"

struct channel {
	struct cleanup	*cleanup;
	struct message	 message;
	int		 fd;
};

/* answer - what became of the message */
static int
answer(struct ipc_conn *c, const struct message *m, const struct status *s)
{
	struct msg_content_done	d = { .code = s->code, .size = m->length };
	struct buf		enhanced = BUF_INIT;
	int			r;

	status_code_format(&enhanced, s->enhanced);
	d.enhanced = buf_slice(&enhanced);
	d.text = status_text(s);
	d.content_id = m->envelope->content_id;
	d.taken = m->envelope->taken;
	d.rcpts.v = m->answers;
	d.rcpts.n = m->answer_count;
	r = ipc_post(c, &msg_content_done_desc, &d);
	buf_free(&enhanced);
	return r;
}

/* end - the content is complete */
static int
end(struct task *t, struct ipc_conn *c, struct message *m)
{
	struct status	s = STATUS_INIT;
	int		r;

	ipc_set_state(c, CONTENT_WAIT);
	message_finish(t, m, &s);
	if (ipc_has_ended(c))
		doubt_tell_of(m);	/* nobody is there to answer */
	r = answer(c, m, &s);
	message_done(m);
	ipc_set_state(c, CONTENT_IDLE);
	return r;
}

/* on_message - one message of the caller */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct channel	*ch = arg;
	struct message	*m = &ch->message;
	int		 r;

	(void)a;
	switch (in->desc->number) {
	case MSG_content_begin:
		r = message_begin(m, ch->cleanup, in->msg);
		if (r == 0)
			ipc_set_state(c, CONTENT_OPEN);
		return r;
	case MSG_content_data:
		return message_add(t, m,
		    ((struct msg_content_data *)in->msg)->bytes);
	case MSG_content_end:
		return end(t, c, m);
	case MSG_content_unheard:
		doubt_tell(ch->cleanup, in->msg);
		return 0;
	case MSG_content_abort:
		message_done(m);
		ipc_set_state(c, CONTENT_IDLE);
		return 0;
	default:
		return -EBADMSG;
	}
}

static int
channel_task(struct task *t, void *arg)
{
	struct channel	*ch = arg;
	struct ipc_conn	 c;
	int		 r;

	ipc_open(&c, daemon_loop(ch->cleanup->daemon), &ch->fd,
	    &ipc_table_content, IPC_CALLEE);
	ipc_set_state(&c, CONTENT_IDLE);
	r = ipc_serve(t, &c, on_message, ch);
	message_done(&ch->message);
	ipc_close(&c);
	free(ch);
	return r == -ECANCELED ? r : 0;
}

/* on_edge - a new channel */
static int
on_edge(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct cleanup	*cleanup = arg;
	struct channel	*ch = NEW(struct channel);

	(void)t;
	(void)c;
	(void)a;
	ch->cleanup = cleanup;
	ch->fd = ((struct msg_content_channel *)in->msg)->fd;
	((struct msg_content_channel *)in->msg)->fd = -1;
	task_group_start(daemon_group(cleanup->daemon), channel_task, ch);
	return 0;
}

/* cleanup_edge - one caller */
int
cleanup_edge(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct ipc_conn	c;
	int		r;

	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_content, IPC_CALLEE);
	ipc_set_state(&c, CONTENT_EDGE);
	r = ipc_serve(t, &c, on_edge, daemon_data(d));
	daemon_caller_close(who, &c);
	return r;
}
