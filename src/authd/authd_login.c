/* SPDX-License-Identifier: ISC */
/*
 * A name and a password become an account, or a refusal that looks the same
 * whatever was wrong and takes the same time: for a name that nobody has, a
 * hash that fits no password is computed.
 *
 * What was tried a short while ago is not hashed again, right or wrong. A
 * wrong one that is repeated (a telephone with last year's password) is not
 * counted again either. All others wait for as long as the failures of their
 * address and name ask for, before their password is looked at: a delay
 * behind it would tell the impatient that it was wrong.
 */
#include <stdio.h>

#include "authd/authd.h"
#include "libglobal/accounts_password.h"

/* salt and digest of no password, in base64: only the cost matters */
#define NOBODYS_SALT	"BaridBaridBaridBaridBA"
#define NOBODYS_DIGEST	"NobodysNobodysNobodysNobodysNobodysNobodysA"

/* one login on its way */
struct trial {
	struct authd			*a;
	const struct authd_attempt	*at;
	struct arena			*arena;
	struct slice			 login;		/* completed */
	struct accounts_account		 account;	/* if is_known */
	struct slice			 stored;	/* the hash to try */
	struct verified_digest		 digest;
	bool				 is_known;
	const char			*why;		/* for the log alone */
};

/* complete - a user name as the login name of an account */
static struct slice
complete(struct authd *a, struct slice name, struct arena *arena)
{
	const struct authd_params	*p = authd_params(a);
	struct slice			 domain = slice_of(a->default_domain);
	struct accounts_domain		 known;
	struct slice			 login;

	if (slice_find(name, '@') == SLICE_NONE) {
		if (accounts_domain(a->accounts, domain, arena,
		    &known) == -ENOENT)
			domain = p->mydomain;
		name = arena_printf(arena, "%.*s@%.*s", SLICE_ARG(name),
		    SLICE_ARG(domain));
	}
	return accounts_address(name, arena, &login) < 0 ? name : login;
}

/* nobodys_hash - as dear as that of a new password */
static struct slice
nobodys_hash(struct authd *a, struct arena *arena)
{
	const struct authd_params *p = authd_params(a);

	return arena_printf(arena, "$argon2id$v=19$m=%llu,t=%lld,p=%lld$"
	    NOBODYS_SALT "$" NOBODYS_DIGEST,
	    (unsigned long long)p->authd_hash_memory >> 10,
	    (long long)p->authd_hash_passes, (long long)p->authd_hash_lanes);
}

/* look_up - the account, and the hash to try */
static int
look_up(struct trial *x)
{
	int r;

	x->login = complete(x->a, x->at->login.authcid, x->arena);
	r = accounts_by_login(x->a->accounts, x->login, x->arena, &x->account);
	if (r < 0 && r != -ENOENT)
		return r;
	x->is_known = r == 0;
	if (x->is_known && x->account.password.len > 0)
		x->stored = x->account.password;
	else
		x->stored = nobodys_hash(x->a, x->arena);
	return verified_digest(x->a->key, x->login, x->at->login.password,
	    x->stored, &x->digest);
}

/* rules - how failures delay, by the parameters */
static struct failures_rules
rules(const struct authd *a)
{
	const struct authd_params *p = authd_params(a);

	return (struct failures_rules){
	    (unsigned)p->authd_failure_threshold, p->authd_failure_delay,
	    p->authd_failure_delay_max, p->authd_failure_ttl };
}

struct hashing {
	struct slice	stored;
	struct slice	password;
};

/* hash_work - on a worker */
static int
hash_work(void *arg)
{
	const struct hashing *h = arg;

	return password_verify(h->stored, h->password);
}

/* hash - wait for as long as there is to wait, then compute */
static int
hash(struct task *t, struct trial *x)
{
	struct failures_rules	r = rules(x->a);
	struct hashing		h = { x->stored, x->at->login.password };
	int64_t			ms;
	int			e = 0;

	ms = failures_delay(&x->a->failures, &r, x->at->client, x->login,
	    task_now(t));
	if (ms > 0)
		e = task_sleep(t, ms);
	return e < 0 ? e : work_run_in(t, &x->a->hashing, hash_work, &h);
}

/* try - 0 if the password fits, -EKEYREJECTED, -EBUSY, or another error */
static int
try(struct task *t, struct trial *x)
{
	const struct authd_params	*p = authd_params(x->a);
	struct authd			*a = x->a;
	struct failures_rules		 rule = rules(a);
	int				 r;

	if (verified_has(&a->right, &x->digest, task_now(t),
	    p->authd_verified_cache_ttl))
		return 0;
	if (verified_has(&a->wrong, &x->digest, task_now(t),
	    p->authd_verified_cache_ttl))
		return -EKEYREJECTED;
	if (a->waiting >= (unsigned)p->authd_login_limit ||
	    !failures_wait_begin(&a->failures, &rule, x->at->client,
	    task_now(t)))
		return -EBUSY;
	a->waiting++;
	r = hash(t, x);
	a->waiting--;
	failures_wait_end(&a->failures, x->at->client);
	p = authd_params(a);
	if (r == 0 && x->is_known) {
		verified_add(&a->right, &x->digest, task_now(t),
		    (size_t)p->authd_verified_cache_size);
	} else if (r == -EKEYREJECTED) {
		verified_add(&a->wrong, &x->digest, task_now(t),
		    (size_t)p->authd_verified_cache_size);
		failures_add(&a->failures, &rule, x->at->client, x->login,
		    task_now(t));
	}
	return r;
}

