/* SPDX-License-Identifier: ISC */
/*
 * Say every message of every table to everybody: as a caller over edges that
 * master makes when asked, as who is called over those that others made, and
 * over the channels that pass through either. Each is said in each flavour
 * and as a note, a call and a reply. What breaks an edge ends it; then a new
 * one is asked for, or waited for. What broke the control channel ends the
 * process: how far all of it is stands in a shared page, so that the next
 * process of the same daemon goes on.
 *
 * What is told: WAY/MESSAGE/FLAVOUR/KIND OUTCOME, where WAY is ">callee" for
 * what we say as a caller, "<caller" for what we say as the callee. Outcomes:
 *	refused		the conversation was ended
 *	silent		nothing came of it, for a while
 *	said		we do not see what comes of it
 *	M(f=1,...)	this was the answer
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drill.h"
#include "libglobal/edges.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_content.h"
#include "libglobal/ipc_control.h"
#include "libglobal/ipc_deliver.h"
#include "libglobal/ipc_front.h"
#include "libglobal/ipc_log.h"
#include "libglobal/ipc_store.h"
#include "libglobal/ipc_zygote.h"

#define CONTROL		3
#define CALL_WAIT	100		/* ms for an answer */
#define NOTE_WAIT	15
#define SERVE_QUIET	2000		/* ms without a chance to say more */
#define SERVE_LIMIT	30000		/* those who ask may never rest */
#define SERVED		61		/* where it says that serve has ended */
#define MASTER		60		/* and how far control is */
#define SOCKETS		62		/* which socket is wanted next */

/* how each message is said */
static const struct way {
	enum drill_flavour	flavour;
	enum drill_kind		kind;
} ways[] = {
	{ FLAVOUR_ZERO, KIND_CALL }, { FLAVOUR_EXTREME, KIND_CALL },
	{ FLAVOUR_OTHERS, KIND_CALL }, { FLAVOUR_PATH, KIND_CALL },
	{ FLAVOUR_BEYOND, KIND_CALL }, { FLAVOUR_ZERO, KIND_NOTE },
	{ FLAVOUR_OTHERS, KIND_NOTE }, { FLAVOUR_ZERO, KIND_REPLY },
};
/* and as who is called */
static const struct way answers[] = {
	{ FLAVOUR_ZERO, KIND_REPLY }, { FLAVOUR_EXTREME, KIND_REPLY },
	{ FLAVOUR_OTHERS, KIND_REPLY }, { FLAVOUR_PATH, KIND_REPLY },
	{ FLAVOUR_BEYOND, KIND_REPLY }, { FLAVOUR_ZERO, KIND_NOTE },
	{ FLAVOUR_OTHERS, KIND_NOTE }, { FLAVOUR_ZERO, KIND_CALL },
};
#define WAYS	(sizeof(ways) / sizeof(ways[0]))

static uint32_t		*progress;	/* of each stage, for all processes */
static uint32_t		 requests = 0x40000000;
static char		 asked[1024][96];	/* by request */
static char		 in[1 << 20];

void
drill_forge_prepare(const char *path)
{
	int	fd = open(path, O_RDWR | O_CLOEXEC);
	void	*p;

	if (fd < 0)
		return;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	progress = p == MAP_FAILED ? NULL : p;
	(void)close(fd);
}

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* stage_of - where the progress of a table and an end is counted */
static unsigned
stage_of(const struct ipc_table *table, bool we_call)
{
	unsigned h = we_call ? 1 : 0;

	for (const char *p = table->name; *p != '\0'; p++)
		h = h * 31 + (unsigned char)*p;
	return 512 + h % 509;
}

static size_t
messages_of(const struct ipc_table *table)
{
	size_t n = 0;

	while (table->messages[n] != NULL)
		n++;
	return n;
}

