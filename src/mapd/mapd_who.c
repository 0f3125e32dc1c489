/* SPDX-License-Identifier: ISC */
/*
 * authd's answers are remembered in one arena, until authd says that its
 * database changed, or the edge to it was made anew (a change may have been
 * missed), or there are too many. A question keeps copies of what it was
 * told, for itself alone: so a worker can look at them.
 */
#include <stdlib.h>

#include "libglobal/edge.h"
#include "libglobal/ipc_auth.h"
#include "libmail/addr.h"
#include "libutil/arena.h"
#include "mapd/mapd.h"
#include "mapd/mapd_events.h"

#define CACHE_MAX	20000		/* addresses */
#define ADDRESS_MAX	512		/* as ipc_auth.def has it */
#define ASK_MS		10000		/* how long authd may take */

/* forget - all that authd said */
static void
forget(struct mapd *m)
{
	hash_free(&m->cache.hash);
	arena_free(&m->cache.arena);
	m->cache.changes++;
}

/* on_message - what authd says unasked */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	(void)t;
	(void)c;
	(void)a;
	if (in->desc->number != MSG_auth_changed)
		return -EBADMSG;
	forget(arg);
	return 0;
}

/* authd - the edge to it */
static struct edge *
authd(struct mapd *m)
{
	struct edge *e = daemon_edge(m->daemon, "authd", &ipc_table_auth);

	edge_on_message(e, on_message, m);
	return e;
}

/* mapd_who_ready - be connected, or know that we are not */
void
mapd_who_ready(struct task *t, struct mapd *m)
{
	struct edge *e = authd(m);
	struct deadline limit;

	/* if not, asking says why */
	deadline_begin(t, &limit, ASK_MS);
	ignore(deadline_end(t, &limit, edge_ensure(t, e)));
	if (edge_generation(e) != m->cache.edge) {
		forget(m);
		m->cache.edge = edge_generation(e);
	}
}

/* lower - an address as authd is asked for it */
static struct slice
lower(struct arena *a, struct slice address)
{
	struct slice local = address, domain = SLICE_EMPTY;
	size_t at = slice_find_last(address, '@');
	char *text;

	if (at != SLICE_NONE) {
		local = slice_sub(address, 0, at);
		domain = slice_from(address, at + 1);
	}
	local = addr_fold(a, local);
	text = arena_alloc(a, local.len + domain.len + 2);
	if (local.len > 0)
		memcpy(text, local.data, local.len);
	if (at == SLICE_NONE)
		return slice_over(text, local.len);
	text[local.len] = '@';
	for (size_t i = 0; i < domain.len; i++)
		text[local.len + 1 + i] = ascii_lower(domain.data[i]);
	return slice_over(text, local.len + 1 + domain.len);
}

/* copy_who - an answer into another arena */
static struct resolve_who
copy_who(struct arena *a, const struct resolve_who *from)
{
	struct resolve_owner *v = ARENA_ARRAY(a, struct resolve_owner,
	    from->count + 1);
	struct resolve_who to = *from;

	for (size_t i = 0; i < from->count; i++) {
		v[i].account = arena_dup(a, from->owner[i].account);
		v[i].address = arena_dup(a, from->owner[i].address);
		v[i].is_limited = from->owner[i].is_limited;
	}
	to.owner = v;
	return to;
}

/* add_wanted - one more address to ask for */
static void
add_wanted(struct mapd_asker *asker, struct slice key)
{
	struct slice *more;

	for (size_t i = 0; i < asker->wanted_count; i++)
		if (slice_equal(asker->wanted[i], key))
			return;
	if (asker->wanted_count == asker->wanted_room) {
		asker->wanted_room = asker->wanted_room == 0 ? 4 :
		    asker->wanted_room * 2;
		more = ARENA_ARRAY(asker->arena, struct slice,
		    asker->wanted_room);
		if (asker->wanted_count > 0)
			memcpy(more, asker->wanted,
			    asker->wanted_count * sizeof(*more));
		asker->wanted = more;
	}
	asker->wanted[asker->wanted_count++] = key;
}

