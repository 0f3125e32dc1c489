/* SPDX-License-Identifier: ISC */
/* Sessions of accounts as stored sees them: begun, handed over, asleep, woken,
 * and void. */
#include "stored_world.h"

static int
ask_resume(struct task *t, struct caller *k, const char *handle)
{
	struct msg_store_resume m = { slice_over(handle, HANDLE_LEN), -1 };
	int	pair[2], r;

	CHECK_INT(fd_pair(pair), 0, 0);
	m.channel = pair[0];
	r = ask(t, k, &msg_store_resume_desc, &m);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r;
}

/* sleeps - the last session of an account */
static void
sleeps(struct task *t, struct fake *f, bool idling)
{
	struct msg_account_frozen m = { slice_over(f->handle, HANDLE_LEN),
	    S("imap"), S("anna"), S("sess"), S("192.0.2.1"), S("dreams"),
	    idling, f->handover };
	struct arena	a = ARENA_INIT;
	void		*reply;

	CHECK_INT(ipc_call(t, &f->conn, &msg_account_frozen_desc, &m,
	    &msg_account_kept_desc, &a, &reply), 0, 0);
	arena_free(&a);
}

/* freeze - the account of anna puts its session to sleep, and ends */
static void
freeze(struct task *t, struct world *w, bool idling)
{
	struct fake	*f = fake_of(w, ANNA);
	struct msg_account_idle idle = { true };

	sleeps(t, f, idling);
	CHECK_INT(ipc_post(&f->conn, &msg_account_idle_desc, &idle), 0, 0);
	CHECK_INT(task_sleep(t, 70000), 0, 0);
	CHECK(fake_of(w, ANNA) == NULL, 0);
}

static int
sessions(struct task *t, struct world *w)
{
	struct caller	imapd, other, lmtpd;
	char		handle[HANDLE_LEN];

	caller_open(t, w, &imapd, "imapd", 5);
	caller_open(t, w, &other, "imapd", 6);
	caller_open(t, w, &lmtpd, "lmtpd", 7);
	CHECK_INT(ask_session(t, &imapd, "bad"), 550, 0);
	CHECK_INT(ask_session(t, &other, "good"), 550, 1);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 2);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK(fake_of(w, ANNA)->sessions == 1 && !fake_of(w, ANNA)->had_state,
	    0);
	CHECK(memcmp(imapd.given, fake_of(w, ANNA)->handle, HANDLE_LEN) == 0,
	    0);
	memcpy(handle, fake_of(w, ANNA)->handle, HANDLE_LEN);
	/* awake: there is nothing to resume */
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 3);
	freeze(t, w, true);
	/* on its own front only */
	CHECK_INT(ask_resume(t, &other, handle), 550, 4);
	CHECK_INT(imapd.woken, 0, 0);
	CHECK_INT(ask_deliver(t, &lmtpd, ANNA), 250, 5);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(imapd.woken, 1, 0);
	CHECK_INT(other.woken, 0, 0);
	CHECK(memcmp(imapd.handle, handle, HANDLE_LEN) == 0, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 6);
	CHECK(fake_of(w, ANNA)->had_state, 0);
	/* a login changes nothing: it wakes nobody */
	freeze(t, w, true);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 6);
	CHECK_INT(task_sleep(t, 10), 0, 6);
	CHECK(fake_of(w, ANNA)->has_sleepers, 6);
	CHECK_INT(imapd.woken, 1, 6);
	freeze(t, w, false);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 6);
	CHECK_INT(task_sleep(t, 10), 0, 6);
	/* one that does not idle is left alone */
	freeze(t, w, false);
	CHECK_INT(ask_deliver(t, &lmtpd, ANNA), 250, 7);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(imapd.woken, 1, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 8);
	/* its process dies while it is awake: the front looks, and hears no */
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(imapd.woken, 2, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 9);
	caller_close(t, &imapd);
	caller_close(t, &other);
	caller_close(t, &lmtpd);
	return 0;
}

TEST(stored_sessions)
{
	struct world w = { .used = 0 };

	run_world(&w, sessions);
}

