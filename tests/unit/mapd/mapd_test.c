/* SPDX-License-Identifier: ISC */
/* mapd's answers, with an authd and a stored of the test's own. */
#include "mapd/mapd.h"

#include <sys/socket.h>
#include <unistd.h>

#include "libglobal/edge.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_map.h"
#include "libglobal/ipc_store.h"
#include "libtask/loop.h"
#include "libutil/conf.h"
#include "test.h"

static const char main_cf[] =
	"myhostname = mail.here.example\n"
	"mydomain = here.example\n"
	"mydestination = $myhostname, here.example\n"
	"mynetworks = 127.0.0.0/8\n"
	"recipient_delimiter = +\n"
	"alias_maps = inline:{root=alice@acc.example}\n"
	"local_recipient_maps = $alias_maps\n"
	"virtual_alias_maps =\n";

/* a whole small suite: mapd, who asks it, and whom it asks */
struct world {
	const char		*more;		/* configuration */
	const char		*who;		/* asks; NULL: smtpd */
	int			(*script)(struct task *t, struct world *w);
	struct conf		*conf;
	struct daemon		*daemon;
	struct task_group	 group;
	struct ipc_conn		 caller;
	struct ipc_conn		*authd;		/* the last connection */
	unsigned		 asked;		/* of authd */
	bool			 authd_is_gone;
	bool			 alice_is_gone;
};

/* pair - two connected ends */
static int
pair(int *ret_ours, int *ret_theirs)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    fd) < 0)
		return -errno;
	*ret_ours = fd[0];
	*ret_theirs = fd[1];
	return 0;
}

/* what a served connection needs */
struct peer {
	struct world	*world;
	struct ipc_conn	 conn;
};

/* on_auth - authd: alice@acc.example has account 7, full@acc.example 8,
 * free@acc.example 10, which has no quota */
static int
on_auth(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	const struct msg_auth_exists *ask = in->msg;
	struct peer *p = arg;
	struct msg_auth_target target = { .is_limited =
		!slice_equal(ask->address, S("free@acc.example")) };
	struct msg_auth_who who = { .domain =
		slice_has_suffix(ask->address, S("@acc.example")) };

	(void)t;
	(void)a;
	p->world->asked++;
	if (slice_equal(ask->address, S("alice@acc.example")) &&
	    !p->world->alice_is_gone)
		target.account = S("7");
	else if (slice_equal(ask->address, S("full@acc.example")))
		target.account = S("8");
	else if (slice_equal(ask->address, S("o'q d@acc.example")))
		target.account = S("9");
	else if (!target.is_limited)
		target.account = S("10");
	who.found = target.account.len > 0;
	who.temporary = slice_equal(ask->address, S("later@acc.example"));
	who.targets.v = &target;
	who.targets.n = who.found;
	return ipc_reply(c, in->request, &msg_auth_who_desc, &who);
}

/* on_store - stored: account 8 is full; of 10 it is never asked */
static int
on_store(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	const struct msg_store_quota *ask = in->msg;
	struct msg_store_usage usage = { .known = true,
		.fits = !slice_equal(ask->account, S("8")) };

	(void)t;
	(void)a;
	(void)arg;
	CHECK(!slice_equal(ask->account, S("10")), 0);
	return ipc_reply(c, in->request, &msg_store_usage_desc, &usage);
}

/* serve_auth - one connection of authd */
static int
serve_auth(struct task *t, void *arg)
{
	struct peer *p = arg;
	int r;

	p->world->authd = &p->conn;
	r = ipc_serve(t, &p->conn, on_auth, p);
	p->world->authd = NULL;
	ipc_close(&p->conn);
	free(p);
	return r == -ECANCELED ? r : 0;
}

/* serve_store - one connection of stored */
static int
serve_store(struct task *t, void *arg)
{
	struct peer *p = arg;
	int r = ipc_serve(t, &p->conn, on_store, p);

	ipc_close(&p->conn);
	free(p);
	return r == -ECANCELED ? r : 0;
}

/* connect_to - mapd's edges end here */
static int
connect_to(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world *w = arg;
	bool is_auth = strcmp(callee, "authd") == 0;
	struct peer *p;
	int ours = -1, theirs = -1, r;

	if (is_auth && w->authd_is_gone)
		return -ECONNREFUSED;
	if ((r = pair(&ours, &theirs)) < 0)
		return r;
	p = calloc(1, sizeof(*p));
	p->world = w;
	ipc_open(&p->conn, task_loop(t), &theirs,
	    is_auth ? &ipc_table_auth : &ipc_table_store, IPC_CALLEE);
	task_group_start(&w->group, is_auth ? serve_auth : serve_store, p);
	*ret_fd = ours;
	return 0;
}

