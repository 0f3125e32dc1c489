/* SPDX-License-Identifier: ISC */
/* An account process on the simulated loop; the test is stored, a deliverer,
 * and a front. Included by the one file of each test program. */
#ifndef PROCESS_WORLD_H
#define PROCESS_WORLD_H

#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "accountd/accountd.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_front.h"
#include "libmail/scan.h"
#include "libstore/body.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libutil/conf.h"
#include "libutil/hex.h"

#define ID	"00112233445566aa"
#define LIMIT	600000		/* virtual ms */
#define HANDLE	"the handle"	/* and a digit or two, if there are several */
#define KEPT_MAX 100

/* what stored would know of a session */
struct kept {
	struct buf	state;		/* as it was frozen last */
	unsigned	frozen, begun, over;
	uint64_t	begun_as;	/* hand-over */
	bool		asleep, idling;
};

struct world {
	struct daemon		*daemon;
	struct account_process	*ap;
	struct ipc_conn		 stored;
	struct arena		 arena;
	struct kept		 kept[KEPT_MAX];
	int			 last_frozen;	/* its place in there */
	int64_t			 keep_time;	/* ms until it is kept */
	const char		*session_limit;
	uint64_t		 quota_bytes;
	uint64_t		 used_messages;
	unsigned		 frozen, begun, over, idle, busy, changed;
	bool			 create;
	bool			 has_sleepers;	/* from before */
	uint64_t		 seed;
	enum { BIG_KEPT, BIG_REFUSED, BIG_LATE } big;
	unsigned		 bigs;
	int			 served;	/* daemon_serve's result, or 1 */
	bool			 untold;	/* it ended with news */
	int			(*run)(struct task *t, struct world *w);
};

static const struct daemon_spec spec = {
	.name = "accountd",
	.params = &accountd_param_table,
	.params_size = sizeof(struct accountd_params),
	.run = process_run,
};

/* enter - a fresh folder is the current one, as after chroot */
static void
enter(const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", test_tmpdir(), name);
	CHECK(mkdir(path, 0700) == 0 && chdir(path) == 0, 0);
}

/* --- the test as stored */

/* on_big - keep it, or pretend to, or not */
static int
on_big(struct world *w, struct ipc_conn *c, struct ipc_in *in)
{
	const struct msg_account_big *m = in->msg;
	struct msg_account_big_kept kept = { .ok = w->big != BIG_REFUSED };
	struct buf	content = BUF_INIT, name = BUF_INIT;
	uint8_t		hash[BODY_HASH_LEN];
	FILE		*f;

	w->bigs++;
	CHECK_INT(memfile_read_buf(m->content, m->offset, (size_t)m->length,
	    &content), 0, 0);
	body_hash_content(buf_slice(&content), hash);
	kept.hash = slice_over(hash, sizeof(hash));
	/* the second time it is there for good */
	if (w->big == BIG_KEPT || (w->big == BIG_LATE && w->bigs > 1)) {
		(void)mkdir("big", 0700);	/* it may be there */
		buf_add_text(&name, "big/");
		hex_encode(&name, kept.hash);
		f = fopen(buf_cstr(&name), "w");
		CHECK(f != NULL && fwrite(content.data, 1, content.len, f) ==
		    content.len && fclose(f) == 0, 0);
	}
	buf_free(&content);
	buf_free(&name);
	return ipc_reply(c, in->request, &msg_account_big_kept_desc, &kept);
}

/* kept_of - of that handle */
static struct kept *
kept_of(struct world *w, struct slice handle)
{
	uint64_t n = 0;

	CHECK(slice_has_prefix(handle, S(HANDLE)), 0);
	if (handle.len > sizeof(HANDLE) - 1)
		CHECK_INT(slice_to_u64(slice_from(handle, sizeof(HANDLE) - 1),
		    KEPT_MAX - 1, &n), 0, 0);
	return &w->kept[n];
}

