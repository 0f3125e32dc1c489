/* SPDX-License-Identifier: ISC */
/*
 * One report from question to answer. It is never itself reported on: its
 * sender is null, and a message with the null sender gets none (RFC 5321
 * 4.5.5).
 */
#include "delivery/bounce.h"

#include "delivery/bounce_events.h"
#include "libglobal/ipc_map.h"
#include "libmail/received.h"
#include "libtask/loop.h"
#include "libtask/zone.h"

#define PARALLEL	32
#define LIMIT		50000	/* ms for one report; qmgr waits 60 s */

/* trouble - log it; the caller tells qmgr no */
static int
trouble(struct report *rep, const char *what, int error)
{
	if (error != -ECANCELED)
		log_event(&rep->log, EV_BOUNCE_TROUBLE, KV_TEXT("what", what),
		    KV_ERR("why", error));
	return error;
}

/* resolve - where the sender's mail goes */
static int
resolve(struct task *t, struct report *rep, struct msg_map_route **ret_route)
{
	struct msg_map_rcpt	m = { .recipient = rep->to_text,
				    .trusted = true };
	void			*reply;
	int			 r;

	r = edge_call_again(t, daemon_edge(rep->daemon, "mapd",
	    &ipc_table_map), &msg_map_rcpt_desc, &m, &msg_map_route_desc,
	    rep->arena, &reply);
	if (r < 0)
		return trouble(rep, "address lookup", r);
	*ret_route = reply;
	return 0;
}

/* envelope - of the report */
static void
envelope(struct report *rep, const struct msg_map_route *route,
    struct msg_envelope *e)
{
	e->queue_id = queue_id_text(&rep->id);
	e->arrival = rep->now;
	e->smtputf8 = rep->e->smtputf8;
	e->sender_authenticated = 1;
	e->service = slice_of(daemon_service(rep->daemon));
	e->rcpts.v = ARENA_ARRAY(rep->arena, struct msg_rcpt,
	    route->targets.n + 1);
	e->rcpts.n = route->targets.n;
	for (size_t i = 0; i < route->targets.n; i++)
		e->rcpts.v[i] = (struct msg_rcpt){
			.address = route->targets.v[i].address,
			.original = rep->to_text,
			.transport = route->targets.v[i].transport,
			.nexthop = route->targets.v[i].nexthop,
			.number = (uint32_t)i,
		};
}

/* received - the field at the top of the report */
static struct slice
received(struct report *rep)
{
	struct buf	text = BUF_INIT;
	struct slice	out;
	struct received	r = {
		.host = rep->p->myhostname,
		.software = rep->p->mail_name,
		.queue_id = queue_id_text(&rep->id),
		.time = rep->now / 1000000,
		.zone = zone_at(rep->now / 1000000),
	};

	received_format(&text, &r);
	out = arena_dup(rep->arena, buf_slice(&text));
	buf_free(&text);
	return out;
}

/* submit - the report into the queue */
static int
submit(struct task *t, struct report *rep, const struct msg_map_route *route,
    struct status *ret_status)
{
	struct msg_content_begin	 b = { .add_received = true,
					     .received = received(rep) };
	struct msg_envelope		 e = { 0 };
	struct content_channel		*ch = NULL;
	int				 r;

	envelope(rep, route, &e);
	if ((r = content_channel_get(t, &rep->bounce->pool, &ch)) < 0 ||
	    (r = content_begin(t, ch, &e, &b)) < 0 ||
	    (r = content_data(t, ch, buf_slice(&rep->head))) < 0 ||
	    (r = rep->returns_content ? content_data(t, ch,
	    buf_slice(&rep->content)) : 0) < 0 ||
	    (r = content_data(t, ch, buf_slice(&rep->tail))) < 0 ||
	    (r = content_end(t, ch, rep->arena, ret_status)) < 0)
		r = trouble(rep, "the queue", r);
	else
		content_channel_put(&rep->bounce->pool, &ch);
	content_channel_drop(&ch);
	return r;
}

/* say - the line that ties message and report */
static void
say(const struct report *rep)
{
	const struct event *ev = rep->ask->kind == KIND_FAILURE ?
	    EV_BOUNCE_FAILURE : rep->ask->kind == KIND_DELAY ?
	    EV_BOUNCE_DELAY : rep->ask->kind == KIND_HELD ? EV_BOUNCE_HELD :
	    EV_BOUNCE_SUCCESS;

	log_event(&rep->log, ev, KV_STR("report", queue_id_text(&rep->id)));
}

