/* SPDX-License-Identifier: ISC */
/*
 * The serving half: a task for each listener, client, caller and edge, all in
 * the daemon's group. daemon_start.c is the half that talks to master.
 */
#include "libglobal/daemon.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "libglobal/daemon_events.h"
#include "libglobal/daemon_private.h"
#include "libglobal/daemons.h"
#include "libglobal/ipc_control.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "libutil/hash.h"
#include "libutil/param.h"

#define LOAD_PAUSE	50	/* ms between two reports of load */
#define ACCEPT_PAUSE	100	/* ms, when no client can be taken */

/* --- what it knows */

struct loop *
daemon_loop(struct daemon *d)
{
	return d->loop;
}

const char *
daemon_service(const struct daemon *d)
{
	return d->service;
}

uint32_t
daemon_process(const struct daemon *d)
{
	return d->process;
}

const struct conf *
daemon_conf(const struct daemon *d)
{
	return d->now.top;
}

const void *
daemon_params(const struct daemon *d)
{
	return d->now.params;
}

struct arena *
daemon_arena(struct daemon *d)
{
	return &d->arena;
}

const struct log *
daemon_log(const struct daemon *d)
{
	return &d->log;
}

void *
daemon_data(const struct daemon *d)
{
	return d->data;
}

void
daemon_set_data(struct daemon *d, void *data)
{
	d->data = data;
}

struct task_group *
daemon_group(struct daemon *d)
{
	return &d->group;
}

bool
daemon_is_draining(const struct daemon *d)
{
	return d->draining;
}

bool
daemon_is_stopping(const struct daemon *d)
{
	return d->stopping;
}

void
daemon_on_drain(struct daemon *d, struct signal *s)
{
	d->drain_signal = s;
}

size_t
daemon_clients(const struct daemon *d)
{
	return d->clients;
}

uint32_t
daemon_peers(const struct daemon *d)
{
	return d->peers;
}

void
daemon_on_peer_gone(struct daemon *d, void (*fn)(struct daemon *, uint32_t))
{
	d->peer_gone = fn;
}

void
daemon_on_mishap(struct daemon *d, void (*fn)(struct daemon *, int64_t))
{
	d->mishap = fn;
}

/* daemon_allow_read - one more folder for the sandbox */
void
daemon_allow_read(struct daemon *d, const char *folder)
{
	for (size_t i = 0; i < d->allowed_count; i++)
		if (strcmp(d->allowed[i].path, folder) == 0)
			return;
	/* beyond that many, changed files are read at the next reload only */
	if (d->allowed_count < DAEMON_ALLOWED_MAX)
		d->allowed[d->allowed_count++] = (struct sandbox_path){
		    arena_text(&d->arena, slice_of(folder)), SANDBOX_READ };
}

/* daemon_reload_params - nothing to do: the new struct is in place */
int
daemon_reload_params(struct task *t, struct daemon *d)
{
	(void)t;
	(void)d;
	return 0;
}

/* daemon_note_child - a line for barid ps */
void
daemon_note_child(struct daemon *d, uint32_t pid, struct slice name)
{
	struct msg_child m = { pid, slice_sub(name, 0, 320) };

	if (ipc_is_open(&d->control))
		ignore(ipc_post(&d->control, &msg_child_desc, &m)); /* a hint */
}

/* --- life */

static void
settings_free(struct daemon_settings *s)
{
	conf_free(&s->top);
	conf_free(&s->defaults);
	arena_free(&s->arena);
	memset(s, 0, sizeof(*s));
}

/* layer - the configuration over the defaults of the daemon's own table */
static void
layer(struct daemon_settings *s, const struct param_table *table,
    const struct conf *conf)
{
	const struct conf_entry	*e;
	size_t			 at = 0;
	char			*file;

	s->defaults = conf_new(NULL);
	if (table != NULL)
		param_defaults(s->defaults, table);
	s->top = conf_new(s->defaults);
	while ((e = conf_each(conf, &at)) != NULL) {
		file = slice_dup(e->file);
		conf_put(s->top, e->name, e->value, file, e->line);
		free(file);
	}
}