/* next_step - what to say next there; false when all was said */
static bool
next_step(const struct ipc_table *table, unsigned stage, bool calls,
    const struct ipc_desc **ret_desc, const struct way **ret_way)
{
	uint32_t i = __atomic_fetch_add(&progress[stage], 1, __ATOMIC_RELAXED);

	if (i >= messages_of(table) * WAYS)
		return false;
	*ret_desc = table->messages[i / WAYS];
	*ret_way = calls ? &ways[i % WAYS] : &answers[i % WAYS];
	return true;
}

static const struct ipc_desc *
find(const struct ipc_table *table, uint16_t number)
{
	for (size_t i = 0; table->messages[i] != NULL; i++)
		if (table->messages[i]->number == number)
			return table->messages[i];
	return NULL;
}

/* --- receiving */

struct got {
	struct drill_head	head;
	struct slice		body;
	int			fds[IPC_FDS_MAX];
	int			fd_count;
};
typedef void	got_fn(int fd, const struct got *g, void *arg);

/* receive - what is there, each frame to fn: 1 something, 0 nothing within
 * the time, -1 the end */
static int
receive(int fd, int wait, got_fn *fn, void *arg)
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(64 * sizeof(int))];
	} u;
	struct pollfd	p = { fd, POLLIN, 0 };
	struct iovec	iov = { in, sizeof(in) };
	struct msghdr	m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = u.space,
			    .msg_controllen = sizeof(u.space) };
	struct got	g;
	int		fds[64], n, used = 0;
	ssize_t		len;

	if (poll(&p, 1, wait) <= 0)
		return 0;
	if ((len = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) <= 0)
		return len < 0 && errno == EAGAIN ? 0 : -1;
	n = drill_received(&m, fds, 64);	/* roles: by the hook */
	for (char *at = in; drill_parse_head(at, (size_t)len, &g.head) &&
	    g.head.length <= (size_t)len - DRILL_HEAD;) {
		g.body = slice_over(at + DRILL_HEAD, g.head.length);
		g.fd_count = 0;
		while (g.fd_count < g.head.fd_count && used < n)
			g.fds[g.fd_count++] = fds[used++];
		fn(fd, &g, arg);
		at += DRILL_HEAD + g.head.length;
		len -= (ssize_t)(DRILL_HEAD + g.head.length);
	}
	return 1;
}

struct waiting {
	const struct ipc_table	*table;
	uint32_t		 request;
	bool			 done;
	int			 fd;		/* that came with it, or -1 */
	bool			 keep;		/* the descriptor is wanted */
};

/* answered - tell what was answered, to whichever of our messages */
static void
answered(int fd, const struct got *g, void *arg)
{
	struct waiting		*w = arg;
	const struct ipc_desc	*d = find(w->table, g->head.number);
	char			 text[900];

	(void)fd;
	if (d != NULL && g->head.kind == KIND_REPLY &&
	    g->head.request >= 0x40000000 && !w->keep) {
		drill_describe(d, g->body, text, sizeof(text));
		drill_tell(asked[g->head.request % 1024], text);
	}
	for (int i = 0; i < g->fd_count; i++) {
		if (w->keep && w->fd < 0 && g->head.request == w->request)
			w->fd = g->fds[i];
		else if (drill_role(g->fds[i]) == NULL ||
		    drill_role(g->fds[i])->we_call)
			(void)close(g->fds[i]);
	}
	if (g->head.kind == KIND_REPLY && g->head.request == w->request)
		w->done = true;
}

/* ask - a call whose answer brings a descriptor; -1 if it does not */
static int
ask(int fd, const struct ipc_table *table, const struct ipc_desc *d,
    enum drill_flavour flavour)
{
	struct waiting	w = { table, ++requests, false, -1, true };
	int64_t		end = now() + 3000;

	if (drill_say(fd, d, flavour, KIND_CALL, w.request) < 0)
		return -1;
	while (!w.done && now() < end)
		if (receive(fd, 200, answered, &w) < 0)
			break;
	return w.fd;
}

/* --- edges and channels of ours */

static const char	*wanted = "signd";

/* drill_wanted - the daemon that is asked for */
const char *
drill_wanted(void)
{
	return wanted;
}

