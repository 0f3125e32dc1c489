/* SPDX-License-Identifier: ISC */
/*
 * A question is answered on the loop if its tables are all in memory, and on
 * a worker if one of them may block. Where accounts are not known yet the
 * attempt ends, authd is asked, and the next attempt knows.
 *
 * Between daemons addresses travel as text, with the quotes that the grammar
 * wants; tables and rules see them without.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libglobal/edge.h"
#include "libglobal/ipc_map.h"
#include "libglobal/ipc_store.h"
#include "libglobal/map.h"
#include "libglobal/map_search.h"
#include "libtask/work.h"
#include "libutil/buf.h"
#include "mapd/mapd.h"
#include "mapd/mapd_events.h"

#define PARALLEL	64		/* questions of one caller at a time */
#define TRANSPORT_MAX	64		/* as ipc_map.def has them */
#define NEXTHOP_MAX	300
#define ADDRESS_MAX	512
#define VALUE_MAX	100000
#define QUOTA_MS	5000		/* how long stored may take */
#define TARGETS_MAX	10000

/* to_internal - an address without quotes */
static struct slice
to_internal(struct arena *a, struct slice text)
{
	struct slice rest = text, address;
	bool is_address;

	if (slice_find(text, '"') == SLICE_NONE &&
	    slice_find(text, '\\') == SLICE_NONE)
		return text;
	if (map_search_next(&rest, a, &address, &is_address) > 0 &&
	    rest.len == 0)
		return address;
	return text;
}

/* to_text - an address with the quotes it needs */
static struct slice
to_text(struct arena *a, struct slice address)
{
	struct buf out = BUF_INIT;
	struct slice local, domain, text;

	if (address.len == 0)
		return address;
	map_search_cut(address, &local, &domain);
	addr_format_local(&out, local);
	buf_add(&out, slice_from(address, local.len));
	text = arena_dup(a, buf_slice(&out));
	buf_free(&out);
	return text;
}

/* --- may mail for this address be taken, and where does it go? */
struct rcpt_work {
	struct resolver			*resolver;
	struct resolve_query		 query;
	struct mapd_asker		 asker;
	struct arena			*arena;
	struct resolve_result		*result;
	bool				 ask_client;	/* mynetworks decides */
	struct slice			 client;
};

/* attempt - try to answer with what is known */
static int
attempt(void *arg)
{
	struct rcpt_work *w = arg;
	int r;

	if (w->ask_client) {
		r = resolve_client(w->resolver, SLICE_EMPTY, w->client,
		    w->query.may_block);
		if (r == -EINPROGRESS)
			return r;
		/* a table that cannot say is no yes; the reply then is that
		 * the client must wait, if it is about relaying at all */
		w->query.may_relay = r > 0;
		w->query.relay_unknown = r < 0;
		w->ask_client = false;
	}
	return resolve_recipient(w->resolver, &w->query, w->arena, w->result);
}

/* resolve - attempts, on the loop or a worker, until there is an answer */
static int
resolve(struct task *t, struct rcpt_work *w)
{
	int r = -EAGAIN;

	for (int i = 0; i < MAPD_ROUNDS_MAX && r == -EAGAIN; i++) {
		w->asker.in_worker = w->query.may_block;
		r = w->query.may_block ? work_run(t, attempt, w) : attempt(w);
		if (r == -EINPROGRESS) {
			w->query.may_block = true;
			r = -EAGAIN;
			/* what was wanted so far is asked for at once */
		}
		if (r == -EAGAIN && w->asker.wanted_count > 0) {
			int asked = mapd_who_ask(t, &w->asker);

			if (asked < 0)
				return asked;
		}
	}
	return r;
}

/* check_quota - would the message fit? A full mailbox refuses it */
static void
check_quota(struct task *t, struct mapd *m, const struct msg_map_rcpt *ask,
    struct resolve_result *result, struct arena *a)
{
	struct edge *e = daemon_edge(m->daemon, "stored", &ipc_table_store);
	struct msg_store_quota q = { .size = ask->size };
	struct msg_store_usage *usage;
	struct deadline limit;
	void *reply;
	int r;

	if (result->count != 1 || !slice_equal(result->target[0].transport,
	    S(RESOLVE_STORE)))
		return;		/* of several, one full box refuses none */
	if (!result->target[0].is_limited)
		return;		/* it cannot be full */
	q.account = result->target[0].nexthop;
	deadline_begin(t, &limit, QUOTA_MS);
	r = edge_call_again(t, e, &msg_store_quota_desc, &q,
	    &msg_store_usage_desc, a, &reply);
	r = deadline_end(t, &limit, r);
	if (r < 0) {
		log_event(daemon_log(m->daemon), EV_MAPD_STORED,
		    KV_STR("account", q.account), KV_ERR("why", r));
		return;
	}
	usage = reply;
	if (usage->known && !usage->fits)
		result->status = status_make(552, "5.2.2", "<%.*s>: Recipient "
		    "address rejected: Quota exceeded (mailbox for user is "
		    "full)", SLICE_ARG(ask->recipient));
}

