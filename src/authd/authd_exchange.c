/* SPDX-License-Identifier: ISC */
/*
 * The steps of SASL mechanisms. What must be kept between two steps of one
 * login is an exchange of the caller that relays them; it is forgotten when
 * it is too old, when there are too many, and with the caller.
 */
#include <stdlib.h>

#include "authd/authd.h"
#include "libutil/alloc.h"

#define EXCHANGES_MAX	2000	/* of one caller */

enum mechanism { PLAIN, LOGIN };

struct exchange {
	struct list		link;
	struct arena		arena;
	uint64_t		id;
	int64_t			begun;
	enum mechanism		mechanism;
	enum sasl_login_step	step;
	struct authd_attempt	attempt;	/* in the arena */
};

/* drop - forget one */
static void
drop(struct authd_caller *c, struct exchange *x)
{
	list_remove(&x->link);
	c->exchange_count--;
	arena_free(&x->arena);
	free(x);
}

/* authd_exchanges_free - forget all */
void
authd_exchanges_free(struct authd_caller *c)
{
	while (!list_is_empty(&c->exchanges))
		drop(c, CONTAINER_OF(c->exchanges.next, struct exchange, link));
}

/* drop_old - forget those whose client has gone, and the oldest of too many */
static void
drop_old(struct authd_caller *c, int64_t now)
{
	int64_t limit = authd_params(c->authd)->authd_exchange_limit;

	LIST_EACH_SAFE(&c->exchanges, link) {
		struct exchange *x = CONTAINER_OF(link, struct exchange, link);

		if (now - x->begun < limit &&
		    c->exchange_count < EXCHANGES_MAX)
			return;
		drop(c, x);
	}
}

/* find - an exchange by its number */
static struct exchange *
find(struct authd_caller *c, uint64_t id)
{
	LIST_EACH(&c->exchanges, link) {
		struct exchange *x = CONTAINER_OF(link, struct exchange, link);

		if (x->id == id)
			return x;
	}
	return NULL;
}

/* authd_cancel - the client gave up */
void
authd_cancel(struct authd_caller *c, const struct msg_auth_cancel *m)
{
	struct exchange *x = find(c, m->exchange);

	if (x != NULL)
		drop(c, x);
}

/* answer - to the caller, who relays it */
static int
answer(struct authd_caller *c, struct ipc_in *in,
    const struct msg_auth_step *step)
{
	return ipc_reply(&c->conn, in->request, &msg_auth_step_desc, step);
}

/* refuse - say no, and why */
static int
refuse(struct authd_caller *c, struct ipc_in *in, struct slice why)
{
	struct msg_auth_step step = { .outcome = OUTCOME_REFUSED, .text = why };

	return answer(c, in, &step);
}

/* malformed - log it as what it is: a login that failed */
static int
malformed(struct authd_caller *c, struct ipc_in *in,
    const struct authd_attempt *at)
{
	log_event(daemon_log(c->authd->daemon), EV_AUTHD_LOGIN_FAILED,
	    KV_STR("protocol", at->protocol),
	    KV_STR("login", at->login.authcid),
	    KV_STR("method", at->mechanism), KV_OPT("client", at->client),
	    KV_TEXT("why", "malformed message"),
	    KV_OPT("session", at->session));
	return refuse(c, in, S("malformed authentication message"));
}

/* go_on - ask for more */
static int
go_on(struct authd_caller *c, struct ipc_in *in, const struct exchange *x)
{
	struct msg_auth_step step = { .outcome = OUTCOME_GO_ON,
	    .exchange = x->id };

	if (x->mechanism == LOGIN)
		step.challenge = sasl_login_challenge(x->step);
	return answer(c, in, &step);
}

/* take - the client's words; 1: name and password are known now */
static int
take(struct exchange *x, struct slice words)
{
	int r;

	if (x->mechanism == PLAIN) {
		r = sasl_plain_parse(words, &x->arena, &x->attempt.login);
		return r < 0 ? r : 1;
	}
	r = sasl_login_parse(x->step, words, &x->arena, &x->attempt.login);
	if (r < 0)
		return r;
	x->step = (enum sasl_login_step)r;
	return x->step == SASL_LOGIN_DONE;
}

/* forget - a password that was tried; the arena it lies in is ours */
static void
forget(struct slice password)
{
	if (password.len > 0)
		explicit_bzero((char *)(uintptr_t)password.data, password.len);
}

/* step - the client's words lead to an answer */
static int
step(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct exchange *x, struct slice words, struct arena *arena)
{
	struct msg_auth_step	out = { .outcome = OUTCOME_LATER };
	int			r = take(x, words);

	if (r == 0) {
		r = go_on(c, in, x);
		return r;
	}
	/* nobody else finds it while we wait */
	list_remove(&x->link);
	list_init(&x->link);
	if (r < 0)
		r = malformed(c, in, &x->attempt);
	else if ((r = authd_login(t, c, &x->attempt, arena, &out)) == 0)
		r = answer(c, in, &out);
	forget(x->attempt.login.password);
	drop(c, x);
	return r;
}

/* begin - a new exchange */
static struct exchange *
begin(struct task *t, struct authd_caller *c, const struct msg_auth_start *m,
    enum mechanism mechanism)
{
	struct exchange *x;

	drop_old(c, task_now(t));
	x = NEW(struct exchange);
	x->id = ++c->last_exchange;
	x->begun = task_now(t);
	x->mechanism = mechanism;
	x->step = SASL_LOGIN_NAME;
	x->attempt.protocol = arena_dup(&x->arena, m->protocol);
	x->attempt.mechanism = arena_dup(&x->arena, m->mechanism);
	x->attempt.client = arena_dup(&x->arena, m->client_address);
	x->attempt.session = arena_dup(&x->arena, m->session);
	x->attempt.tls = m->tls;
	list_add_tail(&c->exchanges, &x->link);
	c->exchange_count++;
	return x;
}

/* authd_start - a login begins */
int
authd_start(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_start	*m = in->msg;
	struct exchange			*x;
	enum mechanism			 mechanism;

	if (slice_equal_nocase(m->mechanism, S("PLAIN")))
		mechanism = PLAIN;
	else if (slice_equal_nocase(m->mechanism, S("LOGIN")))
		mechanism = LOGIN;
	else
		return refuse(c, in, S("unsupported mechanism"));
	x = begin(t, c, m, mechanism);
	if (!m->has_initial)
		return go_on(c, in, x);
	return step(t, c, in, x, m->initial, arena);
}

/* authd_continue - the client's answer to a challenge */
int
authd_continue(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_continue	*m = in->msg;
	struct exchange			*x;

	drop_old(c, task_now(t));
	x = find(c, m->exchange);
	if (x == NULL)
		return refuse(c, in, S("the login took too long"));
	return step(t, c, in, x, m->response, arena);
}