/* daemon_settings_load - make a configuration the present one */
int
daemon_settings_load(struct daemon *d, const struct conf *conf,
    struct diag *diag)
{
	struct daemon_settings	s = { .params = NULL };
	int			r;

	layer(&s, d->spec->params, conf);
	if (d->spec->params != NULL) {
		s.params = arena_alloc(&s.arena, d->spec->params_size);
		r = param_load(d->spec->params, s.top, &s.arena, s.params, diag);
		if (r < 0) {
			settings_free(&s);
			return r;
		}
	}
	/* tasks may still look at the last one, but not at the one before */
	settings_free(&d->before);
	d->before = d->now;
	d->now = s;
	return 0;
}

/* daemon_new - a daemon that serves nobody yet */
struct daemon *
daemon_new(struct loop *l, const struct daemon_spec *spec,
    const struct conf *conf, edge_connect_fn *connect, void *arg,
    struct diag *diag)
{
	struct daemon *d = NEW(struct daemon);

	d->spec = spec;
	d->loop = l;
	d->connect = connect;
	d->connect_arg = arg;
	d->control.io.fd = d->log_conn.io.fd = -1;
	d->sandbox = (struct sandbox_state)SANDBOX_STATE_INIT;
	list_init(&d->listeners);
	log_init(&d->log, NULL);
	(void)snprintf(d->service, sizeof(d->service), "%s", spec->name);
	if (conf != NULL && daemon_settings_load(d, conf, diag) < 0) {
		daemon_free(&d);
		return NULL;
	}
	return d;
}

/* daemon_free - release it; its tasks have ended */
void
daemon_free(struct daemon **d_take)
{
	struct daemon		*d = *d_take;
	struct hash_iter	 it = { 0 };
	struct slice		 key;
	struct list		*link;
	void			*edge;

	*d_take = NULL;
	if (d == NULL)
		return;
	while ((link = list_take_head(&d->listeners)) != NULL) {
		struct listener *l = CONTAINER_OF(link, struct listener, link);

		io_close(&l->io);
		free(l->address);
		free(l);
	}
	while (hash_next(&d->edges, &it, &key, &edge)) {
		struct edge *e = edge;

		edge_free(&e);
	}
	hash_free(&d->edges);
	daemon_log_end(d);
	ipc_close(&d->control);
	settings_free(&d->before);
	settings_free(&d->now);
	arena_free(&d->arena);
	free(d);
}

/* callee_fault - a daemon that we called broke the rules */
static void
callee_fault(void *arg, const char *callee, const char *why)
{
	struct daemon *d = arg;

	log_event(&d->log, EV_DAEMON_CALLEE_BROKE, KV_TEXT("callee", callee),
	    KV_TEXT("why", why));
}

/* daemon_edge - the edge to a daemon or service */
struct edge *
daemon_edge(struct daemon *d, const char *callee,
    const struct ipc_table *table)
{
	struct edge *e = hash_get(&d->edges, slice_of(callee));

	if (e == NULL) {
		const char *name = arena_text(&d->arena, slice_of(callee));

		e = edge_new(&d->group, name, table, d->connect,
		    d->connect_arg);
		edge_on_fault(e, callee_fault, d);
		(void)hash_put(&d->edges, slice_of(callee), e);	/* was not */
	}
	return e;
}

/* daemon_renew_edges - to those that a reload replaced */
void
daemon_renew_edges(struct daemon *d)
{
	struct hash_iter	 it = { 0 };
	struct slice		 callee;
	void			*edge;

	while (hash_next(&d->edges, &it, &callee, &edge)) {
		const struct daemon_row *row = daemons_find(callee);

		/* no row: a service of master.cf, which is called only */
		if (row == NULL || !row->reloads)
			edge_renew(edge);
	}
}

/* daemon_connect - a new edge as a bare descriptor */
int
daemon_connect(struct task *t, struct daemon *d, const char *callee,
    int *ret_fd)
{
	return d->connect(t, d->connect_arg, callee, ret_fd);
}