/* want_edge - ask master */
static int
want_edge(const char *callee)
{
	wanted = callee;
	return ask(CONTROL, &ipc_table_control, &msg_want_edge_desc,
	    FLAVOUR_OTHERS);
}

static char	wanted_path[300] = "others";

/* drill_wanted_path - the path of a socket that is asked for */
const char *
drill_wanted_path(void)
{
	return wanted_path;
}

/* sockets - of the file system, which master opens for who may not itself:
 * one that the configuration allows, and what no client is to reach */
static void
sockets(void)
{
	static const struct {
		const char	*name;
		bool		 elsewhere;	/* below a folder of others */
		const char	*path;
	} rows[] = {
		{ "allowed", false, "private/drill" },
		{ "masters", false, "public/master" },
		{ "upwards", false, "private/../public/master" },
		{ "outside", true, "/socket" },
		{ "climbing", false, "private/../../../place/socket" },
	};
	char	way[60];
	int	fd;
	uint32_t i;

	while ((i = __atomic_fetch_add(&progress[SOCKETS], 1,
	    __ATOMIC_RELAXED)) < sizeof(rows) / sizeof(rows[0])) {
		(void)snprintf(wanted_path, sizeof(wanted_path), "%s%s",
		    rows[i].elsewhere ? drill_place() : "", rows[i].path);
		fd = ask(CONTROL, &ipc_table_control, &msg_want_socket_desc,
		    FLAVOUR_OTHERS);
		(void)snprintf(way, sizeof(way), ">master/want_socket/%s/call",
		    rows[i].name);
		drill_tell(way, fd < 0 ? "refused" : "connected");
		if (fd >= 0)
			(void)close(fd);
	}
}

/* opened - an edge, or what is reached over it */
struct line {
	const char		*way;
	const char		*callee;
	const struct ipc_table	*table;
	int			(*open)(int edge);	/* NULL: the edge */
};

static int
open_channel(int edge)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	r = drill_say_with(edge, &msg_content_channel_desc, FLAVOUR_OTHERS,
	    KIND_NOTE, 0, &pair[1], 1);
	(void)close(pair[1]);
	return r < 0 ? -1 : pair[0];
}

/* open_message - a channel in whose middle of a message we are */
static int
open_message(int edge)
{
	int fd = open_channel(edge);

	if (fd >= 0 && drill_say(fd, &msg_content_begin_desc, FLAVOUR_OTHERS,
	    KIND_NOTE, 0) == 0)
		(void)drill_say(fd, &msg_content_data_desc, FLAVOUR_OTHERS,
		    KIND_NOTE, 0);
	return fd;
}

static int
open_delivery(int edge)
{
	return ask(edge, &ipc_table_store, &msg_store_deliver_desc,
	    FLAVOUR_OTHERS);
}

/* open_process - an account process of our own, as stored may have */
static int
open_process(int edge)
{
	int control[2], log[2], theirs[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, log) < 0)
		return -1;
	theirs[0] = control[1];
	theirs[1] = log[1];
	r = drill_say_with(edge, &msg_zygote_fork_desc, FLAVOUR_OTHERS,
	    KIND_CALL, ++requests, theirs, 2);
	(void)close(control[1]);
	(void)close(log[1]);
	return r < 0 ? -1 : control[0];		/* the log's end stays open */
}

static int
open_session(int edge)
{
	int process = open_process(edge), pair[2];

	if (process < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair) < 0)
		return -1;
	if (drill_say(process, &msg_account_start_desc, FLAVOUR_OTHERS,
	    KIND_NOTE, 0) == 0)
		(void)drill_say_with(process, &msg_account_session_desc,
		    FLAVOUR_OTHERS, KIND_NOTE, 0, &pair[1], 1);
	(void)close(pair[1]);
	return pair[0];		/* the process' channel stays open */
}

static const struct line beyond_edges[] = {
	{ ">cleanup-channel", "cleanup", &ipc_table_content, open_channel },
	{ ">cleanup-message", "cleanup", &ipc_table_content, open_message },
	{ ">account-delivery", "stored", &ipc_table_deliver, open_delivery },
	{ ">account-process", "accountd", &ipc_table_account, open_process },
	{ ">account-session", "accountd", &ipc_table_front, open_session },
};