/* replies - receive for the caller */
static int
replies(struct task *t, void *arg)
{
	int r = ipc_run_replies(t, arg);

	return r == -ENODATA ? 0 : r;
}

/* serve - mapd */
static int
serve(struct task *t, void *arg)
{
	return daemon_serve(t, ((struct world *)arg)->daemon);
}

/* world_task - start all, run the script, stop all */
static int
world_task(struct task *t, void *arg)
{
	struct world *w = arg;
	const struct daemon_caller who = { slice_of(w->who == NULL ? "smtpd" :
	    w->who), S("smtp"), 1, 0 };
	int ours = -1, theirs = -1, r;

	task_group_begin(t, &w->group);
	task_group_start(&w->group, serve, w);
	if ((r = pair(&ours, &theirs)) < 0 || (r = task_yield(t)) < 0)
		return r;
	daemon_add_caller(w->daemon, &theirs, &who);
	ipc_open(&w->caller, task_loop(t), &ours, &ipc_table_map, IPC_CALLER);
	task_group_start(&w->group, replies, &w->caller);
	r = w->script(t, w);
	daemon_end(w->daemon);
	task_group_cancel(&w->group);
	ignore(task_group_end(t, &w->group));	/* they were cancelled */
	ipc_close(&w->caller);
	return r;
}

/* run_as - a script in a world with that configuration, of that daemon */
static void
run_as(const char *who, const char *more,
    int (*script)(struct task *t, struct world *w))
{
	static const struct daemon_spec spec = {
		.name = "mapd", .params = &resolve_param_table,
		.params_size = sizeof(struct resolve_params),
		.edge = mapd_edge,
	};
	const struct loop_options o = { .sim_seed = 7, .sim_short_io = true };
	struct world w = { .more = more, .script = script, .who = who };
	struct loop *l = loop_new(&o);
	struct buf text = BUF_INIT;
	struct diag d = DIAG_INIT;
	struct mapd m = { .checked = 0 };

	buf_addf(&text, "%s%s", main_cf, more);
	w.conf = conf_new(NULL);
	CHECK_INT(conf_read(w.conf, buf_slice(&text), "main.cf", &d), 0, 0);
	w.daemon = daemon_new(l, &spec, w.conf, connect_to, &w, &d);
	if (CHECK(w.daemon != NULL, 0)) {
		m.daemon = w.daemon;
		daemon_set_data(w.daemon, &m);
		CHECK_INT(mapd_tables_open(&m, &d), 0, 0);
		CHECK_INT(loop_run(l, world_task, &w), 0, 0);
		if (m.tables != NULL)
			mapd_tables_unuse(&m.tables);
		hash_free(&m.cache.hash);
		arena_free(&m.cache.arena);
	}
	daemon_free(&w.daemon);
	loop_free(l);
	conf_free(&w.conf);
	buf_free(&text);
}

static void
run(const char *more, int (*script)(struct task *t, struct world *w))
{
	run_as(NULL, more, script);
}

/* check_rcpt - ask and compare: "class code enhanced text" or "class targets" */
static int
check_rcpt(struct task *t, struct world *w, const char *recipient,
    const char *client, const char *want, size_t row)
{
	struct msg_map_rcpt ask = { .recipient = slice_of(recipient),
		.sender = S("s@remote.example"), .size = 1000, .check = true,
		.client_address = slice_of(client) };
	struct arena a = ARENA_INIT;
	struct buf got = BUF_INIT;
	struct msg_map_route *is;
	void *reply;
	int r;

	r = ipc_call(t, &w->caller, &msg_map_rcpt_desc, &ask,
	    &msg_map_route_desc, &a, &reply);
	if (CHECK_INT(r, 0, row) == 0) {
		is = reply;
		buf_addf(&got, "%u", is->address_class);
		if (is->code != 0)
			buf_addf(&got, " %u %.*s %.*s", is->code,
			    SLICE_ARG(is->enhanced), SLICE_ARG(is->text));
		for (size_t i = 0; i < is->targets.n; i++)
			buf_addf(&got, " %.*s>%.*s:%.*s",
			    SLICE_ARG(is->targets.v[i].address),
			    SLICE_ARG(is->targets.v[i].transport),
			    SLICE_ARG(is->targets.v[i].nexthop));
		CHECK_TEXT(buf_slice(&got), want, row);
	}
	buf_free(&got);
	arena_free(&a);
	return r;
}

