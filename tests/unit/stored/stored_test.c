/* SPDX-License-Identifier: ISC */
/* Deliveries, questions and bodies, and processes that come and go. */
#include "stored_world.h"

/* --- deliveries */

static int
deliveries(struct task *t, struct world *w)
{
	struct caller	k;
	struct stat	st;

	caller_open(t, w, &k, "lmtpd", 3);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 1);
	CHECK_INT(ask_deliver(t, &k, BOB), 250, 2);
	CHECK_INT(ask_deliver(t, &k, CARL), 550, 3);
	CHECK_INT(ask_deliver(t, &k, "../../etc/passwd"), 550, 4);
	CHECK_INT(ask_deliver(t, &k, ""), 550, 5);
	CHECK_INT(w->started, 2, 0);
	CHECK(fake_of(w, ANNA) != NULL && fake_of(w, ANNA)->deliveries == 2 &&
	    fake_of(w, ANNA)->was_new, 0);
	CHECK(stat("00/" ANNA, &st) == 0 && S_ISDIR(st.st_mode), 0);
	CHECK(stat("22/" CARL, &st) < 0, 0);
	/* a process that dies is started again */
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	CHECK_INT(w->started, 3, 0);
	caller_close(t, &k);
	return 0;
}

TEST(stored_deliveries)
{
	struct world w = { .used = 0 };

	run_world(&w, deliveries);
}

static int
troubles(struct task *t, struct world *w)
{
	struct caller	k;

	caller_open(t, w, &k, "lmtpd", 3);
	w->auth_is_down = true;
	CHECK_INT(ask_deliver(t, &k, ANNA), 451, 0);
	w->auth_is_down = false;
	w->broken = true;
	CHECK_INT(ask_deliver(t, &k, ANNA), 451, 1);
	CHECK_INT(ask_deliver(t, &k, ANNA), 451, 2);
	w->broken = false;
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 3);
	/* what is not its business ends its edge */
	CHECK_INT(ask_session(t, &k, "good"), -ECONNRESET, 0);
	caller_close(t, &k);
	return 0;
}

TEST(stored_troubles)
{
	struct world w = { .used = 0 };

	run_world(&w, troubles);
}

/* lose_zygote - it is killed, with all account processes; the next one is
 * there in so many ms */
static void
lose_zygote(struct task *t, struct world *w, int64_t ms)
{
	if (w->zygote != NULL)
		ipc_close(w->zygote);
	LIST_EACH_SAFE(&w->fakes, link)
		ipc_close(&CONTAINER_OF(link, struct fake, link)->conn);
	w->zygote_at = task_now(t) + ms;
	CHECK_INT(task_sleep(t, 10), 0, 0);
}

/* one that is killed again and again comes back later each time: who needs it
 * waits as long as anybody waits for an account, and no longer */
static int
no_zygote(struct task *t, struct world *w)
{
	struct caller k;

	caller_open(t, w, &k, "lmtpd", 3);
	for (int i = 0; i < 2; i++) {
		w->zygote_falls = i == 1;
		lose_zygote(t, w, 4000);
		CHECK_INT(ask_deliver(t, &k, ANNA), 250, i);
		CHECK(task_now(t) >= w->zygote_at, i);
		lose_zygote(t, w, 60000);
		CHECK_INT(ask_deliver(t, &k, ANNA), 451, i);
		CHECK(task_now(t) < w->zygote_at, i);
		CHECK_INT(task_sleep(t, 60000), 0, i);
		CHECK_INT(ask_deliver(t, &k, ANNA), 250, i);
	}
	caller_close(t, &k);
	return 0;
}

TEST(stored_no_zygote)
{
	struct world w = { .used = 0 };

	run_world(&w, no_zygote);
}

/* --- how many */