/* daemon_adopt - what daemon_main does for others */
void
daemon_adopt(struct daemon *d, const struct daemon *parent, int *log_take,
    const struct sandbox_state *state)
{
	memcpy(d->program, parent->program, sizeof(d->program));
	d->sandbox = *state;
	daemon_log_start(d, log_take, false);
}

/* --- clients */

struct client {
	struct daemon		*daemon;
	struct sockaddr_storage	 peer;
	const char		*listener;
	int			 fd;
};

/* say_load - tell master when the number of clients changed much */
static void
say_load(struct daemon *d)
{
	size_t		n = d->clients, said = d->clients_said;
	size_t		change = n > said ? n - said : said - n;
	struct msg_load	m = { (uint32_t)n };

	if (change == 0 || (n != 0 && change < 8 && change * 8 < n))
		return;
	if (!ipc_is_open(&d->control))
		return;
	d->clients_said = n;
	ignore(ipc_post(&d->control, &msg_load_desc, &m));	/* a hint */
}

/* load_task - what comes and goes meanwhile need not be said */
static int
load_task(struct task *t, void *arg)
{
	struct daemon	*d = arg;
	int		 r;

	while ((r = signal_wait(t, &d->load_changed)) == 0 &&
	    (r = task_sleep(t, LOAD_PAUSE)) == 0)
		say_load(d);
	return r;
}

static void
client_gone(struct daemon *d)
{
	d->clients--;
	signal_set(&d->load_changed);
	if (d->draining && d->clients == 0)
		daemon_end(d);
}

/* daemon_work_begin - something that draining waits for */
void
daemon_work_begin(struct daemon *d)
{
	d->clients++;
	signal_set(&d->load_changed);
}

/* daemon_work_end - it is done, and was answered */
void
daemon_work_end(struct daemon *d)
{
	client_gone(d);
}

static int
client_task(struct task *t, void *arg)
{
	struct client	*c = arg;
	struct daemon	*d = c->daemon;
	int		 r;

	r = d->spec->client(t, d, &c->fd, &c->peer, c->listener);
	if (r < 0 && r != -ECANCELED)
		log_event(&d->log, EV_DAEMON_CLIENT_FAILED, KV_ERR("why", r));
	fd_close(&c->fd);
	free(c);
	client_gone(d);
	return 0;
}

/* daemon_add_client - a task for a client */
void
daemon_add_client(struct daemon *d, int *fd_take,
    const struct sockaddr_storage *peer, const char *listener)
{
	struct client *c = NEW(struct client);

	c->daemon = d;
	c->peer = *peer;
	c->listener = listener;
	c->fd = *fd_take;
	*fd_take = -1;
	d->clients++;
	signal_set(&d->load_changed);
	task_group_start(&d->group, client_task, c);
}

/* listen_task - accept from one listener until the daemon drains */
static int
listen_task(struct task *t, void *arg)
{
	struct listener		*l = arg;
	struct daemon		*d = l->daemon;
	struct sockaddr_storage	 peer;
	int			 fd, r, last = 0;

	while (!d->draining) {
		r = io_accept(t, &l->io, &fd, &peer);
		if (r == -ECANCELED)
			return r;
		if (r == 0) {
			daemon_add_client(d, &fd, &peer, l->address);
			last = 0;
			continue;
		}
		if (d->draining)
			break;
		if (r != last)
			log_event(&d->log, EV_DAEMON_ACCEPT,
			    KV_TEXT("listener", l->address), KV_ERR("why", r));
		last = r;
		if ((r = task_sleep(t, ACCEPT_PAUSE)) < 0)
			return r;
	}
	return 0;
}

/* --- callers */

struct caller {
	struct daemon		*daemon;
	struct daemon_caller	 who;
	struct arena		 arena;
	char			 fault[DAEMON_FAULT_SIZE];
	int			 fd;
};

/* daemon_caller_close - the end of an edge */
void
daemon_caller_close(const struct daemon_caller *who, struct ipc_conn *c)
{
	if (who->fault != NULL && *ipc_error(c) != '\0')
		(void)snprintf(who->fault, DAEMON_FAULT_SIZE, "%s",
		    ipc_error(c));
	ipc_close(c);
}

