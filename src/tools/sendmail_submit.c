/* SPDX-License-Identifier: ISC */
/* A message to pickup, over the socket that all local users may connect to. */
#include <errno.h>

#include "libutil/buf.h"
#include "tools/sendmail.h"

#define RUN_MAX		65536	/* bytes of one pickup_data */

struct job {
	struct sendmail		*s;
	sendmail_more_fn	*more;
	void			*arg;
	struct msg_pickup_done	*done;
	int			 input;		/* what reading it said */
};

/* send_runs - the message, in runs; ends early when pickup has answered */
static int
send_runs(struct task *t, struct ipc_conn *c, struct job *j)
{
	struct buf	b = BUF_INIT;
	int		more = 1, r = 0;

	while (more > 0 && r == 0) {
		buf_reset(&b);
		more = j->more(j->arg, &b);
		if (more < 0)
			j->input = r = more;
		for (size_t at = 0; at < b.len && r == 0; at += RUN_MAX) {
			struct msg_pickup_data run = {
			    slice_sub(buf_slice(&b), at, RUN_MAX) };

			r = ipc_send(t, c, &msg_pickup_data_desc, &run);
		}
		if (r == 0)
			r = task_yield(t);
	}
	buf_free(&b);
	return r;
}

/* pickup_talk - begin, all runs, end, and the answer */
static int
pickup_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct job	*j = arg;
	struct ipc_in	 in;
	char		 empty = 0;	/* pickup_end has no fields */
	int		 r;

	ipc_set_state(c, IPC_STATE_ANY);
	if ((r = ipc_send(t, c, &msg_pickup_begin_desc, &j->s->begin)) == 0 &&
	    (r = send_runs(t, c, j)) == 0)
		r = ipc_send(t, c, &msg_pickup_end_desc, &empty);
	if (r == -ECANCELED || j->input < 0)
		return r;
	/* a refusal may have come, and the connection closed, before the end */
	r = ipc_recv(t, c, &j->s->tool->arena, &in);
	if (r < 0)
		return r;
	if (in.desc->number != MSG_pickup_done)
		return -EBADMSG;
	*j->done = *(struct msg_pickup_done *)in.msg;
	return 0;
}

static int
submit_task(struct task *t, void *arg)
{
	struct job *j = arg;

	return tool_public(t, j->s->tool, "pickup", &ipc_table_pickup,
	    pickup_talk, j);
}

/* sendmail_submit - hand it over */
void
sendmail_submit(struct sendmail *s, sendmail_more_fn *more, void *arg,
    struct msg_pickup_done *ret_done)
{
	struct job	j = { .s = s, .more = more, .arg = arg,
			    .done = ret_done };
	int		r;

	*ret_done = (struct msg_pickup_done){ 0, S(""), S(""), S("") };
	r = tool_run(submit_task, &j);
	if (r == -ECONNREFUSED || r == -ENOENT)
		ret_done->text = S("the mail system does not run");
	else if (r < 0)
		ret_done->text = arena_printf(&s->tool->arena,
		    "the message could not be handed over: %s", strerror(-r));
}
