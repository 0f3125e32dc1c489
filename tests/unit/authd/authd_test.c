/* SPDX-License-Identifier: ISC */
/* authd with callers of every kind, on a simulated loop. */
#include "peer_daemon.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "authd/authd.h"
#include "libutil/conf.h"
#include "libutil/diag.h"

static const struct daemon_spec spec = {
	.name = "authd",
	.params = &authd_param_table,
	.params_size = sizeof(struct authd_params),
	.run = authd_run,
	.edge = authd_caller,
	.reload = authd_reload,
};

/* a caller's end */
struct end {
	struct ipc_conn	c;
	unsigned	changes;	/* auth_changed that came */
	char		account[64];	/* of the last one */
};

struct world {
	struct loop		*loop;
	struct daemon		*daemon;
	struct task_group	 group;
	struct arena		 arena;
	struct end		 smtpd, imapd, other, stored, mapd, tool;
	void			(*test)(struct task *t, struct world *w);
};

static int
serve(struct task *t, void *arg)
{
	return daemon_serve(t, arg);
}

/* hear - replies wake their callers; auth_changed is counted */
static int
hear(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct end *e = arg;

	(void)t;
	(void)c;
	(void)a;
	CHECK_INT(in->desc->number, MSG_auth_changed, 0);
	e->changes++;
	(void)snprintf(e->account, sizeof(e->account), "%.*s",
	    SLICE_ARG(((struct msg_auth_changed *)in->msg)->account));
	return 0;
}

static int
listen_task(struct task *t, void *arg)
{
	struct end	*e = arg;
	int		 r = ipc_serve(t, &e->c, hear, e);

	ipc_close(&e->c);	/* calls that wait end */
	return r == -ECANCELED ? r : 0;
}

static void
call_in(struct world *w, struct end *e, const char *daemon, uint32_t process)
{
	struct daemon_caller	who = { slice_of(daemon), slice_of(daemon),
				    process, 0 };
	int			fds[2];

	CHECK_INT(fd_pair(fds), 0, 0);
	daemon_add_caller(w->daemon, &fds[0], &who);
	ipc_open(&e->c, w->loop, &fds[1], &ipc_table_auth, IPC_CALLER);
	task_group_start(&w->group, listen_task, e);
}

static int
world_task(struct task *t, void *arg)
{
	struct world *w = arg;

	task_group_begin(t, &w->group);
	task_group_start(&w->group, serve, w->daemon);
	ignore(task_sleep(t, 1));	/* or it is cancelled already */
	call_in(w, &w->smtpd, "smtpd", 1);
	call_in(w, &w->imapd, "imapd", 2);
	call_in(w, &w->other, "imapd", 3);
	call_in(w, &w->stored, "stored", 4);
	call_in(w, &w->mapd, "mapd", 5);
	call_in(w, &w->tool, "tool", 0);
	w->test(t, w);
	ipc_close(&w->smtpd.c);
	ipc_close(&w->imapd.c);
	ipc_close(&w->other.c);
	ipc_close(&w->stored.c);
	ipc_close(&w->mapd.c);
	ipc_close(&w->tool.c);
	daemon_end(w->daemon);
	return task_group_end(t, &w->group);
}

/* run a test in a world of its own, cancelled at its n-th wait (0: never);
 * says how often it waited */