/* a process that ends before a session began in it: the front comes again */
static int
never_begun(struct task *t, struct world *w)
{
	struct msg_store_forget	 gone;
	struct caller	imapd;
	char		handle[HANDLE_LEN];

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	memcpy(handle, imapd.given, HANDLE_LEN);
	/* twice, and once so fast that its end was not noticed yet */
	for (int i = 1; i <= 2; i++) {
		CHECK_INT(task_sleep(t, 10), 0, i);
		ipc_close(&fake_of(w, ANNA)->conn);
		if (i == 1)
			CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK_INT(ask_resume(t, &imapd, handle), 250, i);
		CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK(!fake_of(w, ANNA)->had_state, i);
		CHECK_TEXT(slice_of(fake_of(w, ANNA)->greeting), "a1", i);
	}
	/* one that slept keeps its state */
	freeze(t, w, true);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 3);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	w->never_begins = false;
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 4);
	CHECK_INT(task_sleep(t, 10), 0, 4);
	CHECK(fake_of(w, ANNA)->had_state, 4);
	/* now it runs: nobody else has it */
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 5);
	/* a client that goes meanwhile is forgotten */
	w->never_begins = true;
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 6);
	gone.handle = slice_over(imapd.given, HANDLE_LEN);
	CHECK_INT(ipc_post(&imapd.conn, &msg_store_forget_desc, &gone), 0, 6);
	CHECK_INT(ask_resume(t, &imapd, imapd.given), 550, 6);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_sessions_never_begun)
{
	struct world w = { .used = 0 };

	run_world(&w, never_begun);
}

/* what a process says of a hand-over that is not the last one is void */
static int
handovers(struct task *t, struct world *w)
{
	struct msg_account_begun  begun;
	struct msg_account_over	  over;
	struct caller	imapd;
	struct fake	*f;
	char		handle[HANDLE_LEN];

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	memcpy(handle, imapd.given, HANDLE_LEN);
	CHECK_INT(task_sleep(t, 30000), 0, 0);
	/* slow, but not dead: its front comes again */
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 1);
	CHECK_INT(task_sleep(t, 10), 0, 1);
	f = fake_of(w, ANNA);
	CHECK_INT(f->sessions, 2, 1);
	CHECK_INT((long long)f->handover, 2, 1);
	begun = (struct msg_account_begun){ slice_over(handle, HANDLE_LEN), 1 };
	over = (struct msg_account_over){ slice_over(handle, HANDLE_LEN), 1 };
	CHECK_INT(ipc_post(&f->conn, &msg_account_begun_desc, &begun), 0, 2);
	CHECK_INT(ipc_post(&f->conn, &msg_account_over_desc, &over), 0, 2);
	CHECK_INT(task_sleep(t, 10), 0, 2);
	/* the second one did neither begin nor end: it can be had again */
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 3);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	CHECK_TEXT(slice_of(f->greeting), "a1", 3);
	/* a state of the one before the last is not kept */
	f->handover = 2;
	freeze(t, w, true);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 4);
	CHECK_INT(task_sleep(t, 10), 0, 4);
	f = fake_of(w, ANNA);
	CHECK(!f->had_state, 4);
	begun.handover = over.handover = 4;
	CHECK_INT(ipc_post(&f->conn, &msg_account_begun_desc, &begun), 0, 5);
	CHECK_INT(task_sleep(t, 10), 0, 5);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 5);
	CHECK_INT(ipc_post(&f->conn, &msg_account_over_desc, &over), 0, 6);
	CHECK_INT(task_sleep(t, 10), 0, 6);
	CHECK_INT((long long)((struct stored *)daemon_data(w->daemon))->
	    sleepers.count, 0, 6);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_hand_overs)
{
	struct world w = { .used = 0 };

	run_world(&w, handovers);
}

/* a process is given only so many sessions that it has not begun */
static int
crowd(struct task *t, struct world *w)
{
	static char	handles[GIVEN_MAX][HANDLE_LEN];
	struct caller	imapd;
	struct account_entry *e;

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	for (size_t i = 0; i < GIVEN_MAX; i++) {
		CHECK_INT(ask_session(t, &imapd, "good"), 250, i);
		memcpy(handles[i], imapd.given, HANDLE_LEN);
	}
	/* one more waits, in vain */
	CHECK_INT(ask_session(t, &imapd, "good"), 451, 0);
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	e = entry_get(daemon_data(w->daemon), S(ANNA));
	CHECK_INT((long long)e->given, 0, 0);
	/* those that come back leave room for logins */
	for (size_t i = 0; i < GIVEN_MAX; i++)
		CHECK_INT(ask_resume(t, &imapd, handles[i]),
		    i < GIVEN_RESUMED ? 250 : 451, i);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 1);
	/* one that has its turn keeps it */
	CHECK_INT(ask_resume(t, &imapd, handles[0]), 250, 2);
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	w->never_begins = false;
	for (size_t i = 0; i < GIVEN_MAX; i++) {
		CHECK_INT(ask_resume(t, &imapd, handles[i]), 250, i);
		CHECK_INT(task_sleep(t, 1), 0, i);
	}
	CHECK_INT((long long)e->given, 0, 3);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_crowd)
{
	struct world w = { .used = 0 };

	run_world(&w, crowd);
}

struct login {
	struct caller	*imapd;
	int		 code;		/* 0: it waits */
};

