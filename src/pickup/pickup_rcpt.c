/* SPDX-License-Identifier: ISC */
/*
 * Addresses of a local submission. A recipient that mapd refuses is taken all
 * the same, with a transport that gives the reason: the report about it tells
 * the user more than an exit status of a program that has long ended.
 */
#include "pickup/pickup.h"

#include <string.h>

#include "libglobal/ipc_map.h"
#include "libmail/header_rcpts.h"
#include "pickup/pickup_events.h"

#define LOOKUP_LIMIT	60000	/* ms for one address */
#define ADDRESS_MAX	512
#define NEXTHOP_MAX	300

/* ask - one question to mapd */
static int
ask(struct task *t, struct submission *s, const struct ipc_desc *what,
    const void *m, const struct ipc_desc *want, struct arena *a,
    void **ret_reply)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, LOOKUP_LIMIT);
	r = edge_call_again(t, daemon_edge(s->daemon, "mapd", &ipc_table_map),
	    what, m, want, a, ret_reply);
	return deadline_end(t, &d, r);
}

/* trouble - mapd does not answer: the whole message must wait */
static int
trouble(struct submission *s, int error)
{
	struct status	why;

	if (error == -ECANCELED)
		return error;
	log_event(daemon_log(s->daemon), EV_PICKUP_TROUBLE,
	    KV_TEXT("what", "address lookup"), KV_ERR("why", error));
	why = status_make(451, "4.3.0", "address lookup is not available");
	submission_refuse(s, &why);
	return 0;
}

/* pickup_sender - the user's own address, or another one (-f) */
int
pickup_sender(struct task *t, struct submission *s)
{
	struct msg_map_from	 m = { .address = s->drop->sender,
				    .local = !s->drop->relayed };
	struct msg_map_address	*is;
	struct status		 why;
	void			*reply;
	int			 r;

	if (s->drop->null_sender)
		return 0;
	if (s->drop->sender.len == 0) {
		why = status_make(501, "5.1.7", "no sender address was given");
		submission_refuse(s, &why);
		return 0;
	}
	r = ask(t, s, &msg_map_from_desc, &m, &msg_map_address_desc, &s->arena,
	    &reply);
	if (r < 0)
		return trouble(s, r);
	is = reply;
	if (is->temporary)
		return trouble(s, -EAGAIN);
	s->sender = is->address;
	return 0;
}

/* room - for one more final recipient */
static struct msg_rcpt *
room(struct submission *s)
{
	if (s->rcpt_count == s->rcpt_cap) {
		size_t cap = s->rcpt_cap == 0 ? 8 : s->rcpt_cap * 4;
		struct msg_rcpt *v = ARENA_ARRAY(&s->arena, struct msg_rcpt,
		    cap);

		if (s->rcpt_count > 0)
			memcpy(v, s->rcpts, s->rcpt_count * sizeof(*v));
		s->rcpts = v;
		s->rcpt_cap = cap;
	}
	return &s->rcpts[s->rcpt_count++];
}

/* is_there - was this target found before? Few do it often */
static bool
is_there(const struct submission *s, struct slice address,
    struct slice original)
{
	for (size_t i = 0; i < s->rcpt_count && i < 1000; i++)
		if (slice_equal_nocase(s->rcpts[i].address, address) &&
		    slice_equal_nocase(s->rcpts[i].original, original))
			return true;
	return false;
}

static void
add_target(struct submission *s, const struct msg_drop_rcpt *given,
    struct slice address, struct slice transport, struct slice nexthop)
{
	struct msg_rcpt *r;

	if (is_there(s, address, given->address))
		return;
	r = room(s);
	*r = (struct msg_rcpt){
		.address = arena_dup(&s->arena, address),
		.original = arena_dup(&s->arena, given->address),
		.orcpt = given->orcpt,
		.notify = given->notify != 0 ? given->notify :
		    s->drop->notify,
		.transport = arena_dup(&s->arena, transport),
		.nexthop = arena_dup(&s->arena, nexthop),
		.number = (uint32_t)s->rcpt_count - 1,
	};
}

/* add_refused - error and retry are transports that give a reason */
static void
add_refused(struct submission *s, const struct msg_drop_rcpt *given,
    const struct msg_map_route *route)
{
	struct slice reason = arena_printf(&s->arena, "%.*s %.*s",
	    SLICE_ARG(route->enhanced), SLICE_ARG(route->text));

	add_target(s, given, given->address,
	    route->code / 100 == 5 ? S("error") : S("retry"),
	    slice_sub(reason, 0, NEXTHOP_MAX));
}

/* pickup_add_rcpt - resolve one address */
int
pickup_add_rcpt(struct task *t, struct submission *s,
    const struct msg_drop_rcpt *given)
{
	struct slice		 address = given->address;
	struct msg_map_rcpt	 m = { .recipient = address,
				    .sender = s->sender, .trusted = true };
	struct msg_map_route	*route;
	struct arena		 a = ARENA_INIT;
	struct status		 why;
	void			*reply;
	int			 r = 0;

	if (address.len == 0 || address.len > ADDRESS_MAX)
		why = status_make(501, "5.1.3", "bad recipient address syntax");
	else if (s->given++ >= PICKUP_RCPTS_MAX)
		why = status_make(554, "5.5.3", "too many recipients");
	else
		why = (struct status)STATUS_INIT;
	if (why.code != 0) {
		submission_refuse(s, &why);
		return 0;
	}
	r = ask(t, s, &msg_map_rcpt_desc, &m, &msg_map_route_desc, &a, &reply);
	if (r < 0) {
		r = trouble(s, r);
		goto out;
	}
	route = reply;
	if (route->code >= 400)
		add_refused(s, given, route);
	else
		for (size_t i = 0; i < route->targets.n; i++)
			add_target(s, given, route->targets.v[i].address,
			    route->targets.v[i].transport,
			    route->targets.v[i].nexthop);
out:
	arena_free(&a);
	return r;
}

/* pickup_extract - the addresses of the header; sendmail has complained about
 * those that are none */
int
pickup_extract(struct task *t, struct submission *s, struct slice header)
{
	struct msg_drop_rcpt	given = { .address = SLICE_EMPTY };
	struct header_rcpts	h;
	bool			valid;
	int			r = 0;

	header_rcpts_init(&h, header);
	while (r == 0 && s->refusal.code == 0 &&
	    header_rcpts_next(&h, &s->arena, &given.address, &valid))
		if (valid)
			r = pickup_add_rcpt(t, s, &given);
	return r;
}