static uint64_t
run_cancelled(void (*test)(struct task *t, struct world *w), uint64_t at)
{
	static int		 n;
	static const char *const settings[][2] = {
		{ "authd_hash_memory", "64k" },
		{ "authd_hash_passes", "1" },
		{ "authd_default_domain", "example.org" },
		{ "mydomain", "example.net" },
		{ "recipient_delimiter", "+" },
	};
	struct log_setup	 setup = { .sink = no_sink };
	struct loop_options	 o = { .sim_seed = 1 };
	struct conf		*conf = conf_new(NULL);
	struct diag		 diag = DIAG_INIT;
	struct world		 w = { .test = test };
	struct authd		*a;
	char			 folder[512];
	uint64_t		 waits = 0;
	int			 r;

	log_start(&setup);
	(void)snprintf(folder, sizeof(folder), "%s/%d", test_tmpdir(), n++);
	CHECK_INT(mkdir(folder, 0700), 0, 0);
	for (size_t i = 0; i < COUNT(settings); i++)
		conf_put(conf, slice_of(settings[i][0]),
		    slice_of(settings[i][1]), "", 0);
	w.loop = loop_new(&o);
	w.daemon = daemon_new(w.loop, &spec, conf, no_edge, NULL, &diag);
	if (CHECK(w.daemon != NULL, 0)) {
		a = authd_new(w.daemon, folder);
		daemon_set_data(w.daemon, a);
		loop_sim_cancel_at(w.loop, at);
		r = loop_run(w.loop, world_task, &w);
		CHECK(r == 0 || (at > 0 && r == -ECANCELED), at);
		waits = loop_suspensions(w.loop);
		CHECK_INT(loop_task_count(w.loop), 0, 0);
		CHECK(list_is_empty(&a->callers) && a->waiting == 0, 0);
		authd_free(&a);
		daemon_free(&w.daemon);
	}
	arena_free(&w.arena);
	loop_free(w.loop);
	conf_free(&conf);
	return waits;
}

static void
run(void (*test)(struct task *t, struct world *w))
{
	(void)run_cancelled(test, 0);
}

/* --- calls */

static const struct msg_auth_edited *
edit(struct task *t, struct world *w, const char *verb, const char *name,
    const char *value)
{
	static const struct msg_auth_edited failed;
	struct msg_auth_edit	m = { slice_of(verb), slice_of(name),
				    slice_of(value) };
	void			*reply;

	if (CHECK_INT(ipc_call(t, &w->tool.c, &msg_auth_edit_desc, &m,
	    &msg_auth_edited_desc, &w->arena, &reply), 0, 0) < 0)
		return &failed;
	return reply;
}

/* people - a domain, alice and bob */
static void
people(struct task *t, struct world *w)
{
	CHECK(edit(t, w, "domain-add", "example.org", "")->ok, 0);
	CHECK(edit(t, w, "domain-add", "example.net", "")->ok, 0);
	CHECK(edit(t, w, "account-add", "alice@example.org",
	    "plain:secret")->ok, 0);
	CHECK(edit(t, w, "account-add", "bob@example.org",
	    "{CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//")->ok, 0);
}

static const struct msg_auth_step *
step_of(struct task *t, struct world *w, struct end *e,
    const struct ipc_desc *desc, const void *m)
{
	static const struct msg_auth_step failed;
	void	*reply;

	if (CHECK_INT(ipc_call(t, &e->c, desc, m, &msg_auth_step_desc,
	    &w->arena, &reply), 0, 0) < 0)
		return &failed;
	return reply;
}

/* plain - one login by PLAIN from an address */
static const struct msg_auth_step *
plain_from(struct task *t, struct world *w, struct end *e, const char *address,
    struct slice message)
{
	struct msg_auth_start m = { .protocol = S("imap"),
	    .mechanism = S("PLAIN"), .initial = message, .has_initial = true,
	    .client_address = slice_of(address), .tls = true };

	return step_of(t, w, e, &msg_auth_start_desc, &m);
}

static const struct msg_auth_step *
plain(struct task *t, struct world *w, struct end *e, struct slice message)
{
	return plain_from(t, w, e, "192.0.2.1", message);
}

static const struct msg_auth_account_is *
confirm(struct task *t, struct world *w, struct slice ticket, uint32_t process)
{
	static const struct msg_auth_account_is failed;
	struct msg_auth_confirm	 m = { ticket, process };
	void			*reply;

	if (CHECK_INT(ipc_call(t, &w->stored.c, &msg_auth_confirm_desc, &m,
	    &msg_auth_account_is_desc, &w->arena, &reply), 0, 0) < 0)
		return &failed;
	return reply;
}

/* --- tests */