/* on_frozen - it sleeps, as soon as that is said */
static int
on_frozen(struct task *t, struct world *w, struct ipc_conn *c,
    struct ipc_in *in)
{
	const struct msg_account_frozen *f = in->msg;
	struct msg_account_kept	 kept;
	struct kept		*k = kept_of(w, f->handle);
	int			 r;

	w->frozen++;
	w->last_frozen = (int)(k - w->kept);
	CHECK_TEXT(f->login, "anna@example.org", 0);
	buf_reset(&k->state);
	buf_add(&k->state, f->state);
	k->idling = f->idling;
	k->frozen++;
	if (w->keep_time > 0 && (r = task_sleep(t, w->keep_time)) < 0)
		return r;
	k->asleep = true;
	return ipc_reply(c, in->request, &msg_account_kept_desc, &kept);
}

/* on_begun - its front was told */
static void
on_begun(struct world *w, const struct msg_account_begun *m)
{
	struct kept *k = kept_of(w, m->handle);

	w->begun++;
	k->begun++;
	k->begun_as = m->handover;
	k->asleep = false;
}

static int
on_account(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world		*w = arg;
	struct msg_account_log_fd none = { -1 };

	(void)a;
	switch (in->desc->number) {
	case MSG_account_frozen:
		return on_frozen(t, w, c, in);
	case MSG_account_big:
		return on_big(w, c, in);
	case MSG_account_begun:
		on_begun(w, in->msg);
		return 0;
	case MSG_account_changed:
		w->changed++;
		return 0;
	case MSG_account_over:
		w->over++;
		kept_of(w, ((struct msg_account_over *)in->msg)->handle)->
		    over++;
		return 0;
	case MSG_account_usage:
		w->used_messages =
		    ((const struct msg_account_usage *)in->msg)->messages;
		return 0;
	case MSG_account_idle:
		w->idle += ((struct msg_account_idle *)in->msg)->idle;
		w->busy += !((struct msg_account_idle *)in->msg)->idle;
		return 0;
	case MSG_account_log:
		return ipc_reply(c, in->request, &msg_account_log_fd_desc,
		    &none);
	default:
		return -EBADMSG;
	}
}

static int
stored_task(struct task *t, void *arg)
{
	struct world *w = arg;

	ignore(ipc_serve(t, &w->stored, on_account, w));
	return 0;
}

static int
serve_task(struct task *t, void *arg)
{
	struct world *w = arg;

	w->served = daemon_serve(t, w->daemon);
	w->untold = process_has_news(w->ap);
	process_free(&w->ap);
	daemon_free(&w->daemon);
	return 0;
}

static int
start_account(struct task *t, struct world *w)
{
	struct msg_account_start m = { S(ID), S("anna@example.org"),
	    w->create, w->quota_bytes, 0, w->has_sleepers };
	void	*reply;
	int	 r;

	r = ipc_call(t, &w->stored, &msg_account_start_desc, &m,
	    &msg_account_up_desc, &w->arena, &reply);
	if (r == 0 && !((struct msg_account_up *)reply)->ok)
		r = -EIO;
	return r;
}

/* life - one account process around w->run */
static int
life(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct loop		*l = task_loop(t);
	struct conf		*conf = conf_new(NULL);
	struct diag		 diag = DIAG_INIT;
	struct task_group	 g;
	struct deadline		 d;
	int			 pair[2], r;

	conf_put(conf, S("recipient_delimiter"), S("+"), "", 0);
	conf_put(conf, S("accountd_map_size"), S("1g"), "", 0);
	if (w->session_limit != NULL)
		conf_put(conf, S("accountd_session_limit"),
		    slice_of(w->session_limit), "", 0);
	w->served = 1;
	w->ap = process_new();
	w->daemon = daemon_new(l, &spec, conf, process_connect, w->ap, &diag);
	process_attach(w->ap, w->daemon);
	CHECK_INT(param_load(&imap_session_param_table, conf,
	    daemon_arena(w->daemon), &w->ap->imap_params, &diag), 0, 0);
	CHECK_INT(fd_pair(pair), 0, 0);
	ipc_open(&w->ap->control, l, &pair[0], &ipc_table_account, IPC_CALLEE);
	ipc_open(&w->stored, l, &pair[1], &ipc_table_account, IPC_CALLER);
	task_group_begin(t, &g);
	task_group_start(&g, serve_task, w);
	task_group_start(&g, stored_task, w);
	deadline_begin(t, &d, LIMIT);
	r = start_account(t, w);
	if (r == 0)
		r = w->run(t, w);
	r = deadline_end(t, &d, r);
	ipc_close(&w->stored);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK_INT(w->served, 0, 0);
	conf_free(&conf);
	return r;
}