static int
room(struct task *t, struct world *w)
{
	struct msg_account_idle idle = { true };
	struct caller	k;

	caller_open(t, w, &k, "lmtpd", 3);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	/* the only one is busy: the other waits, in vain */
	CHECK_INT(ask_deliver(t, &k, BOB), 451, 1);
	/* now it is idle, but refuses to end */
	w->refuse_end = true;
	CHECK_INT(ipc_post(&fake_of(w, ANNA)->conn, &msg_account_idle_desc,
	    &idle), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_deliver(t, &k, BOB), 451, 2);
	CHECK(fake_of(w, ANNA) != NULL && fake_of(w, ANNA)->asked_to_end, 0);
	w->refuse_end = false;
	CHECK_INT(ipc_post(&fake_of(w, ANNA)->conn, &msg_account_idle_desc,
	    &idle), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_deliver(t, &k, BOB), 250, 3);
	CHECK(fake_of(w, ANNA) == NULL, 0);
	/* and one that has been idle for long enough is ended */
	CHECK_INT(ipc_post(&fake_of(w, BOB)->conn, &msg_account_idle_desc,
	    &idle), 0, 0);
	CHECK_INT(task_sleep(t, 30000), 0, 0);
	CHECK(fake_of(w, BOB) != NULL, 0);
	CHECK_INT(task_sleep(t, 40000), 0, 0);
	CHECK(fake_of(w, BOB) == NULL, 0);
	caller_close(t, &k);
	return 0;
}

TEST(stored_room)
{
	struct world w = { .processes = "1" };

	run_world(&w, room);
}

/* --- mapd and tools */

static int
questions(struct task *t, struct world *w)
{
	static const struct {
		const char	*account;
		uint64_t	 quota, used, size;
		bool		 known, fits;
	} rows[] = {
		{ ANNA, 0, 900, 1000, true, true },
		{ ANNA, 1000, 900, 100, true, true },
		{ ANNA, 1000, 900, 101, true, false },
		{ ANNA, 1000, 1000, 0, true, false },
		{ CARL, 1000, 0, 0, false, true },
		{ "x", 1000, 0, 0, false, true },
	};
	struct msg_auth_changed	 changed = { SLICE_EMPTY };
	struct msg_store_verify	 v = { S(BOB), false, false };
	struct msg_store_list	 list;
	struct msg_store_folders *folders;
	struct arena		 a = ARENA_INIT;
	struct caller		 mapd, tool;
	void			*reply;

	caller_open(t, w, &mapd, "mapd", 1);
	caller_open(t, w, &tool, "tool", 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct msg_store_quota m = { slice_of(rows[i].account),
		    rows[i].size };
		struct fake *f;

		w->quota = rows[i].quota;
		w->used = rows[i].used;
		if (w->auth != NULL)
			CHECK_INT(ipc_post(w->auth, &msg_auth_changed_desc,
			    &changed), 0, i);
		if ((f = fake_of(w, ANNA)) != NULL) {
			struct msg_account_usage u = { w->used, 1 };

			CHECK_INT(ipc_post(&f->conn, &msg_account_usage_desc,
			    &u), 0, i);
		}
		CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK_INT(ipc_call(t, &mapd.conn, &msg_store_quota_desc, &m,
		    &msg_store_usage_desc, &a, &reply), 0, i);
		CHECK_INT(((struct msg_store_usage *)reply)->known,
		    rows[i].known, i);
		CHECK_INT(((struct msg_store_usage *)reply)->fits,
		    rows[i].fits, i);
	}
	CHECK_INT(ipc_call(t, &tool.conn, &msg_store_verify_desc, &v,
	    &msg_store_verified_desc, &a, &reply), 0, 0);
	CHECK(((struct msg_store_verified *)reply)->ok, 0);
	CHECK_INT((long long)((struct msg_store_verified *)reply)->messages,
	    3, 0);
	CHECK(mkdir("00/not-an-account", 0700) == 0, 0);
	CHECK_INT(ipc_call(t, &tool.conn, &msg_store_list_desc, &list,
	    &msg_store_folders_desc, &a, &reply), 0, 0);
	folders = reply;
	CHECK_INT((long long)folders->list.n, 2, 0);
	if (folders->list.n == 2) {
		CHECK_TEXT(folders->list.v[0].account, ANNA, 0);
		CHECK_TEXT(folders->list.v[1].account, BOB, 0);
		CHECK(folders->list.v[1].running, 0);
	}
	arena_free(&a);
	caller_close(t, &mapd);
	caller_close(t, &tool);
	return 0;
}