static void
logins(struct task *t, struct world *w)
{
	static const struct { const char *bytes; size_t len; unsigned want; } cases[] = {
#define MESSAGE_OF(text)	text, sizeof(text) - 1
		{ MESSAGE_OF("\0alice@example.org\0secret"),	OUTCOME_IN },
		{ MESSAGE_OF("\0ALICE@Example.Org\0secret"),	OUTCOME_IN },
		{ MESSAGE_OF("\0alice\0secret"),		OUTCOME_IN },
		{ MESSAGE_OF("alice\0alice\0secret"),		OUTCOME_IN },
		{ MESSAGE_OF("\0bob\0secret"),			OUTCOME_IN },
		{ MESSAGE_OF("\0alice\0Secret"),		OUTCOME_REFUSED },
		{ MESSAGE_OF("\0alice\0secret "),		OUTCOME_REFUSED },
		{ MESSAGE_OF("\0nobody\0secret"),		OUTCOME_REFUSED },
		{ MESSAGE_OF("\0alice@example.net\0secret"),	OUTCOME_REFUSED },
		{ MESSAGE_OF("\0alice@example.com\0secret"),	OUTCOME_REFUSED },
		{ MESSAGE_OF("bob\0alice\0secret"),		OUTCOME_REFUSED },
		{ MESSAGE_OF("alice\0secret"),			OUTCOME_REFUSED },
		{ MESSAGE_OF("\0alice\0"),			OUTCOME_REFUSED },
		{ MESSAGE_OF("\0\0secret"),			OUTCOME_REFUSED },
		{ MESSAGE_OF("\0al\nice\0secret"),		OUTCOME_REFUSED },
		{ MESSAGE_OF("\0\xff\0secret"),			OUTCOME_REFUSED },
		{ MESSAGE_OF("\0@\0secret"),			OUTCOME_REFUSED },
		{ MESSAGE_OF(""),				OUTCOME_REFUSED },
	};

	people(t, w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct msg_auth_step *s = plain(t, w, &w->smtpd,
		    slice_over(cases[i].bytes, cases[i].len));

		CHECK_INT(s->outcome, cases[i].want, i);
		if (s->outcome == OUTCOME_IN) {
			CHECK(slice_has_suffix(s->login, S("@example.org")), i);
			CHECK_INT(s->account.len, ACCOUNTS_ID_SIZE, i);
			CHECK_INT(s->ticket.len, 0, i);	/* smtpd needs none */
		} else {
			CHECK(s->text.len > 0 && s->account.len == 0 &&
			    s->login.len == 0, i);
		}
	}
}

TEST(authd_logins)
{
	run(logins);
}

static void
steps(struct task *t, struct world *w)
{
	struct msg_auth_start		 m = { .protocol = S("smtp"),
					     .mechanism = S("login"),
					     .client_address = S("192.0.2.1") };
	struct msg_auth_continue	 c = { .response = S("alice") };
	struct msg_auth_cancel		 gone;
	const struct msg_auth_step	*s;

	people(t, w);
	s = step_of(t, w, &w->imapd, &msg_auth_start_desc, &m);
	CHECK_INT(s->outcome, OUTCOME_GO_ON, 0);
	CHECK_TEXT(s->challenge, "Username:", 0);
	c.exchange = s->exchange;
	/* another process's exchange is none of ours */
	s = step_of(t, w, &w->other, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_REFUSED, 0);
	s = step_of(t, w, &w->imapd, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_GO_ON, 1);
	CHECK_TEXT(s->challenge, "Password:", 1);
	c.response = S("secret");
	s = step_of(t, w, &w->imapd, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_IN, 2);
	/* it is over */
	s = step_of(t, w, &w->imapd, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_REFUSED, 3);

	/* given up, and too late */
	s = step_of(t, w, &w->imapd, &msg_auth_start_desc, &m);
	gone.exchange = c.exchange = s->exchange;
	CHECK_INT(ipc_post(&w->imapd.c, &msg_auth_cancel_desc, &gone), 0, 0);
	s = step_of(t, w, &w->imapd, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_REFUSED, 4);
	s = step_of(t, w, &w->imapd, &msg_auth_start_desc, &m);
	c.exchange = s->exchange;
	CHECK_INT(task_sleep(t, 121000), 0, 0);
	s = step_of(t, w, &w->imapd, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_REFUSED, 5);

	/* PLAIN without an initial response is asked for it */
	m.mechanism = S("PLAIN");
	s = step_of(t, w, &w->imapd, &msg_auth_start_desc, &m);
	CHECK_INT(s->outcome, OUTCOME_GO_ON, 6);
	CHECK_INT(s->challenge.len, 0, 6);
	c.exchange = s->exchange;
	c.response = S("\0alice\0secret");
	s = step_of(t, w, &w->imapd, &msg_auth_continue_desc, &c);
	CHECK_INT(s->outcome, OUTCOME_IN, 7);
	m.mechanism = S("CRAM-MD5");
	s = step_of(t, w, &w->imapd, &msg_auth_start_desc, &m);
	CHECK_INT(s->outcome, OUTCOME_REFUSED, 8);

	/* many that are begun and never ended */
	m.mechanism = S("LOGIN");
	for (int i = 0; i < 2500; i++) {
		s = step_of(t, w, &w->imapd, &msg_auth_start_desc, &m);
		if (s->outcome != OUTCOME_GO_ON)
			break;
		arena_reset(&w->arena);
	}
	s = plain(t, w, &w->imapd, S("\0alice\0secret"));
	CHECK_INT(s->outcome, OUTCOME_IN, 9);
}

