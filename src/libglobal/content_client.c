/* SPDX-License-Identifier: ISC */
/* A channel is a socket pair, one end of which cleanup gets over its edge. */
#include "libglobal/content_client.h"

#include <stdlib.h>
#include <string.h>

#include "libglobal/daemon.h"
#include "libmail/status.h"
#include "libutil/alloc.h"

#define IDLE_MAX	32
#define RUN_MAX		32768	/* bytes in one message to cleanup */
#define DONE_LIMIT	600000	/* ms until cleanup must have answered */

/* content_pool_init - no channels yet */
void
content_pool_init(struct content_pool *p, struct daemon *d)
{
	p->daemon = d;
	list_init(&p->idle);
	p->count = 0;
}

/* content_pool_done - close the idle ones */
void
content_pool_done(struct content_pool *p)
{
	struct list *link;

	while ((link = list_take_head(&p->idle)) != NULL) {
		struct content_channel *ch =
		    CONTAINER_OF(link, struct content_channel, link);

		content_channel_drop(&ch);
	}
	p->count = 0;
}

/* content_channel_drop - cleanup drops an unfinished message */
void
content_channel_drop(struct content_channel **take)
{
	struct content_channel *ch = *take;

	*take = NULL;
	if (ch == NULL)
		return;
	ipc_close(&ch->conn);
	free(ch);
}

/* content_channel_put - keep it for the next message */
void
content_channel_put(struct content_pool *p, struct content_channel **take)
{
	struct content_channel *ch = *take;

	if (!ipc_is_open(&ch->conn) || p->count >= IDLE_MAX) {
		content_channel_drop(take);
		return;
	}
	*take = NULL;
	list_add_head(&p->idle, &ch->link);
	p->count++;
}

/* still_open - has cleanup gone, or spoken, since it was put back? */
static bool
still_open(const struct content_channel *ch)
{
	return io_is_dry(&ch->conn.io);
}

/* fresh - a pair, whose other end cleanup gets */
static int
fresh(struct task *t, struct content_pool *p,
    struct content_channel **ret_channel)
{
	struct msg_content_channel	 m;
	struct content_channel		*ch;
	int				 pair[2], r;

	if ((r = fd_pair(pair)) < 0)
		return r;
	m.fd = pair[1];
	r = edge_send(t, daemon_edge(p->daemon, "cleanup", &ipc_table_content),
	    &msg_content_channel_desc, &m);
	fd_close(&pair[1]);
	if (r < 0) {
		fd_close(&pair[0]);
		return r;
	}
	ch = NEW(struct content_channel);
	list_init(&ch->link);
	ipc_open(&ch->conn, daemon_loop(p->daemon), &pair[0],
	    &ipc_table_content, IPC_CALLER);
	ch->conn.lazy = true;	/* the beginning goes with the first content */
	*ret_channel = ch;
	return 0;
}

/* content_channel_get - an idle one that still lives, or a fresh one */
int
content_channel_get(struct task *t, struct content_pool *p,
    struct content_channel **ret_channel)
{
	struct content_channel	*ch;
	struct list		*link;

	while ((link = list_take_head(&p->idle)) != NULL) {
		p->count--;
		ch = CONTAINER_OF(link, struct content_channel, link);
		if (still_open(ch)) {
			*ret_channel = ch;
			return 0;
		}
		content_channel_drop(&ch);
	}
	return fresh(t, p, ret_channel);
}

/* content_begin - tell cleanup what comes */
int
content_begin(struct task *t, struct content_channel *ch,
    const struct msg_envelope *e, struct msg_content_begin *b)
{
	struct buf	packed = BUF_INIT;
	int		r;

	if ((r = ipc_pack(&msg_envelope_desc, e, &packed)) == 0) {
		b->envelope = buf_slice(&packed);
		r = ipc_send(t, &ch->conn, &msg_content_begin_desc, b);
	}
	b->envelope = SLICE_EMPTY;
	buf_free(&packed);
	return r;
}

/* content_data - a run of content, in messages of bounded size */
int
content_data(struct task *t, struct content_channel *ch, struct slice bytes)
{
	int r = 0;

	while (bytes.len > 0 && r == 0) {
		struct msg_content_data m = { slice_sub(bytes, 0, RUN_MAX) };

		bytes = slice_from(bytes, m.bytes.len);
		r = ipc_send(t, &ch->conn, &msg_content_data_desc, &m);
	}
	ipc_flush(&ch->conn);
	return r;
}

/* content_end - say the end, and wait for what became of the message */
int
content_end(struct task *t, struct content_channel *ch, struct arena *a,
    struct status *ret_status)
{
	struct content_answers answers;

	return content_end_each(t, ch, a, ret_status, &answers);
}

/* content_end_each - the same, and what became of each recipient */
int
content_end_each(struct task *t, struct content_channel *ch, struct arena *a,
    struct status *ret_status, struct content_answers *ret_answers)
{
	struct msg_content_end	 end;
	struct ipc_in		 in = { 0 };
	struct deadline		 d;
	int			 r;

	memset(&end, 0, sizeof(end));
	if ((r = ipc_send(t, &ch->conn, &msg_content_end_desc, &end)) < 0)
		return r;
	ipc_flush(&ch->conn);
	deadline_begin(t, &d, DONE_LIMIT);
	r = ipc_recv(t, &ch->conn, a, &in);
	r = deadline_end(t, &d, r);
	if (r < 0)
		return r;
	if (in.desc->number == MSG_content_done) {
		struct msg_content_done *m = in.msg;
		struct status_code code = { 0, 0, 0 };

		ignore(status_code_parse(m->enhanced, &code));	/* or none */
		if (m->code / 100 != 2 && m->code / 100 != 4 &&
		    m->code / 100 != 5) {
			r = -EBADMSG;
		} else {
			*ret_status = status_of(m->code, code, m->text);
			*ret_answers = (struct content_answers){ m->rcpts.v,
			    m->rcpts.n, { m->content_id, m->taken } };
		}
	} else {
		r = -EBADMSG;
	}
	ipc_in_done(&in);
	return r;
}

/* content_unheard - over a channel that carries no message now */
int
content_unheard(struct task *t, struct content_pool *p,
    const struct msg_content_unheard *name)
{
	struct content_channel	*ch;
	int			 r;

	if ((r = content_channel_get(t, p, &ch)) < 0)
		return r;
	r = ipc_send(t, &ch->conn, &msg_content_unheard_desc, name);
	if (r == 0)
		r = ipc_drain(t, &ch->conn);
	if (r < 0)
		content_channel_drop(&ch);
	else
		content_channel_put(p, &ch);
	return r;
}