static void
run_life(struct world *w, int (*run)(struct task *, struct world *))
{
	struct loop_options o = { .sim_seed = w->seed + 7,
	    .sim_short_io = true };
	struct loop	*l = loop_new(&o);

	w->run = run;
	CHECK_INT(loop_run(l, life, w), 0, 0);
	CHECK_INT(loop_task_count(l), 0, 0);
	loop_free(l);
	arena_free(&w->arena);
}

static void
world_done(struct world *w)
{
	arena_free(&w->arena);
	for (size_t i = 0; i < KEPT_MAX; i++)
		buf_free(&w->kept[i].state);
}

/* --- the test as a deliverer */

struct deliverer {
	struct ipc_conn	conn;
	struct task_group group;
	unsigned	count;		/* of deliveries so far, for ids */
};

static int
replies_task(struct task *t, void *arg)
{
	ignore(ipc_run_replies(t, arg));
	return 0;
}

static int
deliverer_open(struct task *t, struct world *w, struct deliverer *d)
{
	struct msg_account_delivery m;
	int	pair[2], r;

	*d = (struct deliverer){ .count = 0 };
	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[0];
	r = ipc_post(&w->stored, &msg_account_delivery_desc, &m);
	fd_close(&pair[0]);
	ipc_open(&d->conn, task_loop(t), &pair[1], &ipc_table_deliver,
	    IPC_CALLER);
	task_group_begin(t, &d->group);
	task_group_start(&d->group, replies_task, &d->conn);
	return r;
}

static void
deliverer_close(struct task *t, struct deliverer *d)
{
	ipc_close(&d->conn);
	CHECK_INT(task_group_end(t, &d->group), 0, 0);
}

struct mail {
	const char		*recipient;
	struct slice		 content;
	struct msg_piece	*pieces;
	size_t			 piece_count;
	unsigned		 id;		/* delivery id; 0: a new one */
	bool			 without_facts;
};

/* deliver - the reply code */
static int
deliver(struct task *t, struct world *w, struct deliverer *d,
    const struct mail *mail)
{
	char			 id[32] = "";
	struct msg_deliver_ask	 m = { .queue_id = S("4abcdef"),
	    .delivery_id = slice_over(id, sizeof(id)),
	    .sender = S("s@example.com"),
	    .recipient = slice_of(mail->recipient),
	    .original = slice_of(mail->recipient),
	    .content_length = mail->content.len, .offset = 5,
	    .pieces = { mail->pieces, mail->piece_count } };
	struct memfile		 f = MEMFILE_INIT;
	struct scan		*scan = scan_new(NULL);
	struct buf		 facts = BUF_INIT;
	void			*reply;
	int			 r;

	snprintf(id, sizeof(id), "%u", mail->id != 0 ? mail->id :
	    1000 + d->count++);
	scan_feed(scan, mail->content);
	facts_format(&facts, scan_finish(scan));
	if (!mail->without_facts)
		m.facts = buf_slice(&facts);
	if ((r = memfile_new("test", mail->content.len + 5, &f)) == 0 &&
	    (r = memfile_append(&f, S("junk!"))) == 0 &&
	    (r = memfile_append(&f, mail->content)) == 0 &&
	    (r = memfile_seal(&f)) == 0) {
		m.content = f.fd;
		r = ipc_call(t, &d->conn, &msg_deliver_ask_desc, &m,
		    &msg_deliver_result_desc, &w->arena, &reply);
	}
	memfile_done(&f);
	scan_free(&scan);
	buf_free(&facts);
	return r < 0 ? r : (int)((struct msg_deliver_result *)reply)->code;
}