TEST(authd_steps)
{
	run(steps);
}

static void
ticket(struct task *t, struct world *w)
{
	const struct msg_auth_step		*s;
	const struct msg_auth_account_is	*is;

	people(t, w);
	CHECK(edit(t, w, "account-quota", "alice@example.org", "100 5")->ok, 0);
	s = plain(t, w, &w->imapd, S("\0alice\0secret"));
	CHECK_INT(s->ticket.len, TICKET_SIZE, 0);
	is = confirm(t, w, s->ticket, 2);
	CHECK(is->found, 0);
	CHECK_SLICE(is->account, s->account, 0);
	CHECK_TEXT(is->login, "alice@example.org", 0);
	CHECK(is->quota_bytes == 100 && is->quota_messages == 5, 0);
	CHECK(!confirm(t, w, s->ticket, 2)->found, 1);	/* good once */
	s = plain(t, w, &w->imapd, S("\0alice\0secret"));
	CHECK(!confirm(t, w, s->ticket, 3)->found, 2);	/* another front */
	s = plain(t, w, &w->imapd, S("\0alice\0secret"));
	CHECK_INT(task_sleep(t, 60000), 0, 0);
	CHECK(!confirm(t, w, s->ticket, 2)->found, 3);	/* too late */
	s = plain(t, w, &w->imapd, S("\0alice\0secret"));
	CHECK(edit(t, w, "account-disable", "alice@example.org", "")->ok, 0);
	CHECK(!confirm(t, w, s->ticket, 2)->found, 4);
	CHECK(!confirm(t, w, S("no such ticket"), 2)->found, 5);
}

TEST(authd_tickets)
{
	run(ticket);
}