TEST(stored_questions)
{
	struct world w = { .used = 0 };

	run_world(&w, questions);
}

/* --- large bodies */

/* keep - an account gives a body away; its hash in hex */
static int
keep(struct task *t, struct world *w, const char *account, struct slice body,
    struct buf *hex)
{
	struct msg_account_big	 m = { -1, 3, body.len };
	struct msg_account_big_kept *kept;
	struct memfile		 f = MEMFILE_INIT;
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	if ((r = memfile_new("test", body.len + 3, &f)) == 0 &&
	    (r = memfile_append(&f, S("..."))) == 0 &&
	    (r = memfile_append(&f, body)) == 0 &&
	    (r = memfile_seal(&f)) == 0) {
		m.content = f.fd;
		r = ipc_call(t, &fake_of(w, account)->conn,
		    &msg_account_big_desc, &m, &msg_account_big_kept_desc, &a,
		    &reply);
	}
	if (r == 0) {
		kept = reply;
		r = kept->ok ? 0 : -EIO;
		buf_reset(hex);
		hex_encode(hex, kept->hash);
	}
	memfile_done(&f);
	arena_free(&a);
	return r;
}

/* links - how many names a file has; 0: none */
static long long
links(const char *format, const char *hex)
{
	char		path[300];
	struct stat	st;

	snprintf(path, sizeof(path), format, hex);
	return stat(path, &st) < 0 ? 0 : (long long)st.st_nlink;
}

static int
bodies(struct task *t, struct world *w)
{
	struct caller	k;
	struct buf	hex = BUF_INIT, other = BUF_INIT;
	char		path[300];
	struct stat	st;

	caller_open(t, w, &k, "lmtpd", 3);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	CHECK_INT(ask_deliver(t, &k, BOB), 250, 1);
	CHECK_INT(keep(t, w, ANNA, S("abc"), &hex), 0, 0);
	CHECK_TEXT(buf_slice(&hex), "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad", 0);
	CHECK_INT(links("big/%s", buf_cstr(&hex)), 2, 0);
	CHECK_INT(links("00/" ANNA "/big/%s", buf_cstr(&hex)), 2, 0);
	/* the same again, and for somebody else */
	CHECK_INT(keep(t, w, ANNA, S("abc"), &other), 0, 1);
	CHECK_INT(keep(t, w, BOB, S("abc"), &other), 0, 2);
	CHECK_SLICE(buf_slice(&other), buf_slice(&hex), 0);
	CHECK_INT(links("11/" BOB "/big/%s", buf_cstr(&hex)), 3, 0);
	snprintf(path, sizeof(path), "big/%s", buf_cstr(&hex));
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0440 &&
	    st.st_size == 3, 0);
	/* beyond the end of the content */
	CHECK_INT(keep(t, w, ANNA, SLICE_EMPTY, &other), 0, 3);
	caller_close(t, &k);
	buf_free(&hex);
	buf_free(&other);
	return 0;
}

TEST(stored_bodies)
{
	struct world w = { .used = 0 };

	run_world(&w, bodies);
}

TEST(account_ids)
{
	static const struct { const char *in; bool want; } rows[] = {
		{ ANNA, true }, { "", false }, { "00000000000000a", false },
		{ "00000000000000aaa", false }, { "00000000000000AA", false },
		{ "../../../../../x", false }, { "0000000000000/aa", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(account_id_is_valid(slice_of(rows[i].in)),
		    rows[i].want, i);
}