static int
login_task(struct task *t, void *arg)
{
	struct login *l = arg;

	l->code = ask_session(t, l->imapd, "good");
	return 0;
}

/* a login that waits has its turn though those that slept never begin */
static int
crowd_waits(struct task *t, struct world *w)
{
	static char	handles[GIVEN_MAX][HANDLE_LEN];
	struct caller	imapd;
	struct login	late = { &imapd, 0 };
	struct task_group g;

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	for (size_t i = 0; i < GIVEN_RESUMED; i++) {
		CHECK_INT(ask_session(t, &imapd, "good"), 250, i);
		memcpy(handles[i], imapd.given, HANDLE_LEN);
	}
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	for (size_t i = 0; i < GIVEN_RESUMED; i++)
		CHECK_INT(ask_resume(t, &imapd, handles[i]), 250, i);
	for (size_t i = GIVEN_RESUMED; i < GIVEN_MAX; i++) {
		CHECK_INT(ask_session(t, &imapd, "good"), 250, i);
		memcpy(handles[i], imapd.given, HANDLE_LEN);
	}
	task_group_begin(t, &g);
	task_group_start(&g, login_task, &late);
	CHECK_INT(task_sleep(t, 100), 0, 1);
	CHECK_INT(late.code, 0, 1);
	for (size_t i = GIVEN_RESUMED; i < GIVEN_MAX; i++) {
		struct msg_account_over over = {
		    slice_over(handles[i], HANDLE_LEN), 1 };

		CHECK_INT(ipc_post(&fake_of(w, ANNA)->conn,
		    &msg_account_over_desc, &over), 0, i);
	}
	CHECK_INT(task_sleep(t, 100), 0, 2);
	CHECK_INT(late.code, 250, 2);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_crowd_waits)
{
	struct world w = { .used = 0 };

	run_world(&w, crowd_waits);
}

/* one sleeps while its process lives: what changes there wakes it, and so
 * does the process's end, if that was none of ours */
static int
changes(struct task *t, struct world *w)
{
	struct msg_account_changed changed;
	struct caller	imapd;
	struct fake	*f;
	char		first[HANDLE_LEN], second[HANDLE_LEN];

	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	f = fake_of(w, ANNA);
	sleeps(t, f, true);
	memcpy(first, f->handle, HANDLE_LEN);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 1);
	CHECK_INT(task_sleep(t, 10), 0, 1);
	sleeps(t, f, false);
	memcpy(second, f->handle, HANDLE_LEN);
	CHECK_INT(imapd.woken, 0, 1);
	/* the one that idles, and once only */
	for (int i = 0; i < 2; i++) {
		CHECK_INT(ipc_post(&f->conn, &msg_account_changed_desc,
		    &changed), 0, 2);
		CHECK_INT(task_sleep(t, 10), 0, 2);
		CHECK_INT(imapd.woken, 1, 2);
	}
	CHECK(memcmp(imapd.handle, first, HANDLE_LEN) == 0, 2);
	CHECK_INT(ask_resume(t, &imapd, first), 250, 3);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	CHECK(f->had_state, 3);
	CHECK_INT(w->started, 1, 3);
	sleeps(t, f, true);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	CHECK_INT(imapd.woken, 1, 3);
	/* it is killed: perhaps it could not say what it did */
	ipc_close(&f->conn);
	CHECK_INT(task_sleep(t, 10), 0, 4);
	CHECK_INT(imapd.woken, 2, 4);
	CHECK_INT(ask_resume(t, &imapd, first), 250, 4);
	CHECK_INT(ask_resume(t, &imapd, second), 250, 5);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_changes)
{
	struct world w = { .used = 0 };

	run_world(&w, changes);
}

/* after a password change nothing of before is good */
static int
voids(struct task *t, struct world *w)
{
	struct msg_auth_changed	 m = { S(ANNA) };
	struct msg_store_forget	 gone;
	struct caller		 imapd;
	char			 handle[HANDLE_LEN];

	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	memcpy(handle, fake_of(w, ANNA)->handle, HANDLE_LEN);
	freeze(t, w, true);
	CHECK_INT(ipc_post(w->auth, &msg_auth_changed_desc, &m), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 1);
	/* those that are awake end, too */
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 2);
	CHECK_INT(ipc_post(w->auth, &msg_auth_changed_desc, &m), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK(fake_of(w, ANNA) == NULL, 0);
	/* a client that has gone is forgotten */
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 3);
	memcpy(handle, fake_of(w, ANNA)->handle, HANDLE_LEN);
	freeze(t, w, true);
	gone.handle = slice_over(handle, HANDLE_LEN);
	CHECK_INT(ipc_post(&imapd.conn, &msg_store_forget_desc, &gone), 0, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 4);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_voids)
{
	struct world w = { .used = 0 };

	run_world(&w, voids);
}