static void
changes(struct task *t, struct world *w)
{
	const struct msg_auth_step	*s;
	const struct msg_auth_edited	*e;

	people(t, w);
	CHECK_INT(w->mapd.changes, 4, 0);
	CHECK_INT(w->stored.changes, 4, 0);
	CHECK_INT(w->smtpd.changes, 0, 0);
	CHECK_TEXT(slice_of(w->stored.account), "", 0);

	/* an old password is worthless at once, although it was cached */
	s = plain(t, w, &w->imapd, S("\0alice\0secret"));
	CHECK_INT(s->outcome, OUTCOME_IN, 0);
	e = edit(t, w, "account-password", "alice@example.org", "plain:other");
	CHECK(e->ok, 0);
	CHECK_SLICE(slice_of(w->stored.account), e->account, 0);
	CHECK_INT(plain(t, w, &w->imapd, S("\0alice\0secret"))->outcome,
	    OUTCOME_REFUSED, 1);
	CHECK_INT(plain(t, w, &w->imapd, S("\0alice\0other"))->outcome,
	    OUTCOME_IN, 2);
	CHECK(edit(t, w, "account-disable", "alice", "")->ok == false, 3);
	CHECK(edit(t, w, "account-disable", "alice@example.org", "")->ok, 3);
	CHECK_INT(plain(t, w, &w->imapd, S("\0alice\0other"))->outcome,
	    OUTCOME_REFUSED, 3);
	CHECK(edit(t, w, "account-enable", "alice@example.org", "")->ok, 4);
	CHECK_INT(plain(t, w, &w->imapd, S("\0alice\0other"))->outcome,
	    OUTCOME_IN, 4);
	CHECK(edit(t, w, "account-delete", "alice@example.org", "")->ok, 5);
	CHECK_INT(plain(t, w, &w->imapd, S("\0alice\0other"))->outcome,
	    OUTCOME_REFUSED, 5);

	/* what is refused says why and changes nothing */
	e = edit(t, w, "account-add", "x@example.org", "secret");
	CHECK(!e->ok && slice_find_slice(e->text, S("plain:")) != SLICE_NONE, 6);
	e = edit(t, w, "account-add", "x@example.org", "plain:");
	CHECK(!e->ok && e->text.len > 0, 7);
	e = edit(t, w, "account-add", "x@example.org", "plain:a\tb");
	CHECK(!e->ok && e->text.len > 0, 8);
	e = edit(t, w, "account-add", "x@example.org",
	    "$6$rounds=99999999$a$b");
	CHECK(!e->ok && e->text.len > 0, 9);
	e = edit(t, w, "account-sing", "x@example.org", "");
	CHECK(!e->ok && slice_find_slice(e->text, S("account-sing")) !=
	    SLICE_NONE, 10);
	CHECK_INT(w->mapd.changes, 8, 11);
}

TEST(authd_changes)
{
	run(changes);
}

static void
sharing(struct task *t, struct world *w)
{
	const struct msg_auth_step *s;

	people(t, w);
	CHECK(edit(t, w, "shared-add", "team@example.org",
	    "alice@example.org")->ok, 0);
	s = plain(t, w, &w->imapd, S("team\0alice\0secret"));
	CHECK_INT(s->outcome, OUTCOME_IN, 0);
	CHECK_TEXT(s->login, "team@example.org", 0);
	CHECK_TEXT(confirm(t, w, s->ticket, 2)->login, "team@example.org", 0);
	CHECK_INT(plain(t, w, &w->imapd, S("team\0bob\0secret"))->outcome,
	    OUTCOME_REFUSED, 1);
	CHECK_INT(plain(t, w, &w->imapd, S("\0team\0secret"))->outcome,
	    OUTCOME_REFUSED, 2);
	CHECK_INT(plain(t, w, &w->imapd, S("none\0alice\0secret"))->outcome,
	    OUTCOME_REFUSED, 3);
}

TEST(authd_sharing)
{
	run(sharing);
}

static void
delays(struct task *t, struct world *w)
{
	static const int64_t	 want[] = { 0, 0, 0, 1000, 2000, 4000, 8000,
				    15000, 15000 };
	char			 message[40];
	int64_t			 began;

	people(t, w);
	CHECK_INT(plain(t, w, &w->imapd, S("\0bob\0secret"))->outcome,
	    OUTCOME_IN, 0);
	for (size_t i = 0; i < COUNT(want); i++) {
		int n = snprintf(message, sizeof(message), "%cbob%cno%zu", 0, 0,
		    i);

		began = task_now(t);
		CHECK_INT(plain(t, w, &w->imapd, slice_over(message,
		    (size_t)n))->outcome, OUTCOME_REFUSED, i);
		CHECK_INT(task_now(t) - began, want[i], i);
	}
	/* the same wrong one again costs nobody anything */
	began = task_now(t);
	CHECK_INT(plain(t, w, &w->imapd, S("\0bob\0no0"))->outcome,
	    OUTCOME_REFUSED, 0);
	/* a right one that is known comes at once; one that is not waits */
	CHECK_INT(plain(t, w, &w->imapd, S("\0bob\0secret"))->outcome,
	    OUTCOME_IN, 0);
	CHECK_INT(task_now(t) - began, 0, 0);
	CHECK_INT(plain(t, w, &w->imapd, S("\0alice\0secret"))->outcome,
	    OUTCOME_IN, 0);
	CHECK_INT(task_now(t) - began, 15000, 0);
	/* from elsewhere, under another name */
	began = task_now(t);
	CHECK_INT(plain_from(t, w, &w->imapd, "192.0.2.2",
	    S("\0nobody\0secret"))->outcome, OUTCOME_REFUSED, 0);
	CHECK_INT(task_now(t) - began, 0, 0);
}