/* recipients - answers of all kinds */
static int
recipients(struct task *t, struct world *w)
{
	static const struct {
		const char	*recipient;
		const char	*client;
		const char	*want;
	} cases[] = {
		{ "alice@acc.example", "192.0.2.1", "3 alice@acc.example>store:7" },
		{ "Alice+x@acc.example", "", "3 Alice+x@acc.example>store:7" },
		{ "root", "", "1 alice@acc.example>store:7" },
		{ "\"o'q d\"@acc.example", "", "3 \"o'q d\"@acc.example>store:9" },
		{ "none@acc.example", "", "3 550 5.1.1 <none@acc.example>: Recipient address rejected: User unknown in virtual mailbox table" },
		{ "later@acc.example", "", "3 451 4.3.0 <later@acc.example>: Temporary lookup failure" },
		{ "full@acc.example", "", "3 552 5.2.2 <full@acc.example>: Recipient address rejected: Quota exceeded (mailbox for user is full)" },
		{ "free@acc.example", "", "3 free@acc.example>store:10" },
		{ "x@remote.example", "192.0.2.1", "5 554 5.7.1 <x@remote.example>: Relay access denied" },
		{ "x@remote.example", "", "5 554 5.7.1 <x@remote.example>: Relay access denied" },
		{ "x@remote.example", "127.0.0.1", "5 x@remote.example>smtp:remote.example" },
		{ "\"a b\"@remote.example", "127.0.0.1", "5 \"a b\"@remote.example>smtp:remote.example" },
	};
	int r = 0;

	for (size_t i = 0; i < COUNT(cases) && r == 0; i++)
		r = check_rcpt(t, w, cases[i].recipient, cases[i].client,
		    cases[i].want, i);
	return r;
}

TEST(map_rcpt)
{
	run("", recipients);
}

TEST(map_rcpt_in_a_worker)	/* the same where a table may block */
{
	run("virtual_alias_maps = pipemap:{unix:group.byname, internal:x}\n", recipients);
}

/* remembered - authd is asked once, until it says that it changed */
static int
remembered(struct task *t, struct world *w)
{
	const struct msg_auth_changed changed = { SLICE_EMPTY };
	unsigned asked;
	int r;

	r = check_rcpt(t, w, "alice@acc.example", "",
	    "3 alice@acc.example>store:7", 0);
	asked = w->asked;
	CHECK(asked > 0, 0);
	if (r == 0)
		r = check_rcpt(t, w, "Alice@ACC.example", "",
		    "3 Alice@ACC.example>store:7", 1);
	CHECK_INT(w->asked, asked, 1);
	w->alice_is_gone = true;
	if (r == 0 && CHECK(w->authd != NULL, 2))
		r = ipc_send(t, w->authd, &msg_auth_changed_desc, &changed);
	if (r == 0)
		r = task_sleep(t, 10);
	if (r == 0)
		r = check_rcpt(t, w, "alice@acc.example", "", "3 550 5.1.1 "
		    "<alice@acc.example>: Recipient address rejected: User "
		    "unknown in virtual mailbox table", 2);
	/* a new connection may have missed a change */
	w->alice_is_gone = false;
	if (r == 0 && CHECK(w->authd != NULL, 3))
		ipc_close(w->authd);
	if (r == 0)
		r = task_sleep(t, 10);
	if (r == 0)
		r = check_rcpt(t, w, "alice@acc.example", "",
		    "3 alice@acc.example>store:7", 3);
	return r;
}

TEST(accounts_are_remembered)
{
	run("", remembered);
}

/* alone - no authd */
static int
alone(struct task *t, struct world *w)
{
	int r;

	w->authd_is_gone = true;
	r = check_rcpt(t, w, "alice@acc.example", "",
	    "3 451 4.3.0 <alice@acc.example>: Temporary lookup failure", 0);
	w->authd_is_gone = false;
	if (r == 0)
		r = check_rcpt(t, w, "alice@acc.example", "",
		    "3 alice@acc.example>store:7", 1);
	return r;
}

TEST(without_authd_mail_waits)
{
	run("", alone);
}