static int
caller_task(struct task *t, void *arg)
{
	struct caller	*c = arg;
	struct daemon	*d = c->daemon;
	int		 r;

	r = d->spec->edge(t, d, &c->fd, &c->who);
	if (r == -EBADMSG)
		log_event(&d->log, EV_DAEMON_EDGE_BROKEN,
		    KV_STR("caller", c->who.daemon),
		    KV_UINT("process", c->who.process),
		    KV_TEXT("why", c->fault[0] != '\0' ? c->fault :
		    "a message that is not true, or that it may not send"));
	else if (r < 0 && r != -ECANCELED && r != -ENODATA &&
	    r != -ECONNRESET && r != -EPIPE)
		log_event(&d->log, EV_DAEMON_EDGE_FAILED,
		    KV_STR("caller", c->who.daemon), KV_ERR("why", r));
	fd_close(&c->fd);
	arena_free(&c->arena);
	free(c);
	return 0;
}

/* daemon_add_caller - a task for a caller's edge */
void
daemon_add_caller(struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct caller *c;

	if (d->spec->edge == NULL || !d->serving) {
		fd_close(fd_take);
		return;
	}
	c = NEW(struct caller);
	c->daemon = d;
	c->who = *who;
	c->who.daemon = arena_dup(&c->arena, who->daemon);
	c->who.service = arena_dup(&c->arena, who->service);
	c->who.fault = c->fault;
	c->fd = *fd_take;
	*fd_take = -1;
	task_group_start(&d->group, caller_task, c);
}

/* --- serving */

/* daemon_end - let daemon_serve return */
void
daemon_end(struct daemon *d)
{
	signal_set(&d->ended);
}

/* daemon_drain - accept nothing new; end with the last client */
void
daemon_drain(struct daemon *d)
{
	if (d->draining)
		return;
	d->draining = true;
	LIST_EACH(&d->listeners, link)
		io_close(&CONTAINER_OF(link, struct listener, link)->io);
	if (d->drain_signal != NULL)
		signal_set(d->drain_signal);
	if (d->clients == 0)
		daemon_end(d);
}

static int
run_task(struct task *t, void *arg)
{
	struct daemon	*d = arg;
	int		 r = d->spec->run(t, d);

	daemon_end(d);
	return r;
}

/* refusals_task - log what the sandbox refused */
static int
refusals_task(struct task *t, void *arg)
{
	struct daemon		*d = arg;
	struct sandbox_refusal	 what;
	struct io		 io = IO_INIT;
	int			 fd = d->sandbox.refusals, r = 0;

	io_open(&io, d->loop, &fd);
	while (r == 0) {
		while (sandbox_next_refusal(io.fd, &what) == 0)
			log_event(&d->log, EV_DAEMON_REFUSED_CALL,
			    KV_TEXT("name", what.name),
			    KV_INT("number", what.number));
		r = io_wait_read(t, &io);
	}
	io_close(&io);
	return r;
}

/* daemon_serve - all tasks of the daemon, until it is told to end */
int
daemon_serve(struct task *t, struct daemon *d)
{
	int r;

	task_group_begin(t, &d->group);
	d->serving = true;
	if (d->sandbox.refusals >= 0)
		task_group_start(&d->group, refusals_task, d);
	if (ipc_is_open(&d->control)) {
		task_group_start(&d->group, daemon_control_task, d);
		task_group_start(&d->group, load_task, d);
	}
	if (ipc_is_open(&d->control) || ipc_is_open(&d->log_conn))
		task_group_start(&d->group, daemon_log_task, d);
	LIST_EACH(&d->listeners, link)
		task_group_start(&d->group, listen_task,
		    CONTAINER_OF(link, struct listener, link));
	if (d->spec->run != NULL)
		task_group_start(&d->group, run_task, d);
	r = signal_wait(t, &d->ended);
	d->serving = false;
	task_group_cancel(&d->group);
	if (task_group_end(t, &d->group) == -ECANCELED || r == -ECANCELED)
		return 0;
	return d->group.failure;
}