TEST(authd_delays)
{
	run(delays);
}

/* one login among many at the same time */
struct rush {
	struct world	*w;
	unsigned	 outcome;
	int		 number;
};

static int
rush_task(struct task *t, void *arg)
{
	struct rush	*r = arg;
	char		 message[40];
	int		 n = snprintf(message, sizeof(message), "%cbob%cx%d", 0, 0,
			     r->number);

	r->outcome = plain(t, r->w, &r->w->imapd, slice_over(message,
	    (size_t)n))->outcome;
	return 0;
}

static void
rush(struct task *t, struct world *w)
{
	struct rush		*r = calloc(100, sizeof(*r));
	struct task_group	 g;
	unsigned		 later = 0;

	people(t, w);
	for (int i = 0; i < 5; i++) {
		struct rush one = { w, 0, 1000 + i };

		CHECK_INT(rush_task(t, &one), 0, 0);
	}
	task_group_begin(t, &g);
	for (int i = 0; i < 100; i++) {
		r[i] = (struct rush){ w, 0, i };
		task_group_start(&g, rush_task, &r[i]);
	}
	CHECK_INT(task_group_end(t, &g), 0, 0);
	for (int i = 0; i < 100; i++)
		later += r[i].outcome == OUTCOME_LATER;
	/* one address may not take all the room there is to wait */
	CHECK_INT(later, 100 - FAILURES_WAITING_MAX, 0);
	free(r);
}

TEST(authd_rush)
{
	run(rush);
}

static void
questions(struct task *t, struct world *w)
{
	static const struct { const char *address; bool domain, found; size_t n; } cases[] = {
		{ "alice@example.org",		true, true, 1 },
		{ "alice+x@example.org",	true, true, 1 },
		{ "info@example.org",		true, true, 2 },
		{ "all@example.org",		true, true, 2 },
		{ "none@example.org",		true, false, 0 },
		{ "alice@example.com",		false, false, 0 },
		{ "",				false, false, 0 },
	};
	struct msg_auth_list		 list = { .kind = S("account") };
	struct msg_auth_account		 which;
	struct msg_auth_who		*who;
	struct msg_auth_rows		*rows;
	struct msg_auth_account_is	*is;
	void				*reply;

	people(t, w);
	CHECK(edit(t, w, "alias-add", "info@example.org",
	    "a@x.example\nb@x.example")->ok, 0);
	CHECK(edit(t, w, "group-add", "all@example.org",
	    "alice@example.org\nbob@example.org")->ok, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct msg_auth_exists m = { slice_of(cases[i].address) };

		if (CHECK_INT(ipc_call(t, &w->mapd.c, &msg_auth_exists_desc, &m,
		    &msg_auth_who_desc, &w->arena, &reply), 0, i) < 0)
			return;
		who = reply;
		CHECK_INT(who->domain, cases[i].domain, i);
		CHECK_INT(who->found, cases[i].found, i);
		CHECK_INT(who->targets.n, cases[i].n, i);
	}
	CHECK_INT(ipc_call(t, &w->tool.c, &msg_auth_list_desc, &list,
	    &msg_auth_rows_desc, &w->arena, &reply), 0, 0);
	rows = reply;
	if (CHECK_INT(rows->rows.n, 2, 0) != 2)
		return;
	CHECK_TEXT(rows->rows.v[0].name, "alice@example.org", 0);
	CHECK(rows->rows.v[0].enabled && !rows->more && !rows->failed, 0);
	which.account = rows->rows.v[0].account;
	CHECK(edit(t, w, "account-disable", "alice@example.org", "")->ok, 0);
	CHECK_INT(ipc_call(t, &w->stored.c, &msg_auth_account_desc, &which,
	    &msg_auth_account_is_desc, &w->arena, &reply), 0, 0);
	is = reply;
	CHECK(is->found && !is->temporary, 0);	/* mail still comes */
	which.account = S("0000000000000000");
	CHECK_INT(ipc_call(t, &w->stored.c, &msg_auth_account_desc, &which,
	    &msg_auth_account_is_desc, &w->arena, &reply), 0, 0);
	is = reply;
	CHECK(!is->found && !is->temporary, 0);
	list.kind = S("nonsense");
	CHECK_INT(ipc_call(t, &w->tool.c, &msg_auth_list_desc, &list,
	    &msg_auth_rows_desc, &w->arena, &reply), 0, 0);
	rows = reply;
	CHECK(rows->failed, 0);
}