/* others - clients, senders, lookups */
static int
others(struct task *t, struct world *w)
{
	struct msg_map_client client = { S("127.0.0.1"), S("") };
	struct msg_map_from from = { .address = S("\"a b\""),
	    .local = true };
	struct arena a = ARENA_INIT;
	void *reply;
	int r;

	r = ipc_call(t, &w->caller, &msg_map_client_desc, &client,
	    &msg_map_client_is_desc, &a, &reply);
	if (CHECK_INT(r, 0, 0) == 0)
		CHECK(((struct msg_map_client_is *)reply)->trusted, 0);
	client.address = S("192.0.2.1");
	r = ipc_call(t, &w->caller, &msg_map_client_desc, &client,
	    &msg_map_client_is_desc, &a, &reply);
	if (CHECK_INT(r, 0, 1) == 0)
		CHECK(!((struct msg_map_client_is *)reply)->trusted, 1);
	r = ipc_call(t, &w->caller, &msg_map_from_desc, &from,
	    &msg_map_address_desc, &a, &reply);
	if (CHECK_INT(r, 0, 2) == 0)
		CHECK_TEXT(((struct msg_map_address *)reply)->address,
		    "\"a b\"@mail.here.example", 2);
	arena_free(&a);
	return r;
}

TEST(other_questions)
{
	run("", others);
}

/* lookups - of any table, for tools */
static int
lookups(struct task *t, struct world *w)
{
	struct msg_map_lookup lookup = { S("inline:{a=b}"), S("A") };
	struct arena a = ARENA_INIT;
	void *reply;
	int r;

	r = ipc_call(t, &w->caller, &msg_map_lookup_desc, &lookup,
	    &msg_map_value_desc, &a, &reply);
	if (CHECK_INT(r, 0, 3) == 0) {
		CHECK(((struct msg_map_value *)reply)->found, 3);
		CHECK_TEXT(((struct msg_map_value *)reply)->value, "b", 3);
	}
	lookup.map = S("hash:/nonexistent/x");
	r = ipc_call(t, &w->caller, &msg_map_lookup_desc, &lookup,
	    &msg_map_value_desc, &a, &reply);
	if (CHECK_INT(r, 0, 4) == 0) {
		CHECK(!((struct msg_map_value *)reply)->found, 4);
		CHECK(slice_find_slice(((struct msg_map_value *)reply)->error,
		    S("/nonexistent/x.db")) != SLICE_NONE, 4);
	}
	arena_free(&a);
	return r;
}

/* refused_lookup - a daemon has no business with the tables themselves */
static int
refused_lookup(struct task *t, struct world *w)
{
	struct msg_map_lookup lookup = { S("texthash:/etc/passwd"), S("root") };
	struct arena a = ARENA_INIT;
	void *reply;

	CHECK_INT(ipc_call(t, &w->caller, &msg_map_lookup_desc, &lookup,
	    &msg_map_value_desc, &a, &reply), -ECONNRESET, 0);
	arena_free(&a);
	return 0;
}

TEST(lookups_are_for_tools)
{
	run_as("tool", "", lookups);
	run("", refused_lookup);
}

/* write_file - make a file with that text; lends its path */
static const char *
write_file(const char *name, const char *text)
{
	static char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", test_tmpdir(), name);
	f = fopen(path, "w");
	CHECK(f != NULL, 0);
	fputs(text, f);
	fclose(f);
	return path;
}

/* changing - a changed file counts a second later; a broken one does not */
static int
changing(struct task *t, struct world *w)
{
	int r;

	r = check_rcpt(t, w, "x@remote.example", "127.0.0.1",
	    "5 x@remote.example>one:remote.example", 0);
	write_file("transport", "remote.example two:\n");
	if (r == 0)
		r = task_sleep(t, 1100);
	if (r == 0)
		r = check_rcpt(t, w, "x@remote.example", "127.0.0.1",
		    "5 x@remote.example>two:remote.example", 1);
	unlink(write_file("transport", ""));
	if (r == 0)
		r = task_sleep(t, 1100);
	if (r == 0)
		r = check_rcpt(t, w, "x@remote.example", "127.0.0.1",
		    "5 x@remote.example>two:remote.example", 2);
	write_file("transport", "remote.example three:\n");
	if (r == 0)
		r = task_sleep(t, 1100);
	if (r == 0)
		r = check_rcpt(t, w, "x@remote.example", "127.0.0.1",
		    "5 x@remote.example>three:remote.example", 3);
	return r;
}

TEST(changed_tables)
{
	char more[4200];

	snprintf(more, sizeof(more), "transport_maps = texthash:%s\n",
	    write_file("transport", "remote.example one:\n"));
	run(more, changing);
}