/* --- as a caller */

static int
connect_line(const struct line *l)
{
	int edge = want_edge(l->callee), fd;

	if (edge < 0 || l->open == NULL)
		return edge;
	fd = l->open(edge);
	/* what was opened over it may end with the edge: so it is kept, and
	 * is among what ends with this process */
	return fd;
}

/* say_one - one forgery over a line of ours; false when the line has ended */
static bool
say_one(int fd, const struct line *l, const struct ipc_desc *d,
    const struct way *way)
{
	struct waiting	 w = { l->table, ++requests, false, -1, false };
	char		*label = asked[w.request % 1024];
	int64_t		 end;
	int		 r;

	(void)snprintf(label, sizeof(asked[0]), "%s/%s/%s/%s", l->way, d->name,
	    drill_flavours[way->flavour], drill_kinds[way->kind]);
	r = drill_say(fd, d, way->flavour, way->kind, w.request);
	if (r == -ENOMSG)
		return true;
	end = now() + (way->kind == KIND_CALL ? CALL_WAIT : NOTE_WAIT);
	while (r == 0 && !w.done && now() < end)
		if (receive(fd, (int)(end - now()), answered, &w) < 0)
			r = -EPIPE;
	if (r < 0)
		drill_tell(label, "refused");
	else if (!w.done)
		drill_tell(label, "silent");
	return r == 0;
}