/* fits - do the texts of a target keep the bounds of the message? */
static bool
fits(const struct resolve_target *target)
{
	return target->address.len <= ADDRESS_MAX - 2 &&
	    target->transport.len <= TRANSPORT_MAX;
}

/* fill_targets - the targets as the message has them */
static void
fill_targets(struct msg_map_route *m, const struct resolve_result *result,
    struct arena *a)
{
	size_t n = size_min(result->count, TARGETS_MAX);

	m->targets.v = ARENA_ARRAY(a, struct msg_target, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct resolve_target *from = &result->target[i];
		struct msg_target *to = &m->targets.v[m->targets.n];

		if (!fits(from))
			continue;
		to->address = to_text(a, from->address);
		if (to->address.len > ADDRESS_MAX)
			continue;
		to->transport = from->transport;
		to->nexthop = slice_sub(from->nexthop, 0, NEXTHOP_MAX);
		m->targets.n++;
	}
}

/* fill_route - the answer */
static void
fill_route(struct msg_map_route *m, struct resolve_result *result,
    struct arena *a)
{
	struct buf enhanced = BUF_INIT;

	m->address_class = result->class;
	m->sender = to_text(a, result->sender);
	if (m->sender.len > ADDRESS_MAX)
		m->sender = SLICE_EMPTY;	/* then it stays as it was */
	if (result->status.code == 0) {
		fill_targets(m, result, a);
		if (m->targets.n > 0)
			return;
		result->status = status_make(550, "5.1.3",
		    "Address or transport is too long");
	}
	m->code = result->status.code;
	status_code_format(&enhanced, result->status.enhanced);
	m->enhanced = arena_dup(a, buf_slice(&enhanced));
	m->text = arena_dup(a, status_text(&result->status));
	buf_free(&enhanced);
}

/* rcpt - answer map_rcpt */
static int
rcpt(struct task *t, struct mapd *m, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a)
{
	const struct msg_map_rcpt *ask = in->msg;
	struct msg_map_route route = { .code = 0 };
	struct mapd_tables *tables;
	struct rcpt_work w = { .arena = a };
	int r;

	w.result = ARENA_NEW(a, struct resolve_result);
	w.asker = (struct mapd_asker){ .mapd = m, .arena = a };
	w.query = (struct resolve_query){
		.recipient = to_internal(a, ask->recipient),
		.given = ask->recipient,
		.sender = to_internal(a, ask->sender),
		.check = ask->check, .may_relay = ask->trusted,
		.who = mapd_who, .arg = &w.asker,
	};
	w.ask_client = !ask->trusted && ask->client_address.len > 0;
	w.client = ask->client_address;
	mapd_who_ready(t, m);
	tables = mapd_tables_use(t, m);
	w.resolver = tables->resolver;
	r = resolve(t, &w);
	if (r < 0 && r != -ECANCELED) {
		w.result->status = status_make(451, "4.3.0",
		    "Temporary lookup failure");
		r = 0;
	}
	if (r == 0 && w.result->status.code == 0 && ask->check)
		check_quota(t, m, ask, w.result, a);
	if (r == 0) {
		if (status_is_temporary(&w.result->status))
			log_event(daemon_log(m->daemon), EV_MAPD_FAILED,
			    KV_STR("recipient", ask->recipient),
			    KV_STR("why", status_text(&w.result->status)));
		fill_route(&route, w.result, a);
		r = ipc_reply(c, in->request, &msg_map_route_desc, &route);
	}
	mapd_tables_unuse(&tables);
	mapd_asker_done(&w.asker);
	return r;
}

/* --- is this client in mynetworks? */
struct client_work {
	struct resolver			*resolver;
	const struct msg_map_client	*ask;
	bool				 may_block;
};

/* ask_client - for the loop or a worker */
static int
ask_client(void *arg)
{
	const struct client_work *w = arg;

	return resolve_client(w->resolver, w->ask->name, w->ask->address,
	    w->may_block);
}