/* look_again - while we hashed, is it still the account it was? */
static int
look_again(struct trial *x)
{
	struct accounts_account	now;
	int			r;

	if (!x->is_known) {
		x->why = "no such user";
		return -EKEYREJECTED;
	}
	r = accounts_by_id(x->a->accounts, x->account.id, x->arena, &now);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 || !slice_equal(now.password, x->account.password))
		x->why = "the password was changed meanwhile";
	else if (now.flags & ACCOUNTS_SHARED)
		x->why = "shared accounts are used through one's own";
	else if (!(now.flags & ACCOUNTS_ENABLED))
		x->why = "the account is disabled";
	return x->why == NULL ? 0 : -EKEYREJECTED;
}

struct sharing {
	struct accounts	*accounts;
	struct slice	 shared;
	struct slice	 member;
	bool		 may;
};

/* share_work - on a worker */
static int
share_work(void *arg)
{
	struct sharing *s = arg;

	return accounts_may_share(s->accounts, s->shared, s->member, &s->may);
}

/* act_as - the account to be used, if it is another one (RFC 4616 2) */
static int
act_as(struct task *t, struct trial *x)
{
	struct accounts_account	other;
	struct sharing		s = { .accounts = x->a->accounts,
				    .member = x->account.id };
	struct slice		name = x->at->login.authzid;
	int			r;

	if (name.len == 0)
		return 0;
	name = complete(x->a, name, x->arena);
	if (slice_equal(name, x->account.login))
		return 0;
	r = accounts_by_login(x->a->accounts, name, x->arena, &other);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && (other.flags & ACCOUNTS_SHARED) &&
	    (other.flags & ACCOUNTS_ENABLED)) {
		s.shared = other.id;
		if ((r = work_run(t, share_work, &s)) < 0 && r != -ENOENT)
			return r;
	}
	if (s.may) {
		x->account = other;
		return 0;
	}
	x->why = "it may not act as another user";
	return -EKEYREJECTED;
}

/* log_attempt - the line that says how it went */
static void
log_attempt(const struct trial *x, const struct event *event, const char *why)
{
	const struct authd_attempt *at = x->at;

	log_event(daemon_log(x->a->daemon), event,
	    KV_STR("protocol", at->protocol), KV_STR("login", x->login),
	    KV_STR("method", at->mechanism), KV_OPT("client", at->client),
	    KV_IF(at->tls, KV_BOOL("tls", true)), KV_TEXT("why", why),
	    KV_OPT("session", at->session));
}

/* give_ticket - for a front, which brings it to stored */
static void
give_ticket(struct task *t, struct authd_caller *c, const struct trial *x,
    struct msg_auth_step *out)
{
	unsigned char *bytes = arena_alloc(x->arena, TICKET_SIZE);

	task_random(t, bytes, TICKET_SIZE);
	tickets_add(&c->authd->tickets, bytes, c->process, x->account.id,
	    task_now(t));
	out->ticket = slice_over(bytes, TICKET_SIZE);
}

/* authd_login - who is it? 0 and an answer, unless we are cancelled */
int
authd_login(struct task *t, struct authd_caller *c,
    const struct authd_attempt *attempt, struct arena *arena,
    struct msg_auth_step *ret_step)
{
	struct trial		x = { .a = c->authd, .at = attempt,
				    .arena = arena };
	struct msg_auth_step	out = { .outcome = OUTCOME_IN };
	int			r;

	if ((r = look_up(&x)) == 0 && (r = try(t, &x)) == 0 &&
	    (r = look_again(&x)) == 0)
		r = act_as(t, &x);
	if (r == -ECANCELED)
		return r;
	if (r == 0) {
		failures_forget_login(&c->authd->failures, x.login);
		log_attempt(&x, EV_AUTHD_LOGIN, NULL);
		out.login = x.account.login;
		out.account = x.account.id;
		if (c->has_tickets)
			give_ticket(t, c, &x, &out);
	} else if (r == -EKEYREJECTED || r == -EINVAL) {
		if (r == -EINVAL)
			log_event(daemon_log(c->authd->daemon),
			    EV_AUTHD_HASH_BAD, KV_STR("login", x.login),
			    KV_ERR("why", r));
		log_attempt(&x, EV_AUTHD_LOGIN_FAILED, x.why != NULL ? x.why :
		    x.is_known ? "wrong password" : "no such user");
		out.outcome = OUTCOME_REFUSED;
		out.text = S("authentication failed");
	} else {
		log_attempt(&x, EV_AUTHD_LOGIN_BUSY, r == -EBUSY ?
		    "too many logins wait" : strerror(-r));
		out.outcome = OUTCOME_LATER;
		out.text = r == -EBUSY ? S("too many logins at present") :
		    S("temporary authentication failure");
	}
	*ret_step = out;
	return 0;
}