static void
call(const struct line *l, unsigned stage)
{
	const struct ipc_desc	*d;
	const struct way	*way;
	int			 fd = -1, tries = 0;

	while (next_step(l->table, stage, true, &d, &way)) {
		while (fd < 0 && tries < 100)
			if ((fd = connect_line(l)) < 0 && tries++ < 100)
				(void)usleep(50000);
		if (fd < 0)
			return;
		if (!say_one(fd, l, d, way)) {
			(void)close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		(void)close(fd);
}

/* drill_wake - have those started whom this daemon may call */
void
drill_wake(void)
{
	for (const struct edge_row *e = edges_table; e->caller != NULL; e++) {
		if (strcmp(e->caller, program_invocation_short_name) != 0)
			continue;
		wanted = e->callee;
		(void)drill_say(CONTROL, &msg_want_edge_desc, FLAVOUR_OTHERS,
		    KIND_CALL, ++requests);
	}
}

/* edges - those of our rows, then those that are not */
static void
edges(void)
{
	const char	*me = program_invocation_short_name;
	unsigned	 stage = 0;

	for (const struct edge_row *e = edges_table; e->caller != NULL; e++) {
		char way[40], outcome[16];
		struct line l = { way, e->callee, e->table, NULL };
		int fd;

		stage++;
		(void)snprintf(way, sizeof(way), ">%s", e->callee);
		if (strcmp(e->caller, me) == 0) {
			call(&l, stage);
			for (size_t i = 0; i < sizeof(beyond_edges) /
			    sizeof(beyond_edges[0]); i++)
				if (strcmp(beyond_edges[i].callee,
				    e->callee) == 0 && (beyond_edges[i].open !=
				    open_delivery || strcmp(me, "lmtpd") == 0))
					call(&beyond_edges[i], 100 + stage * 8 +
					    (unsigned)i);
			continue;
		}
		if (__atomic_fetch_add(&progress[stage], 1,
		    __ATOMIC_RELAXED) > 0 || strcmp(e->callee, me) == 0)
			continue;
		fd = want_edge(e->callee);
		(void)snprintf(outcome, sizeof(outcome), "%s",
		    fd < 0 ? "refused" : "connected");
		(void)snprintf(way, sizeof(way), ">%s/edge/any/call",
		    e->callee);
		/* a row of somebody else's: but it may be ours as well */
		if (edges_find(slice_of(me), slice_of(e->callee)) == NULL)
			drill_tell(way, outcome);
		if (fd >= 0)
			(void)close(fd);
	}
}

/* --- as who is called, and over what passed through us */

static void
reply_to(int fd, const struct got *g, void *arg)
{
	const struct drill_role	*role = drill_role(fd);
	const struct ipc_desc	*d;
	const struct way	*way;
	bool			*more = arg;
	char			 label[96];

	if (role == NULL || role->table == NULL ||
	    !next_step(role->table, stage_of(role->table, role->we_call),
	    false, &d, &way))
		return;
	*more = true;
	(void)snprintf(label, sizeof(label), "%s%s/%s/%s/%s",
	    role->we_call ? ">" : "<", role->peer, d->name,
	    drill_flavours[way->flavour], drill_kinds[way->kind]);
	if (drill_say(fd, d, way->flavour, way->kind, way->kind ==
	    KIND_REPLY && g->head.request != 0 ? g->head.request :
	    ++requests) == 0)
		drill_tell(label, "said");
}

/* look - one socket: hear what it says, or say something unasked */
static int
look(int fd, bool *more)
{
	struct got unasked = { .fd_count = 0 };
	int r = receive(fd, 0, reply_to, more);

	if (r == 0)
		reply_to(fd, &unasked, more);
	return r;
}

/* serve - until nobody gives us a chance any more */
static void
serve(void)
{
	int64_t begun = now(), quiet = begun;
	bool unasked[DRILL_FDS] = { false };

	while (now() - quiet < SERVE_QUIET && now() - begun < SERVE_LIMIT) {
		struct pollfd p[256];
		nfds_t n = 0;
		bool more = false;

		for (int fd = 3; fd < DRILL_FDS && n < 256; fd++)
			if (drill_role(fd) != NULL || (fd == CONTROL &&
			    !drill_is_child()))
				p[n++] = (struct pollfd){ fd, POLLIN, 0 };
		(void)poll(p, n, 100);
		for (nfds_t i = 0; i < n; i++) {
			int fd = p[i].fd;

			if (p[i].revents == 0 && unasked[fd])
				continue;
			unasked[fd] = true;
			if (fd == CONTROL && !drill_is_child()) {
				bool none;

				(void)receive(fd, 0, reply_to, &none);
			} else if (look(fd, &more) < 0) {
				(void)close(fd);
				drill_role_set(fd, NULL, false, NULL);
				unasked[fd] = false;
			}
		}
		if (more)
			quiet = now();
	}
}

/* --- at last */

/* write_everywhere - to what was not written to as it is meant */
static void
write_everywhere(void)
{
	static const char junk[64] = "drill";

	for (int fd = 3; fd < DRILL_FDS; fd++) {
		struct stat	 st;
		char		 what[60];
		ssize_t		 n;

		if ((fd == CONTROL && !drill_is_child()) ||
		    drill_is_own(fd) || fstat(fd, &st) < 0)
			continue;
		n = write(fd, junk, sizeof(junk));
		(void)snprintf(what, sizeof(what), "write-to-a-%s",
		    S_ISSOCK(st.st_mode) ? "socket" : S_ISDIR(st.st_mode) ?
		    "folder" : S_ISFIFO(st.st_mode) ? "pipe" :
		    !S_ISREG(st.st_mode) ? "device" : st.st_nlink == 0 ?
		    "memory-file" : "file");
		drill_tell(what, n > 0 ? "yes" : "no");
	}
}

/* control - to master; one that breaks the channel is our last */
static void
control(void)
{
	static const struct line l = { ">master", "", &ipc_table_control,
	    NULL };
	const struct ipc_desc	*d;
	const struct way	*way;

	while (next_step(l.table, MASTER, true, &d, &way))
		if (!say_one(CONTROL, &l, d, way))
			return;
	drill_tell("told-master", "yes");
}

void
drill_forge(void)
{
	if (progress == NULL)
		return;
	/* an account process has no channel to master */
	if (!drill_is_child()) {
		sockets();
		edges();
	}
	if (progress[SERVED] == 0) {
		serve();
		progress[SERVED] = 1;
		write_everywhere();
		drill_tell("forged", "yes");
	}
	if (!drill_is_child())
		control();
}