/* mapd_who - what is known of an address; else it is wanted */
int
mapd_who(void *arg, struct slice address, struct resolve_who *ret_who)
{
	struct mapd_asker *asker = arg;
	struct slice key = lower(asker->arena, address);
	const struct mapd_known *known;

	known = hash_get(&asker->known, key);
	if (known == NULL && !asker->in_worker)
		known = hash_get(&asker->mapd->cache.hash, key);
	if (known == NULL && (key.len == 0 || key.len > ADDRESS_MAX ||
	    slice_find(key, '\0') != SLICE_NONE)) {
		*ret_who = (struct resolve_who){ .domain = false };
		return 0;
	}
	if (known == NULL) {
		add_wanted(asker, key);
		return -EAGAIN;
	}
	if (known->error == 0)
		*ret_who = known->who;
	return known->error;
}

/* take_answer - authd's message as an answer, lent from it */
static int
take_answer(struct arena *a, const struct msg_auth_who *msg,
    struct resolve_who *ret_who)
{
	struct resolve_owner *v;

	if (msg->temporary)
		return -EIO;
	v = ARENA_ARRAY(a, struct resolve_owner, msg->targets.n + 1);
	for (size_t i = 0; i < msg->targets.n; i++) {
		v[i].account = msg->targets.v[i].account;
		v[i].address = msg->targets.v[i].address;
		v[i].is_limited = msg->targets.v[i].is_limited;
	}
	*ret_who = (struct resolve_who){ msg->domain, msg->found, v,
	    msg->targets.n };
	return 0;
}

/* remember - an answer for the next questions */
static void
remember(struct mapd *m, struct slice key, const struct resolve_who *who)
{
	struct mapd_known *known;

	if (m->cache.hash.count >= CACHE_MAX)
		forget(m);
	known = ARENA_NEW(&m->cache.arena, struct mapd_known);
	known->who = copy_who(&m->cache.arena, who);
	(void)hash_put(&m->cache.hash, key, known);	/* the newest counts */
}

/* ask - authd about one address */
static int
ask(struct task *t, struct mapd_asker *asker, struct slice key,
    struct mapd_known *known)
{
	struct mapd *m = asker->mapd;
	struct msg_auth_exists msg = { .address = key };
	uint64_t changes = m->cache.changes;
	struct edge *e = authd(m);
	struct deadline limit;
	void *reply;
	int r;

	deadline_begin(t, &limit, ASK_MS);
	r = edge_call_again(t, e, &msg_auth_exists_desc, &msg,
	    &msg_auth_who_desc, asker->arena, &reply);
	r = deadline_end(t, &limit, r);
	if (r == 0)
		r = take_answer(asker->arena, reply, &known->who);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		log_event(daemon_log(m->daemon), EV_MAPD_AUTHD,
		    KV_STR("address", key), KV_ERR("why", r));
	/* what changed while authd answered may be in the answer or not */
	else if (m->cache.changes == changes &&
	    edge_generation(e) == m->cache.edge)
		remember(m, key, &known->who);
	known->error = r < 0 ? -EIO : 0;
	return 0;
}

/* mapd_who_ask - ask for all that is wanted */
int
mapd_who_ask(struct task *t, struct mapd_asker *asker)
{
	struct mapd_known *known;
	struct slice key;
	int r;

	for (size_t i = 0; i < asker->wanted_count; i++) {
		key = asker->wanted[i];
		known = hash_get(&asker->mapd->cache.hash, key);
		if (known != NULL) {
			struct mapd_known *copy = ARENA_NEW(asker->arena,
			    struct mapd_known);

			copy->who = copy_who(asker->arena, &known->who);
			(void)hash_put(&asker->known, key, copy);
			continue;
		}
		known = ARENA_NEW(asker->arena, struct mapd_known);
		if ((r = ask(t, asker, key, known)) < 0)
			return r;
		(void)hash_put(&asker->known, key, known);	/* was wanted */
	}
	asker->wanted_count = 0;
	return 0;
}

/* mapd_asker_done - forget a question's answers */
void
mapd_asker_done(struct mapd_asker *asker)
{
	hash_free(&asker->known);
}