/* client - answer map_client */
static int
client(struct task *t, struct mapd *m, struct ipc_conn *c, struct ipc_in *in)
{
	struct mapd_tables *tables = mapd_tables_use(t, m);
	struct client_work w = { tables->resolver, in->msg, false };
	struct msg_map_client_is is = { .trusted = false };
	int r = ask_client(&w);

	if (r == -EINPROGRESS) {
		w.may_block = true;
		r = work_run(t, ask_client, &w);
	}
	mapd_tables_unuse(&tables);
	if (r == -ECANCELED)
		return r;
	is.trusted = r > 0;
	is.temporary = r < 0;
	return ipc_reply(c, in->request, &msg_map_client_is_desc, &is);
}

/* --- rewrite a sender or header address */
struct from_work {
	struct resolver		*resolver;
	struct slice		 address;
	enum resolve_what	 what;
	bool			 local;
	bool			 may_block;
	struct arena		*arena;
};

/* rewrite_from - for the loop or a worker */
static int
rewrite_from(void *arg)
{
	struct from_work *w = arg;

	return resolve_rewrite(w->resolver, w->address, w->what, w->local,
	    w->may_block, w->arena, &w->address);
}

/* from - answer map_from */
static int
from(struct task *t, struct mapd *m, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a)
{
	const struct msg_map_from *ask = in->msg;
	struct mapd_tables *tables = mapd_tables_use(t, m);
	struct from_work w = { tables->resolver,
		to_internal(a, ask->address), (enum resolve_what)ask->what,
		ask->local, false, a };
	struct msg_map_address is = { .temporary = false };
	int r = rewrite_from(&w);

	if (r == -EINPROGRESS) {
		w.may_block = true;
		r = work_run(t, rewrite_from, &w);
	}
	mapd_tables_unuse(&tables);
	if (r == -ECANCELED)
		return r;
	is.temporary = r < 0;
	is.address = r < 0 ? ask->address : to_text(a, w.address);
	if (is.address.len > ADDRESS_MAX)
		is.address = ask->address;
	return ipc_reply(c, in->request, &msg_map_address_desc, &is);
}

/* --- a plain lookup, for tools */
struct lookup_work {
	const struct msg_map_lookup	*ask;
	struct buf			 value;
	struct diag			 diag;
};

/* look - open, ask, close: for a worker */
static int
look(void *arg)
{
	struct lookup_work *w = arg;
	struct map *map = NULL;
	int r = map_open(w->ask->map, 0, &w->diag, &map);

	/* a table that is not there is no key that is not there */
	if (r < 0)
		return r == -ENOENT ? -EIO : r;
	r = map_get(map, w->ask->key, &w->value);
	map_close(&map);
	return r;
}

/* lookup - answer map_lookup */
static int
lookup(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a)
{
	struct lookup_work *w = ARENA_NEW(a, struct lookup_work);
	struct msg_map_value is = { .found = false };
	struct buf why = BUF_INIT;
	int r;

	w->ask = in->msg;
	w->value.max = VALUE_MAX;
	r = work_run(t, look, w);
	is.found = r == 0;
	if (r == 0)
		is.value = buf_slice(&w->value);
	if (r < 0 && r != -ENOENT) {
		if (w->diag.text[0] != '\0')
			diag_format(&why, &w->diag);
		else
			buf_addf(&why, "the lookup failed: %s", strerror(-r));
		is.error = slice_sub(buf_slice(&why), 0, NEXTHOP_MAX);
	}
	if (r != -ECANCELED)
		r = ipc_reply(c, in->request, &msg_map_value_desc, &is);
	buf_free(&w->value);
	buf_free(&why);
	return r;
}

/* who asks */
struct asking {
	struct mapd	*mapd;
	char		 daemon[64];
};

/* may_look - tables may hold what no daemon is to see: passwords, say */
static bool
may_look(const struct asking *who)
{
	if (strcmp(who->daemon, "tool") == 0)
		return true;
	log_event(daemon_log(who->mapd->daemon), EV_MAPD_NOT_ALLOWED,
	    KV_TEXT("caller", who->daemon), KV_TEXT("message", "map_lookup"));
	return false;
}

/* serve - one question */
static int
serve(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	const struct asking *who = arg;
	struct mapd *m = who->mapd;

	switch (in->desc->number) {
	case MSG_map_rcpt:
		return rcpt(t, m, c, in, a);
	case MSG_map_client:
		return client(t, m, c, in);
	case MSG_map_from:
		return from(t, m, c, in, a);
	case MSG_map_lookup:
		return may_look(who) ? lookup(t, c, in, a) : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

/* mapd_edge - serve one caller */
int
mapd_edge(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct asking asking = { .mapd = daemon_data(d) };
	struct ipc_conn c;
	int r;

	(void)snprintf(asking.daemon, sizeof(asking.daemon), "%.*s",
	    SLICE_ARG(who->daemon));
	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_map, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, serve, &asking, PARALLEL);
	daemon_caller_close(who, &c);
	return r;
}