/* --- the test as a front */

struct front_end {
	struct ipc_conn	conn;
	struct stream	in;	/* what the session said, line by line */
	struct io	feed;
	struct task_group group;
	bool		sleep_asked, awake_told, busy_told, closed, ended;
	bool		refuse_sleep, ignore_sleep;
};

static int
front_task(struct task *t, void *arg)
{
	struct front_end *f = arg;
	struct arena	a = ARENA_INIT;
	struct ipc_in	in;
	struct msg_front_sleep_ok yes;
	struct msg_front_sleep_no no;
	int		r = 0;

	while (r == 0 && ipc_recv(t, &f->conn, &a, &in) == 0) {
		switch (in.desc->number) {
		case MSG_front_data:
			r = io_write_all(t, &f->feed,
			    ((struct msg_front_data *)in.msg)->bytes);
			break;
		case MSG_front_sleep:
			f->sleep_asked = true;
			if (f->ignore_sleep)
				break;
			r = f->refuse_sleep ? ipc_post(&f->conn,
			    &msg_front_sleep_no_desc, &no) : ipc_post(&f->conn,
			    &msg_front_sleep_ok_desc, &yes);
			break;
		case MSG_front_awake:
			f->awake_told = true;
			break;
		case MSG_front_busy:
			f->busy_told = true;
			break;
		default:
			f->closed = true;
		}
		ipc_in_done(&in);
		arena_reset(&a);
	}
	arena_free(&a);
	f->ended = true;
	io_close(&f->feed);
	ipc_close(&f->conn);
	return 0;
}

/* front_open_as - a new session, or one that slept, under that handle */
static int
front_open_as(struct task *t, struct world *w, struct front_end *f,
    const char *handle, uint64_t handover, struct slice state)
{
	struct msg_account_session m = { S("imap"), -1,
	    S("anna@example.org"), S("sess"), S("192.0.2.1"),
	    state.len > 0 ? SLICE_EMPTY : S("a1"), state, slice_of(handle),
	    handover };
	int	pair[2], r;

	*f = (struct front_end){ .closed = false };
	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[0];
	r = ipc_post(&w->stored, &msg_account_session_desc, &m);
	fd_close(&pair[0]);
	ipc_open(&f->conn, task_loop(t), &pair[1], &ipc_table_front,
	    IPC_CALLER);
	if ((r = fd_pair(pair)) < 0)
		return r;
	stream_open(&f->in, task_loop(t), &pair[0]);
	io_open(&f->feed, task_loop(t), &pair[1]);
	task_group_begin(t, &f->group);
	task_group_start(&f->group, front_task, f);
	return r;
}

static void
front_close(struct task *t, struct front_end *f)
{
	ipc_close(&f->conn);
	stream_close(&f->in);
	CHECK_INT(task_group_end(t, &f->group), 0, 0);
}

/* tell - bytes of the client */
static int
tell(struct front_end *f, const char *text)
{
	struct msg_front_data m = { slice_of(text) };

	return ipc_post(&f->conn, &msg_front_data_desc, &m);
}

/* expect - skip lines up to one that begins so */
static int
expect(struct task *t, struct front_end *f, const char *begin)
{
	struct slice line;
	int	r;

	do {
		r = stream_read_line(t, &f->in, 10000, &line);
	} while (r == 0 && !slice_has_prefix(line, slice_of(begin)));
	if (r < 0)
		printf("# waited in vain for \"%s\": %s\n", begin, strerror(-r));
	return r;
}

#endif