/* refuse - the report is not wanted; later is no better if it is a 5xx */
static void
refuse(const struct report *rep, unsigned code, struct slice text,
    struct msg_bounce_result *out)
{
	log_event(&rep->log, EV_BOUNCE_REFUSED, KV_STR("to", rep->to_text),
	    KV_STR("text", text));
	out->ok = code / 100 == 5;
	out->text = slice_sub(text, 0, 500);
}

/* address - whom it goes to, and who sent the message */
static int
address(struct report *rep)
{
	const unsigned	flags = ADDR_UTF8 | ADDR_LENIENT | ADDR_MAY_LACK_DOMAIN;
	int		r;

	r = addr_parse(rep->e->sender, rep->arena, flags | ADDR_MAY_BE_NULL,
	    &rep->sender);
	rep->to = rep->sender;
	if (rep->ask->kind != KIND_HELD)
		return r;
	if (r < 0)
		rep->sender = (struct addr)ADDR_INIT;	/* not worth a no */
	return addr_parse(rep->to_text, rep->arena, flags, &rep->to);
}

/* make - the report, and the answer if it could be decided on */
static int
make(struct task *t, struct report *rep, struct msg_bounce_result *out)
{
	struct msg_map_route	*route = NULL;
	struct status		*s = ARENA_NEW(rep->arena, struct status);
	int			 r;

	if ((r = address(rep)) < 0) {
		refuse(rep, 553, S("the address is malformed"), out);
		return 0;
	}
	if ((r = resolve(t, rep, &route)) < 0)
		return r;
	if (route->code >= 400) {
		refuse(rep, route->code, route->text, out);
		return 0;
	}
	if ((r = bounce_read(t, rep)) < 0)
		return trouble(rep, "the message", r);
	if ((r = bounce_write(rep)) < 0)
		return trouble(rep, "the text of the report", r);
	if ((r = submit(t, rep, route, s)) < 0)
		return r;
	if (!status_is_ok(s)) {
		refuse(rep, s->code, arena_dup(rep->arena, status_text(s)), out);
		return 0;
	}
	say(rep);
	out->ok = true;
	out->queue_id = queue_id_text(&rep->id);
	return 0;
}

/* on_ask - one report */
static int
on_ask(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *arena, void *arg)
{
	struct daemon		*d = arg;
	struct report		*rep = ARENA_NEW(arena, struct report);
	struct msg_bounce_result out = { .text = S("not now") };
	struct deadline		 limit;
	void			*e;
	int			 r;

	if (in->desc->number != MSG_bounce_ask)
		return -EBADMSG;
	rep->ask = in->msg;
	if ((r = ipc_unpack(&msg_envelope_desc, rep->ask->envelope, arena,
	    &e)) < 0)
		return r;
	rep->e = e;
	rep->bounce = daemon_data(d);
	rep->daemon = d;
	rep->p = daemon_params(d);
	rep->arena = arena;
	rep->now = task_wall(t);
	rep->id = queue_id_make(&rep->bounce->ids,
	    (uint64_t)rep->now / 1000000, (uint32_t)(rep->now % 1000000));
	log_init(&rep->log, daemon_log(d));
	log_set(&rep->log, KV_STR("queue_id", rep->e->queue_id));
	rep->to_text = rep->ask->kind != KIND_HELD ? rep->e->sender :
	    rep->p->bounce_notice_recipient;
	if (slice_find(rep->to_text, '@') == SLICE_NONE &&
	    rep->ask->kind == KIND_HELD)
		rep->to_text = arena_printf(arena, "%.*s@%.*s",
		    SLICE_ARG(rep->to_text), SLICE_ARG(rep->p->myorigin));
	daemon_work_begin(d);
	if (rep->to_text.len == 0 || rep->ask->kind == 0) {
		out.ok = true;		/* nobody to tell */
		out.text = SLICE_EMPTY;
	} else {
		deadline_begin(t, &limit, LIMIT);
		r = make(t, rep, &out);
		r = deadline_end(t, &limit, r);
	}
	buf_free(&rep->header);
	buf_free(&rep->content);
	buf_free(&rep->head);
	buf_free(&rep->tail);
	if (r != -ECANCELED && (r = ipc_reply(c, in->request,
	    &msg_bounce_result_desc, &out)) == 0)
		r = ipc_drain(t, c);
	daemon_work_end(d);
	return r;
}

/* bounce_serve - qmgr */
int
bounce_serve(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct ipc_conn	c;
	int		r;

	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_bounce, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, on_ask, d, PARALLEL);
	daemon_caller_close(who, &c);
	return r;
}