TEST(authd_questions)
{
	run(questions);
}

/* who says what is not its business loses its edge, and only that */
static void
trespass(struct task *t, struct world *w)
{
	struct msg_auth_edit	 e = { S("domain-delete"), S("example.net"),
				     S("") };
	struct msg_auth_confirm	 c = { S("x"), 2 };
	struct msg_auth_start	 s = { .mechanism = S("PLAIN") };
	struct msg_auth_exists	 x = { S("alice@example.org") };
	void			*reply;

	people(t, w);
	CHECK_INT(ipc_call(t, &w->imapd.c, &msg_auth_edit_desc, &e,
	    &msg_auth_edited_desc, &w->arena, &reply), -ECONNRESET, 0);
	CHECK_INT(ipc_call(t, &w->other.c, &msg_auth_confirm_desc, &c,
	    &msg_auth_account_is_desc, &w->arena, &reply), -ECONNRESET, 1);
	CHECK_INT(ipc_call(t, &w->smtpd.c, &msg_auth_exists_desc, &x,
	    &msg_auth_who_desc, &w->arena, &reply), -ECONNRESET, 2);
	CHECK_INT(ipc_call(t, &w->stored.c, &msg_auth_start_desc, &s,
	    &msg_auth_step_desc, &w->arena, &reply), -ECONNRESET, 3);
	CHECK_INT(ipc_call(t, &w->mapd.c, &msg_auth_confirm_desc, &c,
	    &msg_auth_account_is_desc, &w->arena, &reply), -ECONNRESET, 4);
	CHECK(edit(t, w, "domain-delete", "example.net", "")->ok, 5);
}

TEST(authd_trespass)
{
	run(trespass);
}

/* cancelled at each place where it waits: it ends, and lets go of everything */
static void
sweep(struct task *t, struct world *w)
{
	static const struct { const char *verb, *name, *value; } edits[] = {
		{ "domain-add", "example.org", "" },
		{ "account-add", "alice@example.org", "plain:secret" },
		{ "alias-add", "info@example.org", "a@x.example" },
	};
	struct msg_auth_start	m = { .protocol = S("imap"),
				    .mechanism = S("PLAIN"),
				    .initial = S("\0alice\0secret"),
				    .has_initial = true,
				    .client_address = S("192.0.2.1") };
	struct msg_auth_exists	who = { S("info@example.org") };
	struct msg_auth_list	list = { .kind = S("alias") };
	void			*reply;

	for (size_t i = 0; i < COUNT(edits); i++) {
		struct msg_auth_edit e = { slice_of(edits[i].verb),
		    slice_of(edits[i].name), slice_of(edits[i].value) };

		ignore(ipc_call(t, &w->tool.c, &msg_auth_edit_desc, &e,
		    &msg_auth_edited_desc, &w->arena, &reply));
	}
	ignore(ipc_call(t, &w->imapd.c, &msg_auth_start_desc, &m,
	    &msg_auth_step_desc, &w->arena, &reply));
	ignore(ipc_call(t, &w->mapd.c, &msg_auth_exists_desc, &who,
	    &msg_auth_who_desc, &w->arena, &reply));
	ignore(ipc_call(t, &w->tool.c, &msg_auth_list_desc, &list,
	    &msg_auth_rows_desc, &w->arena, &reply));
}

TEST(authd_cancelled)
{
	uint64_t last = run_cancelled(sweep, 0);

	CHECK(last > 20, 0);
	for (uint64_t n = 1; n <= last; n++)
		(void)run_cancelled(sweep, n);
}
